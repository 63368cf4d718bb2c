"""Deposits of sell orders: what their being seen, counting, and going away again means for the order."""

from __future__ import annotations

from app.db import deposits as deposit_rows
from app.db import orders as order_rows
from app.db.alerts import raise_alert
from app.db.database import Transaction
from app.db.deposits import Deposit
from app.db.orders import Order
from app.domain import chart
from app.domain.deposit_shares import WAITING, Share, covered_by_order, shares_of
from app.domain.order import MACHINES, Direction, OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.services import order_payouts, orders
from app.services.deposit_rules import DepositRules
from app.services.orders import Fact

S = OrderState
T = OrderTrigger
_SELL = MACHINES[Direction.SELL]
REORGED = "reorged"
_COMPLETES = frozenset({T.DEPOSIT_CONFIRMED, T.DEPOSIT_OVERPAID})


async def _order_of(tx: Transaction, deposit: Deposit) -> Order:
    order = await order_rows.lock(tx, deposit.order_id or "")
    assert order is not None  # noqa: S101 - a foreign key
    return order


async def seen(tx: Transaction, deposit: Deposit) -> None:
    """Coins are on their way. The price holds until the window closes, and no longer because the sweep was late."""
    order = await _order_of(tx, deposit)
    if order.order_state is S.AWAITING_DEPOSIT and await order_rows.is_due_to_expire(tx, order.id):
        await orders.expire(tx, order.id)
        order = await _order_of(tx, deposit)
    if _SELL.allows(order.order_state, T.DEPOSIT_DETECTED):
        await orders.move(tx, order, Fact(T.DEPOSIT_DETECTED, _cause(deposit)))


async def vanished(tx: Transaction, deposit: Deposit) -> None:
    """Coins that had not counted are gone. Nothing moves while others are still on their way."""
    order = await _order_of(tx, deposit)
    waits_for_others = order.order_state is S.DEPOSIT_DETECTED and await deposit_rows.is_pending(tx, order.id)
    if _SELL.allows(order.order_state, T.DEPOSIT_VANISHED) and not waits_for_others:
        await orders.move(tx, order, Fact(T.DEPOSIT_VANISHED, _cause(deposit)))


def _cause(deposit: Deposit) -> str:
    return f"{deposit.id}:{deposit.sequence}"


async def count(tx: Transaction, rules: DepositRules, deposit: Deposit) -> None:
    """Coins are deep enough: book them, and let the order take what it needs of them."""
    order = await _order_of(tx, deposit)
    shares = shares_of(
        order.order_state,
        deposit.units,
        held=await orders.money_held(tx, order),
        wanted=order.source_units,
        lost=await deposit_rows.lost_of_order(tx, order.id),
    )
    if order.order_state in WAITING and shares[0].trigger in _COMPLETES:
        order = await _hold_if_late(tx, rules, deposit, order)
    deposit.credits += 1
    deposit.kept_units = sum(share.kept for share in shares)
    for place, share in enumerate(shares):
        reference = f"{deposit.id}:{deposit.credits}" + (f":{place}" if place else "")
        await orders.move(
            tx, order, Fact(share.trigger, reference, moved=await _moved(tx, rules, order, share, reference))
        )
    repaid = sum(share.restored for share in shares)
    if repaid:
        await deposit_rows.make_good(tx, order.id, repaid)
        deposit.lost_units = await deposit_rows.lost_of(tx, deposit.id)
    await _go_on(tx, deposit, order)


async def _hold_if_late(tx: Transaction, rules: DepositRules, deposit: Deposit, order: Order) -> Order:
    """Stop the order before it is confirmed, so that nothing is ever paid out at a price that has ended."""
    if not await order_rows.is_overdue(tx, order.id, rules.policy.deposit_grace):
        return order
    await orders.hold(tx, order.id, orders.LATE_FUNDS, cause=_cause(deposit))
    return await _order_of(tx, deposit)


async def _moved(tx: Transaction, rules: DepositRules, order: Order, share: Share, reference: str) -> Moved:
    surplus_to = ""
    if share.makes_good:
        surplus_to = chart.LOSS_REORG
    elif share.surplus:
        surplus_to = await order_payouts.surplus_account(tx, rules.intents, order, share.surplus)
    return Moved(reference, amount=share.amount, from_order=share.kept, surplus=share.surplus, surplus_to=surplus_to)


async def _go_on(tx: Transaction, deposit: Deposit, order: Order) -> None:
    """What the counted coins end: the hold of a reorganisation, or our looking out for them."""
    if order.order_state is S.DEPOSIT_CONFIRMED and order.hold is not None and order.hold["reason"] == REORGED:
        fact = Fact(T.RELEASED, f"{deposit.id}:{deposit.credits}:counts", reason="the coins count again")
        await orders.move(tx, order, fact)
    # The deposit itself still stands as pending here: it is the caller who says that it is booked.
    others = await deposit_rows.is_pending(tx, order.id, but=deposit.id)
    if order.order_state is S.AWAITING_DEPOSIT and others:
        await orders.move(tx, order, Fact(T.DEPOSIT_DETECTED, f"{deposit.id}:{deposit.credits}:others"))


async def undo(tx: Transaction, deposit: Deposit) -> None:
    """Coins that counted were reorganised away: take back what the order still holds of them, the rest is lost."""
    order = await _order_of(tx, deposit)
    reference = f"{deposit.id}:{deposit.credits}:gone"
    held = await orders.money_held(tx, order)
    covered = covered_by_order(order.order_state, deposit.kept_units, held)
    deposit.lost_units += deposit.units - covered
    trigger = T.DEPOSIT_REORGED
    if order.order_state is S.DEPOSIT_CONFIRMED:
        if deposit.kept_units:
            await order_payouts.drop_sale(tx, order)
        else:
            trigger = T.SURPLUS_REORGED
    moved = Moved(reference, amount=deposit.units, from_order=covered)
    await orders.move(tx, order, Fact(trigger, reference, moved=moved))
    if order.order_state in WAITING:
        await orders.hold(tx, order.id, REORGED, cause=reference)


async def alert_loss(tx: Transaction, deposit: Deposit) -> None:
    """A person should know of coins that had counted and are gone."""
    detail = f"{deposit.units} units were reorganised away after they had counted; {deposit.lost_units} are lost"
    await raise_alert(tx, "deposit_reorged", deposit.id, detail)
