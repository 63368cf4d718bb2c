"""What partners ask of a payout that is there: approve it, reject it, call it off."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from app.db import approvals as approval_rows
from app.db import external_accounts as account_rows
from app.db import moves
from app.db.database import Database, Transaction
from app.db.partners import Caller
from app.db.payouts import Payout
from app.domain.errors import ConflictState, NotFound, PreconditionFailed
from app.domain.payout import PAYOUT, PayoutKind, PayoutState, PayoutTrigger
from app.schemas.payouts import ApprovalIn, RejectionIn
from app.services import approvals, idempotent, payouts, screening
from app.services.idempotent import Answer, IdempotentRequest
from app.services.payout_view import payout_out
from app.services.payouts import PayoutFact

T = PayoutTrigger


async def approve(
    db: Database,
    caller: Caller,
    payout_id: str,
    body: ApprovalIn,
    request: IdempotentRequest,
    *,
    expected: AbstractSet[int] | None,
) -> Answer:
    """Let a payout go that waits for it. Raises SelfApprovalForbidden for the key that asked for it."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        payout = await _own(tx, caller, payout_id, expected)
        digest = await _digest(tx, payout)
        if payout.payout_state is not PayoutState.PENDING_APPROVAL:
            earlier = await approval_rows.find(tx, payout_id, caller.key_id)
            if payout.payout_state is PayoutState.CANCELED or earlier is None or earlier.verdict != "approved":
                PAYOUT.target(payout.payout_state, T.APPROVED)
            return await _shown(tx, payout)
        await approvals.judge(
            tx,
            payout_id,
            maker=payout.created_by,
            key_id=caller.key_id,
            verdict="approved",
            digest=digest,
            shown=body.hash,
        )
        await payouts.move(tx, payout, PayoutFact(T.APPROVED, caller.key_id, actor=caller.key_id))
        return await _shown(tx, payout)

    return await idempotent.run(db, request, act)


async def _digest(tx: Transaction, payout: Payout) -> bytes:
    account_id = payout.external_account_id or ""
    lead_to = await account_rows.fingerprints(tx, [account_id])
    digest = approvals.hash_of(payout, lead_to.get(account_id, b""))
    if payout.approval_hash is not None and digest != payout.approval_hash:
        raise ConflictState("The payout has changed since it was made.")
    return digest


async def reject(
    db: Database,
    caller: Caller,
    payout_id: str,
    body: RejectionIn,
    request: IdempotentRequest,
    *,
    expected: AbstractSet[int] | None,
) -> Answer:
    """End a payout that waits for approval; its money is free again."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        payout = await _own(tx, caller, payout_id, expected)
        PAYOUT.target(payout.payout_state, T.REJECTED)
        await screening.not_stopped(tx, payout_id)
        await approvals.judge(
            tx,
            payout_id,
            maker=payout.created_by,
            key_id=caller.key_id,
            verdict="rejected",
            digest=payout.approval_hash or b"",
            shown=None,
            reason=body.reason,
        )
        fact = PayoutFact(T.REJECTED, caller.key_id, actor=caller.key_id, reason=body.reason)
        await payouts.move(tx, payout, fact)
        return await _shown(tx, payout)

    return await idempotent.run(db, request, act)


async def cancel(
    db: Database, caller: Caller, payout_id: str, request: IdempotentRequest, *, expected: AbstractSet[int] | None
) -> Answer:
    """Call a payout off that nothing has been done about; the second time changes nothing."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        payout = await _own(tx, caller, payout_id, expected)
        if await moves.has(tx, payout_id, T.CANCELED.value, f"{payout_id}:cancel"):
            return await _shown(tx, payout)
        await screening.not_stopped(tx, payout_id)
        await payouts.move(tx, payout, PayoutFact(T.CANCELED, f"{payout_id}:cancel", actor=caller.key_id))
        return await _shown(tx, payout)

    return await idempotent.run(db, request, act)


async def _own(tx: Transaction, caller: Caller, payout_id: str, expected: AbstractSet[int] | None) -> Payout:
    """The partner's own payout, locked; raises NotFound, PreconditionFailed, or ConflictState for one of an order."""
    payout = await payouts.lock(tx, payout_id)
    if payout is None or payout.partner_id != caller.partner_id:
        raise NotFound
    if expected is not None and payout.sequence not in expected:
        raise PreconditionFailed
    if payout.payout_kind is not PayoutKind.PAYOUT:
        raise ConflictState("This payout belongs to an order; ask the order.")
    if payout.batch_id is not None:
        raise ConflictState("This payout belongs to a batch; ask the batch.")
    return payout


async def _shown(tx: Transaction, payout: Payout) -> tuple[int, bytes]:
    approver = (await approval_rows.approved(tx, [payout.id])).get(payout.id)
    shown = payout_out(payout, approved_by=None if approver is None else approver.key_id)
    return 200, shown.model_dump_json().encode()
