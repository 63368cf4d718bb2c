"""Booking deposits: what becomes of coins that are deep enough, and of coins that a reorganisation has taken back."""

from __future__ import annotations

from app.db import deposit_addresses as address_rows
from app.db import deposits as deposit_rows
from app.db import holds, ledger
from app.db.database import Transaction
from app.db.deposit_addresses import DepositAddress
from app.db.deposits import Deposit
from app.domain import chart
from app.domain.assets import asset_by_id
from app.domain.bookkeeping_out import deposit_credited, deposit_released, deposit_restored, deposit_undone
from app.domain.deposit import DepositState, DepositTrigger
from app.domain.errors import ConflictState, DomainError, InsufficientLiquidity, NotFound, RouteUnavailable
from app.domain.money import Money
from app.services import deposit_moves, deposit_orders, standing_sales
from app.services.deposit_rules import DepositRules

T = DepositTrigger


async def credit(tx: Transaction, rules: DepositRules, deposit: Deposit) -> None:
    """Book a confirmed deposit by its address's route, in the transaction that moves it; the coin is ours then.

    Without a price for one that is to be sold nothing happens: it stays confirmed and is tried again.
    """
    address = await address_rows.of_id(tx, deposit.deposit_address_id)
    assert address is not None  # noqa: S101 - a foreign key
    if deposit.suspect is not None:
        await _hold(tx, deposit, deposit.suspect)
        if deposit.order_id is not None:
            await deposit_orders.vanished(tx, deposit)  # its order can only count on other coins
    elif deposit.order_id is None and deposit.lost_units:
        await _credit_balance(tx, deposit)  # it was the balance's before it was lost: that is made good first
    elif deposit.order_id is None and _arrived_after_its_end(deposit, address):
        await _hold(tx, deposit, "address_deactivated")
    elif deposit.order_id is None and address.route == "sell":
        await _sell(tx, rules, deposit, address)
    elif deposit.order_id is None:
        await _credit_balance(tx, deposit)
    else:
        await deposit_orders.count(tx, rules, deposit)
        await deposit_moves.move(tx, deposit, T.CREDITED)
    if deposit.deposit_state is not DepositState.CONFIRMED:
        await deposit_rows.settle_coin(tx, deposit, settled=True)


def _arrived_after_its_end(deposit: Deposit, address: DepositAddress) -> bool:
    return address.status == "deactivated" and deposit.created_at > address.updated_at


async def _sell(tx: Transaction, rules: DepositRules, deposit: Deposit, address: DepositAddress) -> None:
    try:
        order_id = await standing_sales.place(tx, rules, deposit, address)
    except (RouteUnavailable, InsufficientLiquidity):
        return
    except DomainError as refused:
        await _hold(tx, deposit, refused.code)
        return
    deposit.order_id = order_id
    await deposit_rows.store(tx, deposit)
    await deposit_orders.count(tx, rules, deposit)
    await deposit_moves.move(tx, deposit, T.CREDITED, got_order=True)


def _amount(deposit: Deposit) -> Money:
    return Money(deposit.units, asset_by_id(deposit.asset))


def _reference(deposit: Deposit, kind: str) -> str:
    """The same coins can be credited, lost and credited again: each time is a fact of its own."""
    return f"{deposit.id}:{kind}:{deposit.credits}"


async def _credit_balance(tx: Transaction, deposit: Deposit) -> None:
    deposit.credits += 1
    account, amount = chart.partner_available(deposit.partner_id), _amount(deposit)
    lost = min(deposit.lost_units, deposit.units)
    if lost:
        reference = _reference(deposit, "restore")
        entry = deposit_restored(reference, deposit.network, amount, account=account, lost=lost)
    else:
        entry = deposit_credited(_reference(deposit, "credit"), deposit.network, amount, credit=account)
    await ledger.post(tx, entry, subject=deposit.id)
    deposit.kept_units, deposit.lost_units = deposit.units - lost, deposit.lost_units - lost
    await deposit_moves.move(tx, deposit, T.CREDITED)


async def _hold(tx: Transaction, deposit: Deposit, reason: str) -> None:
    """Book coins that nobody may have before a person has looked."""
    deposit.credits += 1
    reference = _reference(deposit, "hold")
    entry = deposit_credited(reference, deposit.network, _amount(deposit), credit=chart.SUSPENSE)
    await ledger.post(tx, entry, subject=deposit.id)
    deposit.kept_units = deposit.units
    hold = await holds.document(tx, reason)
    await deposit_moves.move(tx, deposit, T.HELD, hold=hold, reason=reason)


async def release(tx: Transaction, deposit_id: str, *, actor: str, reason: str) -> Deposit:
    """Give a held deposit to the partner's balance. Raises NotFound, or ConflictState when nothing holds it."""
    deposit = await deposit_rows.lock(tx, deposit_id)
    if deposit is None:
        raise NotFound
    if deposit.deposit_state is not DepositState.HELD:
        raise ConflictState("Nothing is holding this deposit.")
    entry = deposit_released(_reference(deposit, "release"), deposit.partner_id, _amount(deposit))
    await ledger.post(tx, entry, subject=deposit.id)
    await deposit_moves.move(tx, deposit, T.RELEASED, actor=actor, reason=reason)
    return deposit


async def undo(tx: Transaction, deposit: Deposit) -> None:
    """Take back what a deposit booked: its block is gone. The coin is not ours to spend until it counts again."""
    if deposit.order_id is not None and deposit.suspect is None:
        await deposit_orders.undo(tx, deposit)
    else:
        await _undo_standing(tx, deposit)
    deposit.kept_units = 0
    await deposit_rows.settle_coin(tx, deposit, settled=False)


async def _undo_standing(tx: Transaction, deposit: Deposit) -> None:
    if deposit.deposit_state is DepositState.HELD:
        account, covered = chart.SUSPENSE, deposit.units
    else:
        account = chart.partner_available(deposit.partner_id)
        available = await ledger.lock_available(tx, deposit.partner_id, deposit.asset)
        covered = min(deposit.kept_units, available)
    deposit.lost_units += deposit.units - covered
    reference = _reference(deposit, "reverse")
    entry = deposit_undone(reference, deposit.network, _amount(deposit), account=account, covered=covered)
    await ledger.post(tx, entry, subject=deposit.id)
