"""Releasing held payouts: each goes on where it stood, and one of which nothing can ever be mined ends."""

from __future__ import annotations

from app.db import payouts as payout_rows
from app.db.database import Transaction
from app.db.payouts import Payout
from app.domain.intent import IntentKeys
from app.domain.payout import PayoutKind, PayoutTrigger
from app.services import order_payouts, payouts
from app.services.abandoning import NOT_SENT
from app.services.payouts import PayoutFact


async def release(tx: Transaction, keys: IntentKeys, payout_id: str, *, actor: str, reason: str) -> Payout:
    """Take a hold off; the payout as it is then, or the one in its place. Raises NotFound, ConflictState when not held.

    When the transactions that were to pay it can never be mined the person's word is that nobody else's has paid it
    either: a partner's payout fails, and its money is free again; a customer's coins leave by another payout.
    """
    payout = await payouts.release(tx, payout_id, actor=actor, reason=reason)
    if not await payout_rows.is_given_up(tx, payout_id):
        return payout
    cause = f"{payout_id}:{payout.sequence}"
    fact = PayoutFact(PayoutTrigger.FAILED, cause, failure=NOT_SENT, actor=actor, reason=reason)
    await payouts.move(tx, payout, fact)
    return await order_payouts.send_again(tx, keys, payout) if payout.payout_kind is PayoutKind.REFUND else payout
