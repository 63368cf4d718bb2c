"""Asking for a payout: check it, take its money from the balance, and queue it or let it wait for approval."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from app.db import external_accounts as account_rows
from app.db import ledger, payout_placing
from app.db.columns import new_id
from app.db.database import Database
from app.db.external_accounts import ExternalAccount
from app.db.partners import Caller
from app.db.payouts import Payout
from app.domain.errors import (
    ConflictState,
    DomainError,
    ExternalAccountUnverified,
    InsufficientBalance,
    NotFound,
)
from app.domain.money import Money
from app.domain.payout import (
    PayoutKind,
    PayoutMethod,
    PayoutState,
    PayoutTrigger,
    event_of,
)
from app.schemas.base import MoneyOut
from app.schemas.payouts import (
    PayoutCheckOut,
    PayoutIn,
)
from app.services import approvals, external_accounts, intents, payout_rules, payouts
from app.services.idempotent import Answer, IdempotentRequest, refuse
from app.services.payout_view import payout_out
from app.services.policy import Policy
from app.services.rails import Rails

T = PayoutTrigger


@dataclass(frozen=True, slots=True)
class Checked:
    """A payout that could be made: its amount, its account, and its way."""

    amount: Money
    account: ExternalAccount
    method: PayoutMethod
    provider: str


async def check(db: Database, rails: Rails, partner_id: str, body: PayoutIn) -> Checked:
    """Everything that does not depend on the balance; raises ValidationFailed, NotFound, ExternalAccountUnverified."""
    amount = payout_rules.read_amount(body.amount, pointer="/amount")
    async with db.connection() as connection:
        found = await account_rows.get(connection, partner_id, body.external_account_id)
    account = external_accounts.payable(found, amount.asset, pointer="/external_account_id")
    method, provider = payout_rules.way_out(rails, amount.asset, account.scheme, body.method)
    payout_rules.check_size(amount, method)
    payout_rules.check_reference(body.reference, method)
    return Checked(amount, account, method, provider)


async def create(
    db: Database,
    rails: Rails,
    policy: Policy,
    caller: Caller,
    body: PayoutIn,
    request: IdempotentRequest,
    request_id: str,
) -> Answer:
    """Take the money from the balance and queue the payout, or let it wait for another key's approval.

    Raises what `check` raises, InsufficientBalance, ConflictState for a known external_id, and the refusals of a
    repeated key.
    """
    try:
        checked = await check(db, rails, caller.partner_id, body)
    except (NotFound, ExternalAccountUnverified) as refused:
        # An account can be closed between a payout and the repetition of its request.
        return await refuse(db, request, refused)
    payout = _payout(rails, policy, caller, body, checked, request_id)
    trigger = T.APPROVAL_REQUIRED if payout.approval_hash is not None else T.CREATED
    answer = payout_out(payout).model_dump_json().encode()
    try:
        async with db.connection() as connection:
            written = await payout_placing.insert_placed(
                connection,
                payout,
                trigger=trigger.value,
                event_type=event_of(trigger) or "",
                key=request.key,
                request_hash=request.fingerprint,
                response=answer,
                with_job=payouts.waits_for_job(payout),
            )
    except asyncpg.UniqueViolationError:
        taken = ConflictState("There is a payout with this external_id.", pointer="/external_id")
        return await refuse(db, request, taken)
    if written:
        return Answer(201, answer)
    return await refuse(db, request, await _why_not(db, checked, payout))


def _payout(rails: Rails, policy: Policy, caller: Caller, body: PayoutIn, checked: Checked, request_id: str) -> Payout:
    account, amount = checked.account, checked.amount
    payout = Payout(
        id=new_id("po"),
        partner_id=caller.partner_id,
        kind=PayoutKind.PAYOUT.value,
        external_account_id=account.id,
        external_id=body.external_id,
        asset=amount.asset.id,
        units=amount.units,
        method=checked.method.value,
        provider=checked.provider,
        reference=body.reference,
        address=account.address,
        script=account.script,
        state=PayoutState.QUEUED.value,
        sequence=1,
        payout_metadata=dict(body.metadata),
        created_by=caller.key_id,
        request_id=request_id,
        livemode=rails.livemode,
        created_at=caller.now,
        updated_at=caller.now,
    )
    if policy.needs_approval(amount):
        payout.state = PayoutState.PENDING_APPROVAL.value
        payout.approval_hash = approvals.hash_of(payout, account.fingerprint)
    intents.seal_payout(rails.intents, payout)
    return payout


async def _why_not(db: Database, checked: Checked, payout: Payout) -> DomainError:
    """Why nothing was written, when it was not the key: the account has changed, or the balance does not suffice."""
    async with db.transaction() as tx:
        account = await account_rows.get(tx, payout.partner_id, checked.account.id)
        available = await ledger.lock_available(tx, payout.partner_id, payout.asset)
    if account is None or account.status != "verified":
        return ExternalAccountUnverified(pointer="/external_account_id")
    return InsufficientBalance(f"Available: {Money(available, checked.amount.asset)}.", pointer="/amount/amount")


async def validate(db: Database, rails: Rails, policy: Policy, partner_id: str, body: PayoutIn) -> PayoutCheckOut:
    """Say what would become of a payout; nothing is written. Raises only for an amount that cannot be read."""
    amount = payout_rules.read_amount(body.amount, pointer="/amount")
    errors: list[dict[str, str]] = []
    method = None
    try:
        method = (await check(db, rails, partner_id, body)).method.value
    except DomainError as refused:
        errors.append({"pointer": refused.pointer or "", "code": refused.code})
    async with db.transaction() as tx:
        available = await ledger.lock_available(tx, partner_id, amount.asset.id)
    if available < amount.units:
        errors.append({"pointer": "/amount/amount", "code": InsufficientBalance.code})
    return PayoutCheckOut(
        valid=not errors,
        errors=errors,
        approval_required=policy.needs_approval(amount),
        method=method,
        available=MoneyOut.of(Money(available, amount.asset)),
    )
