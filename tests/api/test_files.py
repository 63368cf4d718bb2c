"""Uploads at the front door: streamed, hashed, kept once, and refused before anything is kept."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest

from app.db.database import Database
from app.services import files
from tests.api.front import Caller, Front
from tests.api.refusals import check, refused

ROWS = b"amount,asset,external_account_id\n1.00,USD,xa_01JD0000000000000000000000\n"


async def upload(
    caller: Caller, content: bytes | AsyncIterator[bytes], kind: str = "text/csv", key: str = "once", **more: str
) -> httpx.Response:
    """POST a file."""
    headers = caller.headers | {"Idempotency-Key": key, "Content-Type": kind} | more
    return await caller.http.post("/v1/files", content=content, headers=headers)


async def pieces(db: Database, file_id: str) -> list[int]:
    """The sizes of the stored pieces."""
    async with db.connection() as connection:
        found = await connection.fetch(
            "SELECT length(data) AS size FROM file_pieces WHERE file_id = $1 ORDER BY number", file_id
        )
    return [record["size"] for record in found]


async def test_a_file_is_kept_in_pieces(front: Front, caller: Caller) -> None:
    content = bytes(range(256)) * 10_000

    async def in_odd_parts() -> AsyncIterator[bytes]:
        for begin in range(0, len(content), 70_001):
            yield content[begin : begin + 70_001]

    response = await upload(caller, in_odd_parts())
    assert response.status_code == 201, response.text
    found = response.json()
    assert (found["status"], found["size"], found["content_type"]) == ("ready", len(content), "text/csv")
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert await pieces(front.context.db, found["id"]) == [2**20, 2**20, len(content) - 2**21]
    assert (await caller.get(f"/v1/files/{found['id']}")).json() == found
    await refused(front, (await front.caller()).get(f"/v1/files/{found['id']}"), 404, "not_found")


async def test_the_same_upload_is_the_same_file(front: Front, caller: Caller) -> None:
    first = await upload(caller, ROWS)
    again = await upload(caller, ROWS)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    await refused(front, upload(caller, ROWS + b"\n"), 422, "idempotency_mismatch")
    await refused(front, upload(caller, ROWS, "application/x-ndjson"), 422, "idempotency_mismatch")
    assert (await upload(caller, ROWS, key="other")).json()["id"] != first.json()["id"]


async def test_two_at_once_under_one_key_are_one_file(front: Front, caller: Caller) -> None:
    answers = await asyncio.gather(*(upload(caller, ROWS) for _ in range(5)))
    assert len({answer.content for answer in answers}) == 1
    async with front.context.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM files WHERE partner_id = $1", caller.partner_id) == 1


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("application/json", {}),
        ("text/csv; charset=utf-16", {}),
        ("text/csv; header=present", {}),
        ("multipart/form-data; boundary=x", {}),
        ("application/zip", {}),
        ("text/csv", {"Content-Encoding": "gzip"}),
        ("application/x-ndjson", {"Content-Encoding": "br"}),
    ],
)
async def test_c_06_and_c_12_other_types(front: Front, caller: Caller, kind: str, more: dict[str, str]) -> None:
    content = gzip.compress(ROWS)
    await refused(front, upload(caller, content, kind, **more), 415, "unsupported_media_type")


async def test_a_file_that_says_that_it_is_too_large(front: Front, caller: Caller) -> None:
    sending = upload(caller, ROWS, **{"Content-Length": str(2**30 + 1)})
    await refused(front, sending, 413, "payload_too_large")


async def test_an_empty_file(front: Front, caller: Caller) -> None:
    await refused(front, upload(caller, b""), 422, "validation_failed")


async def test_c_24_without_a_key(front: Front, caller: Caller) -> None:
    sending = caller.http.post("/v1/files", content=ROWS, headers=caller.headers | {"Content-Type": "text/csv"})
    await refused(front, sending, 400, "idempotency_key_missing")


async def test_an_upload_that_breaks_off_leaves_nothing(front: Front, caller: Caller) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield ROWS * 50_000
        raise ConnectionResetError

    db, before = front.context.db, await front.state()
    check(await upload(caller, broken()), 503, "temporarily_unavailable")
    assert await front.state() == before
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO files (id, partner_id, content_type, status, created_at) "
            "VALUES ('fi_1', $1, 'text/csv', 'uploading', now() - interval '2 days'), "
            "('fi_2', $1, 'text/csv', 'uploading', now() - interval '2 hours'), "
            "('fi_3', $1, 'text/csv', 'ready', now() - interval '2 days')",
            caller.partner_id,
        )
    assert await files.prune(db) == 1
    async with db.connection() as connection:
        left = await connection.fetch("SELECT id FROM files WHERE id LIKE 'fi\\__' ORDER BY id")
        assert [record["id"] for record in left] == ["fi_2", "fi_3"]
        await connection.execute("DELETE FROM files WHERE id LIKE 'fi\\__'")
