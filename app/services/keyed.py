"""Looking up what became of an idempotency key."""

from __future__ import annotations

import re
from typing import Final

import orjson

from app.db import idempotency
from app.db.database import Database
from app.domain.errors import NotFound
from app.schemas.idempotency import IdempotencyKeyOut

_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}", re.ASCII)


async def look_up(db: Database, partner_id: str, key: str) -> IdempotencyKeyOut:
    """What was answered under a partner's key; raises NotFound. A signing secret is not shown a second time."""
    if not _KEY.fullmatch(key):
        raise NotFound
    async with db.connection() as connection:
        stored = await idempotency.find(connection, partner_id, key)
    if stored is None:
        raise NotFound
    response = None if stored.response is None else orjson.loads(stored.response)
    if response is not None:
        response.pop("secret", None)
    return IdempotencyKeyOut(
        key=key,
        status="in_progress" if stored.status is None else "completed",
        response_status=stored.status,
        response=response,
        resource_id=stored.resource_id,
    )
