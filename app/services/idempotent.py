"""Idempotency: one answer per key, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.db import idempotency
from app.db.database import Database, Transaction
from app.db.idempotency import StoredAnswer
from app.domain.errors import DomainError, IdempotencyInProgress, IdempotencyMismatch, ValidationFailed


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request by its key. `fingerprint` is a keyed hash of method, path and canonical body.

    `render` turns a refusal into the answer that is stored: the same refusal is given to every repetition.
    """

    partner_id: str
    key: str
    fingerprint: bytes
    render: Callable[[DomainError], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the caller."""

    status: int
    body: bytes
    replayed: bool = False


def replay(stored: StoredAnswer, request: IdempotentRequest) -> Answer:
    """The stored answer.

    Raises IdempotencyMismatch for another request under the same key, IdempotencyInProgress while there is no
    answer yet, and again once the answer itself has been pruned.
    """
    if stored.request_hash != request.fingerprint:
        raise IdempotencyMismatch
    if stored.status is None:
        raise IdempotencyInProgress(retry_after=1)
    if stored.response is None:
        raise IdempotencyMismatch(f"This key was used too long ago; it made {stored.resource_id}.")
    return Answer(stored.status, stored.response, replayed=True)


async def run(
    db: Database, request: IdempotentRequest, action: Callable[[Transaction], Awaitable[tuple[int, bytes]]]
) -> Answer:
    """Carry out `action` in one transaction together with its key.

    A refusal decided under lock is stored and replayed; a request that is not valid in itself is not.
    """
    async with db.transaction() as tx:
        if not await idempotency.claim(tx, request.partner_id, request.key, request.fingerprint):
            stored = await idempotency.find(tx, request.partner_id, request.key)
            assert stored is not None  # noqa: S101 - keys are never deleted
            return replay(stored, request)
        try:
            async with tx.transaction():
                status, body = await action(tx)
        except ValidationFailed:
            raise
        except DomainError as refusal:
            status, body = request.render(refusal)
        await idempotency.answer(tx, request.partner_id, request.key, status, body)
        return Answer(status, body)


async def refuse(db: Database, request: IdempotentRequest, refusal: DomainError) -> Answer:
    """A refusal that depends on what is stored: given again to every repetition, unless the key has an answer."""
    async with db.transaction() as tx:
        if not await idempotency.claim(tx, request.partner_id, request.key, request.fingerprint):
            stored = await idempotency.find(tx, request.partner_id, request.key)
            assert stored is not None  # noqa: S101 - keys are never deleted
            return replay(stored, request)
        status, body = request.render(refusal)
        await idempotency.answer(tx, request.partner_id, request.key, status, body)
    return Answer(status, body)
