"""Payouts through a bank's API: fix the request, ask with our id as its key, believe what the bank says when asked."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.db import external_accounts as account_rows
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.columns import Document
from app.db.database import Database, Transaction
from app.db.orders import lock as lock_order
from app.db.payouts import Payout
from app.domain.assets import asset_by_id
from app.domain.errors import ConflictState, NotFound
from app.domain.money import Money
from app.domain.order import OrderState
from app.domain.payout import PAYOUT, PayoutKind, PayoutState, PayoutTrigger
from app.ports.errors import ProviderRejected
from app.ports.outcome import Decline
from app.ports.payout import BankDetails, PayoutReceipt, PayoutRequest, PayoutStatus
from app.schemas.base import format_moment
from app.services import external_accounts, leaving, payouts, screening
from app.services.payouts import PayoutFact
from app.services.rails import Rails
from app.services.receipts import failure_document
from app.services.sealing import Sealer

log = structlog.get_logger(__name__)
S = PayoutState
T = PayoutTrigger


@dataclass(frozen=True, slots=True)
class _Asking:
    """A request that is fixed in the database, and whether it may have left before."""

    request: PayoutRequest
    provider: str
    asked_before: bool


async def pay(db: Database, rails: Rails, sealer: Sealer, payout_id: str) -> None:
    """The job of a queued bank payout. Safe to repeat: the bank knows our id.

    Raises ProviderUnavailable or OutcomeUnknown when it has to be tried again.
    """
    async with db.transaction() as tx:
        asking = await _fix(tx, sealer, payout_id)
    if asking is None:
        return
    rail, request, receipt = rails.banks[asking.provider], asking.request, None
    if asking.asked_before:  # looked for first: the bank may have forgotten the key, but not the payout
        receipt = await rail.find(payout_id, request.method)
    try:
        receipt = receipt or await rail.send(request)
    except ProviderRejected as refused:
        await _refused(db, payout_id, refused)
        return
    async with db.transaction() as tx:
        await observe(tx, payout_id, receipt)


async def _fix(tx: Transaction, sealer: Sealer, payout_id: str) -> _Asking | None:
    """Bring the payout to `sending` unless something stops it; what to ask for, None when there is nothing."""
    payout = await payouts.lock(tx, payout_id)
    if payout is None or payout.hold is not None or payout.payout_state not in {S.QUEUED, S.SENDING}:
        return None
    account = await account_rows.get(tx, payout.partner_id, payout.external_account_id or "")
    if account is None:
        return None
    asked_before = payout.payout_state is S.SENDING
    if not asked_before:
        if not await _may_leave(tx, payout):
            return None
        await payouts.move(tx, payout, PayoutFact(T.PREPARED, payout.id))
    request = request_of(payout, external_accounts.bank_details(sealer, account))
    return _Asking(request, payout.provider, asked_before)


async def _may_leave(tx: Transaction, payout: Payout) -> bool:
    if not await leaving.may_leave(tx, [payout]):
        return False
    return payout.payout_kind is not PayoutKind.SALE or await sale_may_leave(tx, payout)


async def sale_may_leave(tx: Transaction, payout: Payout) -> bool:
    """Whether the order of a sale still stands where its fiat is paid out; the order is locked."""
    order = await lock_order(tx, payout.order_id or "")
    return order is not None and order.hold is None and order.order_state is OrderState.DEPOSIT_CONFIRMED


def request_of(payout: Payout, details: BankDetails) -> PayoutRequest:
    """What the bank is asked for."""
    amount = Money(payout.units, asset_by_id(payout.asset))
    return PayoutRequest(payout.id, payout.payout_method, amount, details, payout.reference or payout.id[3:])


async def _refused(db: Database, payout_id: str, refused: ProviderRejected) -> None:
    """The bank refuses the request itself: our mistake or our configuration, so that a person has to look."""
    log.warning("payout.refused", payout_id=payout_id, error=str(refused))
    async with db.transaction() as tx:
        payout = await payouts.lock(tx, payout_id)
        if payout is None or payout.payout_state is not S.SENDING or payout.hold is not None:
            return
        await payouts.hold(tx, payout, "provider_rejected", cause=f"{payout_id}:{payout.sequence}")
        await raise_alert(tx, "payout_refused", payout_id, str(refused))


async def look_up(db: Database, rails: Rails, payout: Payout) -> None:
    """Ask the bank how a payout stands, by its id or by ours."""
    rail = rails.banks.get(payout.provider)
    if rail is None:
        return
    if payout.provider_reference is not None:
        receipt: PayoutReceipt | None = await rail.fetch(payout.provider_reference)
    else:
        receipt = await rail.find(payout.id, payout.payout_method)
    if receipt is None:
        return  # it never arrived there: its job asks again
    async with db.transaction() as tx:
        await observe(tx, payout.id, receipt)


_TRIGGERS = {
    PayoutStatus.PENDING: T.SUBMITTED,
    PayoutStatus.SUBMITTED: T.SUBMITTED,
    PayoutStatus.SETTLED: T.SETTLED,
    PayoutStatus.FAILED: T.FAILED,
    PayoutStatus.CANCELED: T.FAILED,
    PayoutStatus.RETURNED: T.RETURNED,
}


async def observe(tx: Transaction, payout_id: str, receipt: PayoutReceipt) -> None:
    """Record how a payout stands at the bank, and let it, its order and its batch follow."""
    payout = await payouts.lock(tx, payout_id)
    if payout is None:
        return
    if receipt.amount != Money(payout.units, asset_by_id(payout.asset)):
        await raise_alert(tx, "provider_contract_violation", payout_id, "the bank names another amount")
        return
    if receipt.corrections:
        await _corrected(tx, payout, receipt)
    trigger = _TRIGGERS.get(receipt.status)
    if trigger is None:
        await raise_alert(tx, "unknown_provider_status", payout_id, receipt.provider_status)
        return
    if trigger is T.FAILED and payout.payout_state is S.SETTLED:
        trigger = T.RETURNED  # it was told to be done, and is not: the money is back
    if not PAYOUT.allows(payout.payout_state, trigger):
        if trigger in {T.SUBMITTED, T.SETTLED} and payout.payout_state in {S.FAILED, S.CANCELED}:
            detail = f"{receipt.provider_status} at the bank, {payout.state} here"
            await raise_alert(tx, "payout_out_of_step", payout_id, detail)
        return  # what was told before, told again
    await payouts.move(
        tx,
        payout,
        PayoutFact(
            trigger,
            receipt.reference or payout_id,
            failure=_failure(receipt, trigger),
            returned=_returned(receipt) if trigger is T.RETURNED else None,
            provider_reference=receipt.reference,
            provider_status=receipt.provider_status,
        ),
    )


def _failure(receipt: PayoutReceipt, trigger: PayoutTrigger) -> Document | None:
    if receipt.decline is not None:
        return failure_document(receipt.decline)
    if trigger is T.FAILED:
        return failure_document(Decline("bank_rejected", receipt.provider_status, "The bank did not pay."))
    return None


def _returned(receipt: PayoutReceipt) -> Document:
    back = receipt.returned
    if back is None:
        return {
            "code": "returned",
            "scheme_code": receipt.provider_status,
            "message": "The bank says that the payout came back.",
            "at": None,
        }
    return {
        "code": back.code,
        "scheme_code": back.scheme_code,
        "message": back.message,
        "at": format_moment(back.at),
    }


async def _corrected(tx: Transaction, payout: Payout, receipt: PayoutReceipt) -> None:
    """The receiving bank wants other details next time: said on the account, and to a person."""
    if payout.external_account_id is not None and await account_rows.add_corrections(
        tx, payout.external_account_id, receipt.corrections
    ):
        await raise_alert(tx, "account_correction", payout.external_account_id, ", ".join(receipt.corrections))


async def give_up(db: Database, rails: Rails, payout_id: str, *, actor: str, reason: str) -> Payout:
    """A person ends a held payout that has not left; its money is free again, or its order's.

    The bank is asked first whenever it may have the request. Raises NotFound, and ConflictState when nothing holds the
    payout, or when it has left, or may have and nobody can say.
    """
    async with db.connection() as connection:
        seen = await payout_rows.peek(connection, payout_id)
    if seen is None:
        raise NotFound
    if seen.hold is None:
        raise ConflictState("Nothing is holding this payout.")
    if seen.payout_state is not S.QUEUED:
        await _see_that_it_is_not_there(rails, seen)
    async with db.transaction() as tx:
        payout = await payouts.lock(tx, payout_id)
        if payout is None or payout.sequence != seen.sequence:
            raise ConflictState("The payout has moved meanwhile.")
        await screening.not_stopped(tx, payout_id)
        failure = failure_document(Decline("provider_rejected", None, "The payout was given up before it left."))
        fact = PayoutFact(T.FAILED, f"{payout_id}:{payout.sequence}", failure=failure, actor=actor, reason=reason)
        await payouts.move(tx, payout, fact)
    return payout


async def _see_that_it_is_not_there(rails: Rails, payout: Payout) -> None:
    rail = rails.banks.get(payout.provider)
    if payout.payout_state is not S.SENDING or rail is None:
        raise ConflictState(f"The payout is {payout.state}: only {payout.provider} can say what becomes of it.")
    if await rail.find(payout.id, payout.payout_method) is not None:
        raise ConflictState("The bank has this payout: release it, and it follows what the bank says.")
