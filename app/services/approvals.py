"""Maker and checker: large payouts wait for another key, whose approval is of one amount and one destination."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import orjson

from app.db import approvals as approval_rows
from app.db import external_accounts as account_rows
from app.db.alerts import raise_alert
from app.db.database import Transaction
from app.db.payouts import Payout
from app.domain.errors import ConflictState, SelfApprovalForbidden
from app.services import payouts


def hash_of(payout: Payout, fingerprint: bytes) -> bytes:
    """What an approval is of: the amount, where it goes and on which way. SHA-256 over one spelling of them."""
    document = {
        "id": payout.id,
        "asset": payout.asset,
        "units": str(payout.units),
        "method": payout.method,
        "provider": payout.provider,
        "address": payout.address,
        "script": payout.script,
        "account": fingerprint.hex(),
    }
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()


async def judge(
    tx: Transaction,
    resource_id: str,
    *,
    maker: str | None,
    key_id: str,
    verdict: str,
    digest: bytes,
    shown: str | None,
    reason: str | None = None,
) -> bool:
    """Record a key's verdict; False when it had said so before.

    Raises SelfApprovalForbidden when the key is the maker's own, ConflictState when `shown`, the hash that the
    approver saw, is not the hash of what is there, or when the key has said otherwise.
    """
    if maker == key_id and verdict == "approved":
        raise SelfApprovalForbidden
    if shown is not None and shown != digest.hex():
        raise ConflictState("This is not what was approved: it has changed since it was shown.", pointer="/hash")
    earlier = await approval_rows.find(tx, resource_id, key_id)
    if earlier is not None:
        if earlier.verdict != verdict:
            raise ConflictState(f"This key has {earlier.verdict} it.")
        return False
    await approval_rows.insert(tx, resource_id, key_id, verdict, digest, reason)
    return True


async def still_approved(tx: Transaction, waiting: Sequence[Payout]) -> list[Payout]:
    """Those of the locked payouts that need no approval, or are still what was approved; the others are held."""
    bound = [payout for payout in waiting if payout.approval_hash is not None]
    if not bound:
        return list(waiting)
    given = await approval_rows.approved(tx, [payout.id for payout in bound])
    lead_to = await account_rows.fingerprints(tx, [payout.external_account_id or "" for payout in bound])
    void = []
    for payout in bound:
        approval = given.get(payout.id)
        if approval is None or approval.hash != hash_of(payout, lead_to.get(payout.external_account_id or "", b"")):
            void.append(payout)
            await payouts.hold(tx, payout, "approval_void", cause=f"{payout.id}:{payout.sequence}")
            await raise_alert(tx, "approval_void", payout.id, "the payout is not what was approved")
    return [payout for payout in waiting if payout not in void]
