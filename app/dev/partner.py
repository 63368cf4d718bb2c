"""The development instance's own partner, and the one key that lives in dev.json."""

from __future__ import annotations

from app.db import partners
from app.db.columns import new_id
from app.db.database import Database
from app.services import keys

NAME = "Development"


async def ensure_key(db: Database, kept: str | None) -> str:
    """The key of an earlier start while it is good, else another one; those that nobody knows any more are revoked."""
    if kept is not None:
        caller = await partners.find_caller(db, keys.hash_of(kept))
        if caller is not None and not (caller.revoked or caller.expired):
            return kept
    partner_id = await _partner(db)
    for key in await partners.keys_of(db, partner_id):
        if key.revoked_at is None:
            await keys.revoke(db, key.id)
    _, made = await keys.issue(db, partner_id, "test")
    return made


async def _partner(db: Database) -> str:
    for partner in await partners.all_partners(db):
        if partner.name == NAME:
            return partner.id
    partner_id = new_id("pt")
    async with db.transaction() as tx:
        await partners.insert_partner(tx, partner_id, NAME)
    return partner_id
