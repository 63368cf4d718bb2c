"""Streams are bounded: of one owner, of all, and in time."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from fastapi.responses import StreamingResponse

from app.api.refusals import RateLimited
from app.api.streams import Streams


async def flood() -> AsyncGenerator[bytes, None]:
    while True:
        yield b"data: x\n\n"


async def begun(streams: Streams, owner: str) -> AsyncGenerator[bytes, None]:
    """A stream that has begun to speak."""
    response: StreamingResponse = streams.open(owner, flood())
    body = response.body_iterator
    assert isinstance(body, AsyncGenerator)
    assert await anext(body) == b"retry: 1000\n\n"
    return body


async def test_one_owner_cannot_take_them_all_and_what_has_ended_is_free_again() -> None:
    streams = Streams(most=3, most_of_one=2)
    mine = [await begun(streams, "ada") for _ in range(2)]
    with pytest.raises(RateLimited):
        streams.open("ada", flood())
    others = await begun(streams, "bob")
    with pytest.raises(RateLimited):
        streams.open("eve", flood())
    await mine[0].aclose()
    again = await begun(streams, "ada")
    for one in (mine[1], others, again):
        await one.aclose()


async def test_a_stream_ends_in_time_however_much_there_is_to_say() -> None:
    body = Streams(longest=0.05).open("ada", flood()).body_iterator
    assert [piece async for piece in body][-1] == b"data: x\n\n"
