"""A payout as the public sees it, in answers and in events alike."""

from __future__ import annotations

from app.db.payouts import Payout
from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.domain.payout import PayoutKind, PayoutState, allowed_actions, status_of
from app.schemas.base import MoneyOut
from app.schemas.payouts import ApprovalOut, PayoutOut, ReturnedOut


def payout_out(payout: Payout, *, approved_by: str | None = None) -> PayoutOut:
    """Build the public payout from its row."""
    state = payout.payout_state
    own = payout.payout_kind is PayoutKind.PAYOUT and payout.batch_id is None
    return PayoutOut.model_construct(
        id=payout.id,
        sequence=payout.sequence,
        kind=payout.kind,
        status=status_of(state),
        amount=MoneyOut.of(Money(payout.units, asset_by_id(payout.asset))),
        method=payout.method,
        provider=payout.provider,
        external_account_id=payout.external_account_id,
        external_id=payout.external_id,
        order_id=payout.order_id,
        batch_id=payout.batch_id,
        reference=payout.reference,
        address=payout.address,
        tx_hash=payout.tx_hash,
        provider_reference=payout.provider_reference,
        approval=_approval(payout, approved_by),
        hold=payout.hold,
        failure=payout.failure,
        returned=None if payout.returned is None else ReturnedOut.model_validate(payout.returned),
        allowed_actions=list(allowed_actions(state)) if own else [],
        metadata=payout.payout_metadata,
        submitted_at=payout.submitted_at,
        settled_at=payout.settled_at,
        created_at=payout.created_at,
        updated_at=payout.updated_at,
        livemode=payout.livemode,
    )


def _approval(payout: Payout, approved_by: str | None) -> ApprovalOut | None:
    if payout.approval_hash is None:
        return None
    return ApprovalOut(
        required=payout.payout_state is PayoutState.PENDING_APPROVAL,
        hash=payout.approval_hash.hex(),
        approved_by=approved_by,
    )
