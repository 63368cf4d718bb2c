"""Bumps: a transaction that no block takes is replaced by one that pays more, or pushed by one that stands upon it.

A replacement spends every coin and pays every recipient of the one before it; only the change and the fee differ, and
coins may be added. So at most one of a lineage's attempts is ever mined, whichever the miners choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from app.db import chain, lineages, wallet
from app.db import coins as coin_rows
from app.db import orders as order_rows
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert, resolve_alert
from app.db.coins import Change
from app.db.database import Database, Transaction
from app.db.orders import Order
from app.db.payouts import Payout
from app.db.wallet import ChainTransactionRow, Send
from app.domain.fee_bump import Bump, bumped_rate, least_child_fee, least_replacement_fee
from app.domain.order import MACHINES, Direction, OrderTrigger
from app.domain.order_terms import Moved
from app.domain.payout import PAYOUT, PayoutTrigger
from app.ports.chain import CoinInput, CoinsShort, FeeTooHigh, Recipient, SignedTransaction
from app.ports.errors import ProviderError, SigningRefused
from app.services import fees, orders, payout_sends, payouts, preparing, sends, spending, tolerance, treasury
from app.services.orders import Fact
from app.services.payouts import PayoutFact
from app.services.preparing import Outgoing, Sender
from app.services.spending import SpendingStopped

log = structlog.get_logger(__name__)

_AT_ONCE = 50
_MOST_ADDED = 5  # coins that one replacement adds
WAITS = "bump_waits"
_WAITING = frozenset({"prepared", "broadcast"})


@dataclass(frozen=True, slots=True)
class _Stuck:
    """A lineage that waits, its rows locked: what it pays, what it spends, what it gives back."""

    newest: ChainTransactionRow
    sends: Sequence[Send]
    order: Order | None
    payouts: Sequence[Payout]
    coins: Sequence[CoinInput]
    change: Sequence[Change]


async def bump_stuck(db: Database, sender: Sender) -> int:
    """Bump every transaction of one network that waits too long; how many waited."""
    network, rules = sender.rail.network, sender.rules
    async with db.connection() as connection:
        waiting = await lineages.stuck(connection, network, rules.bump_blocks, rules.bump_after, _AT_ONCE)
    if not waiting:
        return 0
    estimate = await sender.fee_rate()
    for lineage_id, attempt in waiting:
        try:
            await bump(db, sender, lineage_id, estimate, attempt=attempt)
        except SpendingStopped:
            return len(waiting)
        except SigningRefused as refused:
            async with db.transaction() as tx:
                await raise_alert(tx, WAITS, lineage_id, f"the signer refuses: {refused.code}")
        except ProviderError as error:
            log.warning("bump.failed", lineage_id=lineage_id, error=str(error))
        except Exception as error:
            await tolerance.tell(db, "bump_failed", lineage_id, error)
    return len(waiting)


async def bump(
    db: Database, sender: Sender, lineage_id: str, estimate: int, *, attempt: int | None = None
) -> str | None:
    """Sign something that gets a waiting lineage mined sooner, and hand it over; the lineage signed for, if any.

    `estimate` is what the network asks for now, in units per virtual byte; `attempt` is the one that was seen to wait:
    another worker may have signed the next. Nothing is signed above the operator's limits: then it waits, and a person
    is told.
    """
    async with db.transaction() as tx:
        # No block is taken in meanwhile: it may be the one that has it.
        await chain.take_turn(tx, sender.rail.network)
        await spending.require_started(tx, sender.rail.network)
        stuck = await _lock(tx, sender, lineage_id)
        if stuck is None or attempt not in {None, stuck.newest.attempt}:
            return None
        signed_for = await _bump(tx, sender, stuck, estimate)
    if signed_for is not None:
        await _hand_over(db, sender, stuck, signed_for)
    return signed_for


async def _hand_over(db: Database, sender: Sender, stuck: _Stuck, signed_for: str) -> None:
    """As if it were the first attempt: that may have reached nobody."""
    if signed_for != stuck.newest.lineage_id:
        await treasury.broadcast(db, sender, signed_for)
    elif stuck.order is not None:
        await sends.broadcast(db, sender, stuck.order.id)
    elif stuck.payouts:
        await payout_sends.broadcast(db, sender, signed_for)
    else:
        await treasury.broadcast(db, sender, signed_for)


async def _lock(tx: Transaction, sender: Sender, lineage_id: str) -> _Stuck | None:
    """Orders first, then payouts, sends and coins, as everybody locks them; None when it waits no more."""
    order_id = await tx.fetchval("SELECT order_id FROM sends WHERE lineage_id = $1 LIMIT 1", lineage_id)
    order = None if order_id is None else await order_rows.lock(tx, order_id)
    paid = await payout_rows.lock_of_lineage(tx, lineage_id)
    made = await lineages.sends_of(tx, lineage_id)
    attempts = await lineages.attempts(tx, lineage_id)
    if any(each.height is not None for each in attempts) or not {send.state for send in made} <= _WAITING:
        return None
    network = sender.rail.network
    coins = await coin_rows.reserved(tx, network, lineage_id)
    change = await coin_rows.change_of(tx, network, attempts[0].txid)
    return _Stuck(attempts[0], made, order, paid, coins, change)


async def _bump(tx: Transaction, sender: Sender, stuck: _Stuck, estimate: int) -> str | None:
    newest, rules = stuck.newest, sender.rules
    above = await lineages.ancestors(tx, newest.network, newest.lineage_id)
    rate = bumped_rate(newest.fee_units + above.fee, newest.vsize + above.vsize, estimate)
    if rate > rules.most_rate:
        await raise_alert(tx, WAITS, newest.lineage_id, f"{rate} units per byte are above the limit")
        return None
    wanted = Bump(rate, newest.fee_units, newest.vsize, above.fee, above.vsize)
    try:
        if not any(change.lineage_id for change in stuck.change):
            await _replace(tx, sender, stuck, wanted)
            signed_for = newest.lineage_id
        else:
            # A later transaction of ours stands upon this one: a replacement would undo it.
            free = [change for change in stuck.change if change.lineage_id is None]
            if not free or any(change.spent_for == "child" for change in stuck.change):
                return None  # what stands upon it pays more for both once it waits too long itself
            signed_for = await _push(tx, sender, stuck, free, wanted)
    except (CoinsShort, FeeTooHigh) as refused:
        await raise_alert(tx, WAITS, newest.lineage_id, str(refused))
        return None
    await resolve_alert(tx, WAITS, newest.lineage_id)
    return signed_for


async def _replace(tx: Transaction, sender: Sender, stuck: _Stuck, wanted: Bump) -> None:
    """The same recipients, the same coins and more where they do not suffice, a higher fee (BIP-125)."""
    old = stuck.newest
    signed, added = await _sign(tx, sender, stuck, wanted)
    attempt = ChainTransactionRow(
        txid=signed.txid,
        network=old.network,
        lineage_id=old.lineage_id,
        raw=signed.raw,
        fee_units=signed.fee,
        vsize=signed.vsize,
        attempt=old.attempt + 1,
        created_at=datetime.now(UTC),
    )
    outpoints = [(coin.txid, coin.vout) for coin in added]
    await coin_rows.forget_change(tx, old.network, [old.txid])
    await lineages.store_attempt(tx, attempt, outpoints, fees.shares(stuck.sends, signed.fee))
    await coin_rows.await_block(tx, old.network, signed.txid, signed.change_outputs)
    more = signed.fee - old.fee_units
    cause = f"{old.lineage_id}:{attempt.attempt}"
    if stuck.order is None:
        await fees.raise_to(tx, attempt, more)
        fact = PayoutFact(PayoutTrigger.REPLACED, cause, tx_hash=signed.txid)
        await payouts.move_all(
            tx, [one for one in stuck.payouts if PAYOUT.allows(one.payout_state, fact.trigger)], fact
        )
    else:
        moved = Moved(cause, fee=more)
        await orders.move(tx, stuck.order, Fact(OrderTrigger.SEND_REPLACED, cause, moved=moved, tx_hash=signed.txid))
    log.info("send.replaced", lineage_id=old.lineage_id, attempt=attempt.attempt, fee=signed.fee)


async def _sign(
    tx: Transaction, sender: Sender, stuck: _Stuck, wanted: Bump
) -> tuple[SignedTransaction, list[CoinInput]]:
    """Sign the replacement, adding confirmed coins one by one until they suffice; which were added.

    Raises CoinsShort and FeeTooHigh.
    """
    rail, added = sender.rail, list[CoinInput]()
    recipients = await _recipients(tx, stuck)
    # The rest comes back to where it did before.
    places = [rail.new_address(each.coin.branch, each.coin.index) for each in stuck.change] or [sender.change_address()]
    change, *spread = places
    scripts = [*(recipient.script for recipient in recipients), *(address.script for address in places)]
    while True:
        coins = [*stuck.coins, *added]
        least = least_replacement_fee(wanted, rail.estimate_vsize(len(coins), scripts))
        try:
            signed = await rail.prepare(coins, recipients, change, fee_rate=wanted.rate, least_fee=least, spread=spread)
        except CoinsShort:
            another = await _another(tx, sender, wanted) if len(added) < _MOST_ADDED else None
            if another is None:
                raise
            added.append(another)
        else:
            return signed, added


async def _another(tx: Transaction, sender: Sender, wanted: Bump) -> CoinInput | None:
    """A confirmed coin that pays for its own input and for the bump, or else the largest there is."""
    network = sender.rail.network
    needed = wanted.rate * (wanted.vsize + wanted.ancestors_vsize)
    single = await coin_rows.smallest_sufficient(tx, network, needed)
    return single or next(iter(await coin_rows.largest(tx, network, 1)), None)


async def _recipients(tx: Transaction, stuck: _Stuck) -> list[Recipient]:
    """Whom the lineage pays, each with the intent that was sealed when it was agreed to."""
    intents = {outgoing.subject: outgoing.intent for outgoing in _outgoing(stuck)}
    return [
        Recipient(send.script, send.units, intents.get(send.order_id or send.payout_id or ""))
        for send in stuck.sends
        if send.units
    ]


def _outgoing(stuck: _Stuck) -> list[Outgoing]:
    if stuck.order is not None:
        return [preparing.outgoing_of(stuck.order)]
    return [payout_sends.outgoing_of(payout) for payout in stuck.payouts]


async def _push(tx: Transaction, sender: Sender, stuck: _Stuck, free: Sequence[Change], wanted: Bump) -> str:
    """Spend change of the waiting transaction to ourselves, for a fee that pays for both (child pays for parent)."""
    largest = max(free, key=lambda change: change.coin.amount)
    back = sender.change_address()
    least = least_child_fee(wanted, sender.rail.estimate_vsize(1, [back.script]))
    signed = await sender.rail.prepare([largest.coin], [], back, fee_rate=wanted.rate, least_fee=least)
    return await treasury.store_move(tx, sender, signed, [largest.coin], purpose="child", back=back)


async def decide_anew(tx: Transaction, network: str) -> None:
    """After blocks were taken in: where another attempt is mined than the one that was booked, say and book that one.

    Only a reorganisation deeper than what a send waited for can do this.
    """
    for lineage_id, txid in await lineages.decided_anew(tx, network):
        order_id = await tx.fetchval("SELECT order_id FROM sends WHERE lineage_id = $1 LIMIT 1", lineage_id)
        mined = await wallet.transaction(tx, txid)
        assert mined is not None  # noqa: S101 - it was just found
        if order_id is None:
            paid = await payout_rows.lock_of_lineage(tx, lineage_id)
            await fees.adjust(tx, mined)
            for payout in paid:
                if PAYOUT.allows(payout.payout_state, PayoutTrigger.REPLACED):
                    cause = f"{txid}:{payout.sequence}"
                    await payouts.move(tx, payout, PayoutFact(PayoutTrigger.REPLACED, cause, tx_hash=txid))
        else:
            await _tell_order_anew(tx, order_id, mined)
        await lineages.decide(tx, network, lineage_id, txid)


async def _tell_order_anew(tx: Transaction, order_id: str, mined: ChainTransactionRow) -> None:
    order = await order_rows.lock(tx, order_id)
    if order is None or not MACHINES[Direction.BUY].allows(order.order_state, OrderTrigger.SEND_REPLACED):
        return
    made = await lineages.sends_of(tx, mined.lineage_id)
    cause = f"{mined.txid}:{order.sequence}"
    moved = Moved(cause, fee=mined.fee_units - sum(send.fee_units for send in made))
    await orders.move(tx, order, Fact(OrderTrigger.SEND_REPLACED, cause, moved=moved, tx_hash=mined.txid))
    await lineages.share_fee(tx, fees.shares(made, mined.fee_units))
