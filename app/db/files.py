"""Uploaded files: a head, and the content in pieces that are written while they arrive and read one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from sqlmodel import Field

from app.db.columns import counter, moment, raw_bytes, text
from app.db.database import Database, Transaction
from app.db.rows import row_of
from app.db.table import Table


class File(Table, table=True):
    """The head of an upload. Size in bytes and SHA-256 are those of the whole content once it is `ready`."""

    __tablename__ = "files"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    content_type: str = Field(sa_column=text())
    status: str = Field(sa_column=text())
    size: int = Field(default=0, sa_column=counter())
    sha256: bytes | None = Field(default=None, sa_column=raw_bytes(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))


async def insert(tx: Transaction, file_id: str, partner_id: str, content_type: str) -> None:
    """Begin a file that is being uploaded."""
    await tx.execute(
        "INSERT INTO files (id, partner_id, content_type, status) VALUES ($1, $2, $3, 'uploading')",
        file_id,
        partner_id,
        content_type,
    )


async def add_piece(tx: Transaction, file_id: str, number: int, data: bytes) -> None:
    """Write the next piece of the content, counted from 0."""
    await tx.execute("INSERT INTO file_pieces (file_id, number, data) VALUES ($1, $2, $3)", file_id, number, data)


async def finish(tx: Transaction, file_id: str, size: int, digest: bytes) -> File:
    """Say that the content is there, all of it."""
    record = await tx.fetchrow(
        "UPDATE files SET status = 'ready', size = $2, sha256 = $3 WHERE id = $1 RETURNING *", file_id, size, digest
    )
    assert record is not None  # noqa: S101 - the caller has made it
    return row_of(File, record)


async def get(tx: Transaction, partner_id: str, file_id: str) -> File | None:
    """A partner's own file."""
    record = await tx.fetchrow("SELECT * FROM files WHERE id = $1 AND partner_id = $2", file_id, partner_id)
    return None if record is None else row_of(File, record)


async def pieces(db: Database, file_id: str) -> AsyncIterator[bytes]:
    """The content, piece by piece; no connection is held while the caller works on one."""
    number = 0
    while True:
        async with db.connection() as connection:
            data = await connection.fetchval(
                "SELECT data FROM file_pieces WHERE file_id = $1 AND number = $2", file_id, number
            )
        if data is None:
            return
        yield data
        number += 1


async def erase(tx: Transaction, file_id: str) -> None:
    """Forget the content of a file; its head stays, and says what it was."""
    await tx.execute("DELETE FROM file_pieces WHERE file_id = $1", file_id)


async def drop_unfinished(tx: Transaction, file_id: str) -> None:
    """Forget an upload that came to nothing."""
    await tx.execute("DELETE FROM files WHERE id = $1 AND status = 'uploading'", file_id)


async def prune_unfinished(tx: Transaction, hours: int) -> int:
    """Forget uploads that broke off long ago; how many there were."""
    done = await tx.execute(
        "DELETE FROM files WHERE status = 'uploading' AND created_at < now() - make_interval(hours => $1)", hours
    )
    return int(done.rpartition(" ")[2])
