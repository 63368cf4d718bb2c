"""The development partner's first balance: given once, whenever the program that gives it is killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from app.dev import far_side, top_ups
from app.dev.home import Instance, Secrets
from app.dev.partner import Partner
from app.dev.top_ups import FirstBalance
from tests.support.partners import TestPartner, make_partner
from tests.support.world import World

REQUESTS = 11  # one more than a first run makes: the last one is not killed
GIVEN = {("EUR", None): "10000.00", ("USD", None): "10000.00", ("BTC", "bitcoin"): "1.00000000"}


class Killed(Exception):
    """What stands in for a kill: nothing after it is done."""


class Deadly(httpx.AsyncHTTPTransport):
    """Kills whoever makes the request of this number, once it was answered and before anybody has heard."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass requests on until it is time."""
        self.left -= 1
        response = await super().handle_async_request(request)
        if self.left == 0:
            await response.aread()
            raise Killed
        return response


def giver(world: World, http: httpx.AsyncClient, partner: TestPartner) -> FirstBalance:
    """What the caretaker of a development instance would make."""
    key = world.settings.increase.increase_api_key
    assert key is not None
    instance = Instance(
        api_url=world.api_url,
        api_key=partner.key,
        sandbox_url=world.far_url,
        stripe_api_base="",
        bitcoin_rpc_url=f"{world.far_url}/bitcoin",
        kraken_api_base="",
        increase_api_base=f"{world.far_url}/increase",
        sepa_folder=str(world.sepa_folder),
        operator_url="",
        database_url="",
        pids={},
    )
    kept = Secrets("", "", "", "", "", "", key.get_secret_value(), "", "sandbox")
    return FirstBalance(world.db, http, instance, kept, Partner(partner.id, partner.key))


@asynccontextmanager
async def working(world: World) -> AsyncIterator[None]:
    """Let the worker work meanwhile."""

    async def work() -> None:
        while True:
            await world.sepa()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(work())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def balance(world: World, partner: TestPartner) -> dict[tuple[str, str | None], str]:
    """What a partner has available, of what it has any of."""
    answer = await world.http.get(f"{world.api_url}/v1/balances", headers=partner.headers)
    rows = answer.json()["data"]
    return {(row["asset"], row["network"]): row["available"] for row in rows if float(row["available"])}


async def test_a_kill_after_any_request_gives_it_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_side, "BITCOIN_USER", "sandbox")
    monkeypatch.setattr(top_ups, "_LOOK_SECONDS", 0.02)
    for number in range(1, REQUESTS + 1):
        partner = await make_partner(world.db)
        async with httpx.AsyncClient(transport=Deadly(number)) as http:
            if number < REQUESTS:  # and nothing of it has arrived when the next one starts
                with pytest.raises(Killed):
                    await giver(world, http, partner).ensure()
            async with working(world):
                assert await giver(world, world.http if number < REQUESTS else http, partner).ensure()
                await asyncio.sleep(0.3)  # what was given twice would arrive as well
        async with httpx.AsyncClient() as http:
            assert not await giver(world, http, partner).ensure()
        assert await balance(world, partner) == GIVEN, number
    await world.audit()
