"""One send that cannot be booked, or bumped, stops none of the others; a person is told of it."""

from __future__ import annotations

from app.db import ledger
from app.domain import chart
from app.domain.assets import BTC
from app.domain.ledger import Entry, Posting
from app.services import sweeps
from tests.journeys.test_abandoned import lineage_of
from tests.journeys.test_bumps import sent
from tests.support.coins import alerts, deposit, deposits_of, mined, order_of, standing_address
from tests.support.wallets import attempts, busy_miners
from tests.support.world import World


async def spoil(world: World, reference: str) -> None:
    """Let an entry be there already: the one that is to be written under its name violates a key."""
    nothing = (Posting(chart.EQUITY_OPERATOR, BTC, 1), Posting(chart.EQUITY_OPERATOR, BTC, -1))
    async with world.db.transaction() as tx:
        await ledger.post(tx, Entry(reference, "arrived", nothing))


async def test_fault_f_98_a_send_that_cannot_be_settled_stops_neither_others_nor_deposits(world: World) -> None:
    await world.fund(3)
    orders = [await sent(world) for _ in range(2)]
    address = await standing_address(world)
    by_lineage = {await lineage_of(world, order["id"]): order for order in orders}
    bad, good = [by_lineage[lineage] for lineage in sorted(by_lineage)]  # in the order in which they are settled
    async with world.db.connection() as connection:
        send = await connection.fetchval("SELECT id FROM sends WHERE order_id = $1", bad["id"])
    await spoil(world, f"{bad['id']}:convert:{send}")
    await deposit(world, address, "0.00200000", confirmations=3)
    assert (await order_of(world, bad))["status"] == "processing"
    assert (await order_of(world, good))["status"] == "completed"
    assert [one["status"] for one in await deposits_of(world)] == ["credited"]
    assert await alerts(world) == ["send_not_settled"]


async def test_fault_f_86_a_send_that_cannot_be_bumped_does_not_keep_others_waiting(world: World) -> None:
    await world.fund(3)
    async with busy_miners(world):
        bad, good = [await sent(world) for _ in range(2)]
        await spoil(world, f"{bad['id']}:reserve:{await lineage_of(world, bad['id'])}:2")
        await mined(world, 3)
        await sweeps.bump(world.db, world.worker.senders)
        assert [len(await attempts(world, order["id"])) for order in (bad, good)] == [1, 2]
        assert await alerts(world) == ["bump_failed"]
        await mined(world, 1)
