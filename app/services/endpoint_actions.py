"""What partners ask of an endpoint, each in one transaction with its idempotency key."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from app.db.database import Database, Transaction
from app.services import endpoints, idempotent
from app.services.idempotent import Answer, IdempotentRequest


async def enable(
    db: Database, partner_id: str, endpoint_id: str, request: IdempotentRequest, *, expected: AbstractSet[int] | None
) -> Answer:
    """Let events go to an endpoint. `expected` are the sequences at which the caller wants this, None for any."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        endpoint = await endpoints.enable(tx, partner_id, endpoint_id, expected=expected)
        return 200, endpoint.model_dump_json().encode()

    return await idempotent.run(db, request, act)


async def disable(
    db: Database, partner_id: str, endpoint_id: str, request: IdempotentRequest, *, expected: AbstractSet[int] | None
) -> Answer:
    """Send nothing to an endpoint any more."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        endpoint = await endpoints.disable(tx, partner_id, endpoint_id, expected=expected)
        return 200, endpoint.model_dump_json().encode()

    return await idempotent.run(db, request, act)


async def test(db: Database, partner_id: str, endpoint_id: str, request: IdempotentRequest) -> Answer:
    """Send a test event to an endpoint."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        sent = await endpoints.send_test(tx, partner_id, endpoint_id)
        return 202, sent.model_dump_json().encode()

    return await idempotent.run(db, request, act)
