"""What the signer refuses, seen from the instance: holds, alerts, and nothing signed twice after a crash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from unittest import mock

import pytest

from app.db import wallet
from app.db.database import Database
from app.ports.errors import SigningPostponed
from app.services import sends
from app.settings import Settings
from providers.bitcoin.layout import read_transaction
from tests.support.batches import address
from tests.support.far_side import FarSide
from tests.support.opening import open_world
from tests.support.paying import alerts
from tests.support.world import World


def _patient(usual: Settings) -> Settings:
    """Prices have no part in this: on a busy machine they would grow old."""
    return usual.model_copy(update={"rates": usual.rates.model_copy(update={"stale_seconds": 3600.0})})


@pytest.fixture
async def world(tmp_path: Path, db: Database, far_side: FarSide) -> AsyncIterator[World]:
    """An instance whose prices do not grow old."""
    async with open_world(tmp_path / "home", db, far_side.url, _patient) as opened:
        yield opened


async def paid_order(world: World, amount: str = "100.00") -> str:
    """An order whose money has come, and whose coins have not left."""
    order = await world.order(amount)
    await world.pay(order)

    async def is_paid() -> bool:
        return await state(world, str(order["id"])) == "paid"

    with mock.patch.object(sends, "send_coins", _nothing):
        await world.eventually(is_paid, "the order is paid")
    return str(order["id"])


async def _nothing(*_: object) -> None:
    """Instead of the job."""


async def state(world: World, order_id: str) -> str:
    """How an order stands."""
    async with world.db.connection() as connection:
        return str(await connection.fetchval("SELECT state FROM orders WHERE id = $1", order_id))


async def hold(world: World, order_id: str) -> str | None:
    """What stops an order."""
    async with world.db.connection() as connection:
        found: str | None = await connection.fetchval("SELECT hold->>'reason' FROM orders WHERE id = $1", order_id)
    return found


async def change(world: World, statement: str, *values: object) -> None:
    """What somebody does who can write to the database."""
    async with world.db.transaction() as tx:
        await tx.execute(statement, *values)


async def send(world: World, order_id: str) -> None:
    """Do the job of a paid order once."""
    await sends.send_coins(world.db, world.worker.senders["bitcoin"], order_id)


async def coins_of(world: World, order_id: str) -> set[tuple[str, int]]:
    """The coins that an order's transaction spends."""
    async with world.db.connection() as connection:
        sent = await wallet.send_of(connection, order_id)
        assert sent is not None
        raw = await connection.fetchval("SELECT raw FROM chain_transactions WHERE lineage_id = $1", sent.lineage_id)
    return {(each.txid, each.vout) for each in read_transaction(raw).inputs}


async def test_fault_f_94_an_order_altered_in_the_database_is_held_and_a_person_is_told(world: World) -> None:
    await world.fund(3)
    rail = world.rails.chains["bitcoin"]
    thief = rail.parse(address(1))
    ids = [await paid_order(world) for _ in range(3)]
    swapped, dearer, unsealed = ids
    await change(world, "UPDATE orders SET address = $2, script = $3 WHERE id = $1", swapped, thief.text, thief.script)
    await change(world, "UPDATE orders SET destination_units = destination_units * 2 WHERE id = $1", dearer)
    await change(world, "UPDATE orders SET intent = NULL WHERE id = $1", unsealed)
    for order_id in ids:
        await send(world, order_id)
        assert (await state(world, order_id), await hold(world, order_id)) == ("paid", "signer_refused")
    assert "signer_refused" in await alerts(world)
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM chain_transactions") == 0
        assert await connection.fetchval("SELECT count(*) FROM coins WHERE lineage_id IS NOT NULL") == 0
    await change(
        world, "UPDATE orders SET destination_units = destination_units / 2, hold = NULL WHERE id = $1", dearer
    )
    await send(world, dearer)  # as it was agreed to, it goes
    assert await state(world, dearer) == "sent"


async def test_fault_f_79_a_worker_that_died_after_signing_pays_with_the_same_coin(world: World) -> None:
    await world.fund(4)
    ids = [await paid_order(world) for _ in range(3)]
    first, second, third = ids
    with (
        mock.patch.object(wallet, "store_sends", side_effect=ConnectionError("killed")),
        pytest.raises(ConnectionError),
    ):
        await send(world, first)
    with pytest.raises(SigningPostponed) as kept:  # it would take the same coin, which is kept for the first
        await send(world, second)
    assert kept.value.code == "coins_promised"
    promised = kept.value.coins
    await send(world, second)
    await send(world, third)
    assert not await coins_of(world, second) & promised
    assert not await coins_of(world, third) & promised
    with pytest.raises(SigningPostponed) as wanted:  # any coin will do, it thinks; the signer names the one that will
        await send(world, first)
    assert (wanted.value.code, wanted.value.coins) == ("signed_before", promised)
    await send(world, first)
    assert await coins_of(world, first) == promised
    assert [await state(world, order_id) for order_id in ids] == ["sent"] * 3
    await world.far.mine("bitcoin", 6)
    await world.drain()
    await world.audit()
