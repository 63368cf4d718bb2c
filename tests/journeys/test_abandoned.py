"""Sends that can never be mined, as a coin of theirs is gone for good: the money goes back, and none of it twice."""

from __future__ import annotations

import sqlite3

import pytest

from app.audit import audit
from app.domain.assets import BTC, confirmations_needed
from app.domain.errors import ConflictState
from app.domain.intent import Intent
from app.domain.money import Money
from app.ports.chain import Branch, CoinInput, Recipient
from app.services import abandoning, payout_releases
from app.wiring.secrets import intent_keys
from tests.journeys.test_bumps import sent
from tests.journeys.test_money_back import disputed
from tests.journeys.test_payouts_coins import asked, funded
from tests.support.coins import (
    alerts,
    available,
    balances,
    deposit,
    mined,
    order_of,
    reorg,
    rpc,
    sell_order,
    triggers,
)
from tests.support.paying import shown
from tests.support.wallets import NETWORK, attempts
from tests.support.world import CUSTOMER_ADDRESS, World

ROBBED = ["R-30", "R-32", "X-2", "X-3"]  # what is wrong for ever once somebody else has spent a coin of ours
FINAL = confirmations_needed(Money(10**9, BTC))


async def lineage_of(world: World, subject: object) -> str:
    """The lineage of an order's, or a payout's, send."""
    async with world.db.connection() as connection:
        return str(await connection.fetchval("SELECT lineage_id FROM sends WHERE $1 IN (order_id, payout_id)", subject))


async def spend_elsewhere(world: World, subject: object) -> None:
    """Have the coin behind an order's, or a payout's, send spent by somebody with our key, in a block."""
    [ours] = await attempts(world, subject)
    await world.far.command("POST", "/control/bitcoin/drop", {"txid": ours.txid})
    async with world.db.connection() as connection:
        coin = await connection.fetchrow(
            "SELECT txid, vout, units, branch, index FROM coins JOIN wallet_addresses USING (network, script)"
            " WHERE spent_txid = $1",
            ours.txid,
        )
    assert coin is not None
    journal = sqlite3.connect(world.settings.signer_home / "journal.sqlite", isolation_level=None)
    journal.execute("UPDATE signatures SET at = 0")  # a copy of the key knows nothing of what was promised
    journal.close()
    rail = world.rails.chains[NETWORK]
    spent = CoinInput(coin["txid"], coin["vout"], int(coin["units"]), Branch(coin["branch"]), coin["index"])
    script, units = rail.parse(CUSTOMER_ADDRESS).script, 200_000
    seal = intent_keys(world.settings).seal("or_x", network=NETWORK, asset=BTC.id, script=script, units=units)
    thief = Recipient(script, units, Intent("or_x", BTC.id, seal))
    signed = await rail.prepare([spent], [thief], rail.new_address(Branch.CHANGE, 0), fee_rate=5)
    await rail.broadcast(signed.raw)
    await mined(world, 1)


async def violated(world: World) -> list[str]:
    """The invariants that do not hold."""
    return (await audit(world.db, world.records, wait_seconds=0.3)).violated


async def in_transit(world: World) -> int:
    """What is set aside for sends, by the books."""
    return (await balances(world)).get(("wallet:transit:bitcoin", BTC.id), 0)


async def test_fault_f_88_an_order_whose_coin_is_spent_for_good_by_somebody_else_goes_back(world: World) -> None:
    await world.fund(1)
    order = await sent(world)
    await spend_elsewhere(world, order["id"])
    await mined(world, FINAL - 2)
    assert (await order_of(world, order))["status"] == "processing"  # that block may still go
    assert await violated(world) == ROBBED
    await mined(world, 1)
    assert "send_abandoned" in await alerts(world)
    await world.drain()
    seen = await order_of(world, order)
    assert (seen["status"], "send_abandoned" in str(seen["failure"])) == ("refunded", True)
    assert await in_transit(world) == 0
    assert await violated(world) == ROBBED


async def test_fault_f_88_what_stands_upon_a_lost_send_is_lost_as_well(world: World) -> None:
    """Two payouts, the second one from the change of the first; the partner has its money back."""
    account = await funded(world)
    before = (await balances(world))[available(world)]
    made = []
    for _ in range(2):
        made.append(await asked(world, account, 20_000))
        await world.drain()
    assert {(await shown(world, payout))["status"] for payout in made} == {"submitted"}
    [second] = await attempts(world, made[1])
    await world.far.command("POST", "/control/bitcoin/drop", {"txid": second.txid})
    await spend_elsewhere(world, made[0])
    await mined(world, FINAL - 1)
    await world.follow()
    assert {(await shown(world, payout))["status"] for payout in made} == {"failed"}
    assert (await balances(world))[available(world)] == before
    assert await in_transit(world) == 0
    assert await violated(world) == ROBBED


async def refunds_of(world: World, order: dict[str, object]) -> list[dict[str, object]]:
    """The payouts of an order's coins to its customer, oldest first."""
    async with world.db.connection() as connection:
        rows = await connection.fetch(
            "SELECT id FROM payouts WHERE order_id = $1 AND kind = 'refund' ORDER BY id", order["id"]
        )
    return [await shown(world, row["id"]) for row in rows]


async def let_go(world: World, payout: dict[str, object]) -> str:
    """A person takes the hold off a payout; the payout that goes on."""
    keys = intent_keys(world.settings)
    async with world.db.transaction() as tx:
        released = await payout_releases.release(tx, keys, str(payout["id"]), actor="ada", reason="it is gone")
    return released.id


async def test_fault_f_88_coins_on_their_way_back_that_are_lost_are_sent_anew_by_a_person(world: World) -> None:
    await world.fund(1)
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    await deposit(world, order, "0.00400000", confirmations=3)
    assert (await world.post(f"/v1/orders/{order['id']}/refund")).status_code == 200
    await world.drain()
    [first] = await refunds_of(world, order)
    await spend_elsewhere(world, first["id"])
    await mined(world, FINAL - 1)
    await world.follow()
    [first] = await refunds_of(world, order)
    assert (first["status"], "send_abandoned" in str(first["hold"])) == ("submitted", True)
    assert await violated(world) == ROBBED
    await world.fund(1)
    second = await let_go(world, first)
    with pytest.raises(ConflictState):
        await let_go(world, first)
    await world.drain()
    await mined(world, 3)
    await world.drain()
    seen = await refunds_of(world, order)
    assert [(one["id"], one["status"]) for one in seen] == [(first["id"], "failed"), (second, "settled")]
    assert (await order_of(world, order))["status"] == "refunded"
    assert await in_transit(world) == 0
    assert not any(account.startswith("payout:") for account, _ in await balances(world))
    assert await violated(world) == ROBBED


async def swept_away(world: World, order: dict[str, object]) -> tuple[str, str]:
    """Reorganise away the transaction that an order's coin came from; its bytes, and those of the send, which wait."""
    [ours] = await attempts(world, order["id"])
    async with world.db.connection() as connection:
        parent = await connection.fetchval("SELECT txid FROM coins WHERE spent_txid = $1", ours.txid)
    await reorg(world, 10)
    raw = str(await rpc(world, "getrawtransaction", parent))
    rail = world.rails.chains[NETWORK]
    lineage_id = await lineage_of(world, order["id"])
    with pytest.raises(ConflictState, match="can still be mined"):  # both wait for a block again
        await abandoning.abandon(world.db, rail, lineage_id, depth=FINAL, actor="ada", reason="drill")
    for txid in (ours.txid, str(parent)):
        await world.far.command("POST", "/control/bitcoin/drop", {"txid": txid})
    return raw, ours.raw.hex()


async def test_fault_f_88_a_send_whose_coin_was_reorganised_away_is_given_up_by_hand(world: World) -> None:
    await world.fund(1)
    order = await sent(world)
    waiting = await swept_away(world, order)
    lineage_id, rail = await lineage_of(world, order["id"]), world.rails.chains[NETWORK]
    await mined(world, 20)
    assert (await order_of(world, order))["status"] == "processing"  # nobody but a person says so
    why = await abandoning.abandon(world.db, rail, lineage_id, depth=FINAL, actor="ada", reason="it is gone")
    assert "is in no block" in why
    with pytest.raises(ConflictState):
        await abandoning.abandon(world.db, rail, lineage_id, depth=FINAL, actor="ada", reason="twice")
    await world.drain()
    assert (await order_of(world, order))["status"] == "refunded"
    assert (await triggers(world, order))[-3:] == ["send_abandoned", "refund_accepted", "refund_completed"]
    assert await in_transit(world) == 0
    await world.audit()
    for raw in waiting:  # somebody had kept them, and sends them again
        await rpc(world, "sendrawtransaction", raw)
    await mined(world, 1)
    assert "mined_after_all" in await alerts(world)
    assert "X-2" in await violated(world)


async def test_fault_f_52_a_dispute_while_coins_leave_is_not_refunded_as_well_when_they_are_given_up(
    world: World,
) -> None:
    await world.fund(1)
    order = await sent(world)
    seen = await disputed(world, order)
    assert (seen["status"], (await balances(world))["loss:dispute", "EUR"]) == ("processing", 10_000)
    await swept_away(world, order)
    lineage_id, rail = await lineage_of(world, order["id"]), world.rails.chains[NETWORK]
    await abandoning.abandon(world.db, rail, lineage_id, depth=FINAL, actor="ada", reason="it is gone")
    await world.drain()
    seen = await order_of(world, order)
    assert isinstance(seen["source"], dict)
    assert (seen["status"], seen["source"]["refunded"]) == ("refunded", "0.00")  # the bank gave it back already
    assert ("loss:dispute", "EUR") not in await balances(world)
    await world.audit()
    seen = await disputed(world, order, "won")
    assert isinstance(seen["source"], dict)
    # What was won is the customer's, and Stripe gives no money back on a charge that was ever disputed: a person does.
    assert (seen["status"], seen["source"]["refunded"], bool(seen["hold"])) == ("refunding", "0.00", True)
    held = await balances(world)
    assert held[f"order:{order['id']}", "EUR"] == -10_000
    assert not {account for account, _ in held} & {"loss:dispute", "receivable:recovery"}
    await world.audit()
