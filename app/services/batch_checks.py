"""Checking drafts of items against what is stored: accounts, wallet addresses of our own, external ids."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import chain, payout_items
from app.db import external_accounts as account_rows
from app.db.database import Transaction
from app.db.external_accounts import ExternalAccount
from app.domain.assets import asset_by_id
from app.services.batch_items import Draft, Fault, check_payable
from app.services.rails import Rails


async def check(tx: Transaction, rails: Rails, partner_id: str, drafts: Sequence[Draft]) -> list[ExternalAccount]:
    """Check drafts, hundreds or thousands at once, in a handful of statements.

    Each sound one then has its account and its method, the others have faults. Returns the accounts that have to be
    stored first: places that the partner has not named before, each once.
    """
    await _find_named(tx, partner_id, drafts)
    new = await _find_places(tx, partner_id, drafts)
    await _refuse_our_own(tx, drafts, new)
    await _refuse_used_ids(tx, partner_id, drafts)
    for draft in drafts:
        if draft.sound:
            check_payable(rails, draft)
    needed = {draft.account.id for draft in drafts if draft.sound and draft.account is not None}
    return [account for account in new.values() if account.id in needed]


async def _find_named(tx: Transaction, partner_id: str, drafts: Sequence[Draft]) -> None:
    """Find the accounts that are named by their ids; one that there is not, is a fault of its item."""
    wanted = {d.body.external_account_id for d in drafts if d.body is not None and d.body.external_account_id}
    if not wanted:
        return
    found = await account_rows.get_many(tx, partner_id, list(wanted))
    for draft in drafts:
        account_id = None if draft.body is None else draft.body.external_account_id
        if account_id is None or any(fault.pointer == "/external_account_id" for fault in draft.faults):
            continue
        draft.account = found.get(account_id)
        if draft.account is None:
            draft.faults.append(Fault("/external_account_id", "not_found"))


async def _find_places(tx: Transaction, partner_id: str, drafts: Sequence[Draft]) -> dict[bytes, ExternalAccount]:
    """Let drafts that name an account in full share it, with each other and with what is stored; the new ones."""
    inline = [draft for draft in drafts if draft.account is not None and not draft.names_account]
    if not inline:
        return {}
    places = {draft.account.fingerprint for draft in inline if draft.account is not None}
    known = await account_rows.find_by_fingerprints(tx, partner_id, list(places))
    new: dict[bytes, ExternalAccount] = {}
    for draft in inline:
        assert draft.account is not None  # noqa: S101 - chosen so
        place = draft.account.fingerprint
        draft.account = known.get(place) or new.setdefault(place, draft.account)
    return new


async def _refuse_our_own(tx: Transaction, drafts: Sequence[Draft], new: dict[bytes, ExternalAccount]) -> None:
    """Coins that we send to ourselves would be a deposit that nobody made."""
    scripts: dict[str, list[str]] = {}
    for account in new.values():
        if account.script is not None:
            scripts.setdefault(asset_by_id(account.asset).network or "", []).append(account.script)
    ours = {script for network, some in scripts.items() for script in await chain.ours(tx, network, some)}
    if not ours:
        return
    for draft in drafts:
        if draft.account is not None and draft.account.script in ours:
            draft.faults.append(Fault("/external_account/address", "address_invalid"))


async def _refuse_used_ids(tx: Transaction, partner_id: str, drafts: Sequence[Draft]) -> None:
    named = [d.body.external_id for d in drafts if d.sound and d.body is not None and d.body.external_id]
    used = await payout_items.used_external_ids(tx, partner_id, named)
    if not used:
        return
    for draft in drafts:
        if draft.sound and draft.body is not None and draft.body.external_id in used:
            draft.faults.append(Fault("/external_id", "external_id_used"))
