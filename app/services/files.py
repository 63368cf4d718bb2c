"""Files: uploads that are hashed and written while they arrive, and never held in memory whole."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from app.db import files as file_rows
from app.db import idempotency
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.files import File
from app.domain.errors import NotFound, ValidationFailed
from app.schemas.files import FileOut
from app.services import idempotent
from app.services.idempotent import Answer, IdempotentRequest

PIECE_BYTES: Final = 1024 * 1024
UNFINISHED_HOURS: Final = 24


async def upload(
    db: Database, partner_id: str, content_type: str, content: AsyncIterator[bytes], request: IdempotentRequest
) -> Answer:
    """Keep what arrives, in pieces. Raises ValidationFailed for a file without content.

    What makes two uploads the same includes their content, which is known at the end: so the key is taken then, and a
    repetition is read to its end before it is answered with the first file, or refused as another request. Of two at
    once under one key, the first to end is kept.
    """
    if await _is_known(db, request):
        size, digest = await _measure(content)
        return await _finish(db, None, size, digest, request, content_type)
    file_id = new_id("fi")
    async with db.connection() as connection:
        await file_rows.insert(connection, file_id, partner_id, content_type)
    try:
        size, digest = await _store(db, file_id, content)
        answer = await _finish(db, file_id, size, digest, request, content_type)
    except Exception:
        await _drop(db, file_id)
        raise
    if answer.replayed:
        await _drop(db, file_id)
    return answer


async def _is_known(db: Database, request: IdempotentRequest) -> bool:
    async with db.connection() as connection:
        return await idempotency.find(connection, request.partner_id, request.key) is not None


async def _measure(content: AsyncIterator[bytes]) -> tuple[int, bytes]:
    size, digest = 0, hashlib.sha256()
    async for chunk in content:
        size += len(chunk)
        digest.update(chunk)
    return size, digest.digest()


async def _store(db: Database, file_id: str, content: AsyncIterator[bytes]) -> tuple[int, bytes]:
    """Write the content in pieces of one size; its size and SHA-256."""
    size, number, digest, waiting = 0, 0, hashlib.sha256(), bytearray()
    async for chunk in content:
        size += len(chunk)
        digest.update(chunk)
        waiting += chunk
        while len(waiting) >= PIECE_BYTES:
            await _write(db, file_id, number, bytes(waiting[:PIECE_BYTES]))
            del waiting[:PIECE_BYTES]
            number += 1
    if waiting:
        await _write(db, file_id, number, bytes(waiting))
    if size == 0:
        raise ValidationFailed("The file is empty.", pointer="")
    return size, digest.digest()


async def _write(db: Database, file_id: str, number: int, data: bytes) -> None:
    async with db.connection() as connection:
        await file_rows.add_piece(connection, file_id, number, data)


async def _finish(
    db: Database, file_id: str | None, size: int, digest: bytes, request: IdempotentRequest, content_type: str
) -> Answer:
    """Take the key for this content, and with it the file; without a file there is an answer to be repeated."""
    told = request.fingerprint + content_type.encode() + digest
    keyed = replace(request, fingerprint=hashlib.sha256(told).digest())

    async def act(tx: Transaction) -> tuple[int, bytes]:
        if file_id is None:
            raise NotFound  # cannot be: keys are never deleted
        file = await file_rows.finish(tx, file_id, size, digest)
        return 201, file_out(file).model_dump_json().encode()

    return await idempotent.run(db, keyed, act)


async def _drop(db: Database, file_id: str) -> None:
    async with db.transaction() as tx:
        await file_rows.drop_unfinished(tx, file_id)


async def get(db: Database, partner_id: str, file_id: str) -> FileOut:
    """One file; raises NotFound."""
    async with db.connection() as connection:
        file = await file_rows.get(connection, partner_id, file_id)
    if file is None:
        raise NotFound
    return file_out(file)


def file_out(file: File) -> FileOut:
    """A file as the public sees it."""
    return FileOut.model_validate(
        {
            "id": file.id,
            "status": file.status,
            "content_type": file.content_type,
            "size": file.size,
            "sha256": None if file.sha256 is None else file.sha256.hex(),
            "created_at": file.created_at,
        }
    )


async def prune(db: Database) -> int:
    """Forget uploads that broke off long ago; how many there were."""
    async with db.transaction() as tx:
        return await file_rows.prune_unfinished(tx, UNFINISHED_HOURS)
