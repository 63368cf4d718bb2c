"""The development instance's own partner, and the one key that lives in dev.json."""

from __future__ import annotations

from dataclasses import dataclass

from app.db import partners
from app.db.columns import new_id
from app.db.database import Database
from app.services import keys

NAME = "Development"


@dataclass(frozen=True, slots=True)
class Partner:
    """The development partner, and a key of it."""

    id: str
    key: str


async def ensure(db: Database, kept: str | None) -> Partner:
    """The partner with the key of an earlier start while that one may do all that partners may, else with another.

    Keys that nobody knows any more are revoked.
    """
    partner_id = await _partner(db)
    if kept is not None:
        caller = await partners.find_caller(db, keys.hash_of(kept))
        if caller is not None and not (caller.revoked or caller.expired) and caller.scopes >= set(keys.PARTNER_SCOPES):
            return Partner(caller.partner_id, kept)
    for key in await partners.keys_of(db, partner_id):
        if key.revoked_at is None:
            await keys.revoke(db, key.id)
    _, made = await keys.issue(db, partner_id, "test")
    return Partner(partner_id, made)


async def _partner(db: Database) -> str:
    for partner in await partners.all_partners(db):
        if partner.name == NAME:
            return partner.id
    partner_id = new_id("pt")
    async with db.transaction() as tx:
        await partners.insert_partner(tx, partner_id, NAME)
    return partner_id
