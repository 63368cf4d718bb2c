"""Over the socket: several callers, a signer that is started again, and callers that say nonsense."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.ports.chain import Branch
from app.ports.errors import ProviderUnavailable, SigningPostponed, SigningRefused
from app.signer import wire
from app.signer.client import SignerClient, SocketSigner
from app.signer.places import open_socket
from app.signer.server import Server
from providers.bitcoin.networks import REGTEST
from providers.bitcoin.wallet import WatchedWallet
from tests.signer.vaults import THIEF, WALLET, Rig, agreed, coin, draft, paid


@asynccontextmanager
async def serving(rig: Rig) -> AsyncIterator[Path]:
    """A signer at a socket in the rig's folder."""
    path = rig.folder / "s.sock"
    with rig.open() as vault:
        server = Server(vault, open_socket(path))
        await server.start()
        try:
            yield path
        finally:
            await server.stop()


@asynccontextmanager
async def calling(path: Path) -> AsyncIterator[SignerClient]:
    """Somebody who calls."""
    client = SignerClient(path)
    try:
        yield client
    finally:
        await client.aclose()


async def test_what_is_public_is_enough_to_watch_every_address(rig: Rig) -> None:
    async with serving(rig) as path, calling(path) as client:
        keys = await client.public()
    watched = WatchedWallet(keys["bitcoin"], REGTEST)
    for branch in Branch:
        for index in (0, 1, 15, 9_999):
            assert watched.address(branch, index) == WALLET.address(branch, index)
    assert not hasattr(watched, "sign")


async def test_what_is_signed_over_the_socket_is_what_was_asked_for(rig: Rig) -> None:
    wanted = draft([agreed("or_1", 40_000), agreed("po_2", 20_000)], [coin(1), coin(2)])
    async with serving(rig) as path, calling(path) as client:
        raw = await SocketSigner(client, "bitcoin").sign(wanted)
    assert paid(raw).outputs == tuple((output.script, output.amount) for output in wanted.outputs)
    assert raw == WALLET.signed(wanted)


async def test_refusals_come_through_with_all_that_they_say(rig: Rig) -> None:
    async with serving(rig) as path, calling(path) as client:
        signer = SocketSigner(client, "bitcoin")
        with pytest.raises(SigningRefused) as altered:
            await signer.sign(draft([replace(agreed("or_1", 40_000), script=THIEF)]))
        assert (altered.value.code, altered.value.subjects) == ("intent_invalid", ("or_1",))
        await signer.sign(draft([agreed("or_1", 40_000)]))
        with pytest.raises(SigningRefused) as elsewhere:
            await signer.sign(draft([agreed("or_1", 40_000)], [coin(2)]))
        assert (elsewhere.value.code, elsewhere.value.coins) == ("signed_before", frozenset({(coin(1).txid, 0)}))
        with pytest.raises(SigningPostponed) as promised:
            await signer.sign(draft([agreed("or_2", 40_000)]))
        assert (promised.value.code, promised.value.coins) == ("coins_promised", frozenset({(coin(1).txid, 0)}))
        (rig.folder / "stop").touch()
        with pytest.raises(SigningPostponed, match="stop") as stopped:
            await signer.sign(draft([agreed("or_3", 40_000)], [coin(3)]))
        assert stopped.value.code == "stopped"


async def test_many_callers_are_served_and_no_limit_is_passed(rig: Rig) -> None:
    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(serving(rig))
        clients = [await stack.enter_async_context(calling(path)) for _ in range(6)]
        answers = await asyncio.gather(
            *(
                client.sign_draft("bitcoin", draft([agreed(f"or_{number}", 49_000)], [coin(number)]))
                for number, client in enumerate(clients, start=1)
            ),
            return_exceptions=True,
        )
    signed = [answer for answer in answers if isinstance(answer, bytes)]
    late = [answer for answer in answers if isinstance(answer, SigningPostponed)]
    assert (len(signed), {error.code for error in late}) == (5, {"limit_hour"})


async def test_a_signer_that_was_started_again_is_called_again(rig: Rig) -> None:
    async with AsyncExitStack() as stack:
        async with serving(rig) as path:
            client = await stack.enter_async_context(calling(path))
            first = await client.sign_draft("bitcoin", draft([agreed("or_1", 40_000)]))
        with pytest.raises(ProviderUnavailable, match="does not answer"):
            await client.sign_draft("bitcoin", draft([agreed("or_1", 40_000)]))
        async with serving(rig):
            assert await client.sign_draft("bitcoin", draft([agreed("or_1", 40_000)])) == first
        async with serving(rig):  # the connection is lost while nobody looks: it is made once more
            assert await client.sign_draft("bitcoin", draft([agreed("or_1", 40_000)])) == first


async def test_without_a_signer_there_is_a_plain_error_that_may_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(ProviderUnavailable, match="signer does not answer") as caught:
        await SignerClient(tmp_path / "nobody.sock").public()
    assert not isinstance(caught.value, SigningPostponed)


async def test_a_call_that_is_cut_off_leaves_no_answer_for_the_next(rig: Rig) -> None:
    async with serving(rig) as path, calling(path) as client:
        await client.public()
        cut = asyncio.create_task(client.sign_draft("bitcoin", draft([agreed("or_1", 40_000)])))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        cut.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cut
        assert set(await client.public()) == {"bitcoin"}


GOOD = json.loads(wire.ask_draft("bitcoin", draft([agreed("or_1", 40_000)])))


def _with(**changes: object) -> bytes:
    return json.dumps({**GOOD, "draft": GOOD["draft"] | changes}).encode()


NONSENSE: dict[str, bytes] = {
    "no JSON": b"{",
    "nothing": b"null",
    "no operation": b"{}",
    "another operation": b'{"op": "export_seed"}',
    "a word too many": b'{"op": "public", "seed": true}',
    "no draft": b'{"op": "sign_draft", "network": "bitcoin"}',
    "inputs in words": _with(inputs="all"),
    "an amount that is not whole": _with(outputs=[["0014aa", 1.5, None]]),
    "an amount in words": _with(outputs=[["0014aa", "1", None]]),
    "an amount below nothing": _with(outputs=[["0014aa", -1, None]]),
    "a script that is not hex": _with(outputs=[["0x", 1, None]]),
    "half an intent": _with(outputs=[["0014aa", 1, ["or_1", "BTC.bitcoin"]]]),
    "another branch": _with(change=[["x", "00", "savings", 0]]),
    "too many inputs": _with(inputs=[["00", 0, 1, "receive", 0]] * 5_001),
    "a token that is not in the catalogue": json.dumps(
        {
            "op": "sign_call",
            "draft": {
                "network": "ethereum", "chain_id": 31337, "kind": "pay", "branch": "change", "index": 0,
                "transfers": [["GOLD.ethereum", "aa", "1", None]], "nonce": 0, "gas_limit": 1, "max_fee": "1",
                "max_priority_fee": "1", "asset": None,
            },
        }
    ).encode(),
}  # fmt: skip


@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE)
async def test_nonsense_is_refused_and_the_next_is_heard(rig: Rig, said: bytes) -> None:
    async with serving(rig) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(wire.framed(said))
        answer = wire.read_answer(await wire.read_frame(reader) or b"")
        assert answer.refused is not None
        assert answer.refused.rule == "malformed"
        writer.write(wire.framed(wire.ask_public()))
        assert wire.read_answer(await wire.read_frame(reader) or b"").public is not None
        writer.close()


@pytest.mark.parametrize("size", [0, wire.MOST_BYTES + 1, 2**32 - 1])
async def test_a_frame_of_no_size_or_too_much_ends_the_call(rig: Rig, size: int) -> None:
    async with serving(rig) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(size.to_bytes(4) + b"{}")
        assert await reader.read() == b""
        writer.close()
        async with calling(path) as client:
            assert set(await client.public()) == {"bitcoin"}


async def test_a_caller_who_says_half_a_frame_keeps_nobody_waiting(rig: Rig) -> None:
    async with serving(rig) as path:
        _, writer = await asyncio.open_unix_connection(path)
        writer.write((1_000).to_bytes(4) + b"{")
        async with calling(path) as client:
            assert set(await client.public()) == {"bitcoin"}
        writer.close()


def test_the_socket_is_for_its_owner_and_group_and_only_one_listens(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with open_socket(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with pytest.raises(OSError, match="already"):
            open_socket(path)
    with open_socket(path) as again:  # what a killed one left is no hindrance
        assert isinstance(again, socket.socket)
