"""Leaving: what must still be true of payouts in the moment before their money goes."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import external_accounts as account_rows
from app.db.alerts import raise_alert
from app.db.database import Transaction
from app.db.payouts import Payout
from app.domain.external_account import AccountState
from app.services import approvals, payouts, screening

UNPAYABLE = "external_account_unverified"


async def may_leave(tx: Transaction, waiting: Sequence[Payout]) -> list[Payout]:
    """Those of the locked payouts that are still what was approved and go where may still be paid to; others are held.

    The accounts stay as they are until the caller's transaction ends. Coins that go back to a customer have none.
    """
    ids = sorted({payout.external_account_id for payout in waiting if payout.external_account_id is not None})
    status = await account_rows.keep_status(tx, ids)
    for payout in waiting:
        found = status.get(payout.external_account_id or "")
        if payout.external_account_id is not None and found != AccountState.VERIFIED:
            await payouts.hold(tx, payout, UNPAYABLE, cause=f"{payout.id}:{payout.sequence}")
            await raise_alert(tx, "payout_held", payout.id, f"its external account is {found}")
    approved = await approvals.still_approved(tx, [payout for payout in waiting if payout.hold is None])
    return await screening.may_leave(tx, approved)
