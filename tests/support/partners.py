"""Partners for tests, each with a key."""

from __future__ import annotations

from dataclasses import dataclass

from app.db.columns import new_id
from app.db.database import Database
from app.db.partners import insert_key, insert_partner
from app.services.keys import new_key


@dataclass(frozen=True, slots=True)
class TestPartner:
    """A partner with a key that may do everything."""

    __test__ = False

    id: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """What authenticates a request."""
        return {"Authorization": f"Bearer {self.key}"}


async def make_partner(db: Database, *, scopes: list[str] | None = None, mode: str = "test") -> TestPartner:
    """Add a partner with one key."""
    partner_id, made = new_id("pt"), new_key(mode)
    async with db.transaction() as tx:
        await insert_partner(tx, partner_id, "Test partner")
        await insert_key(
            tx,
            key_id=new_id("key"),
            partner_id=partner_id,
            key_hash=made.hash,
            hint=made.hint,
            mode=mode,
            scopes=scopes or ["*"],
            expires_at=None,
        )
    return TestPartner(partner_id, made.key)
