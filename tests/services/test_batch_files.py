"""Batches by file: what each row says, what is wrong with it and where, and files that are refused whole (P-09)."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Mapping

import orjson
import pytest

from app.services import batch_reading
from tests.support.batches import Json, address, available, item
from tests.support.coins import deposit, standing_address
from tests.support.world import World

HEADER = "amount,asset,network,type,address,reference,external_id"
NEEDED = "amount,asset,external_account_id\n"


def row(number: int, amount: str = "0.00010000", reference: str = "", external_id: str = "") -> str:
    """A row that pays a wallet of its own."""
    return f"{amount},BTC,bitcoin,wallet,{address(number)},{reference},{external_id}"


def table(*rows: str) -> bytes:
    """A CSV file."""
    return "\r\n".join([HEADER, *rows, ""]).encode()


async def uploaded(world: World, content: bytes, kind: str = "text/csv") -> str:
    """Upload a file; its id."""
    world.keys += 1
    headers = {"Idempotency-Key": f"file-{world.keys}", "Content-Type": kind}
    response = await world.client.post("/v1/files", content=content, headers=headers)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def batch_of(world: World, content: bytes, kind: str = "text/csv", mode: str = "best_effort") -> Json:
    """A batch of a file, once it has been read."""
    body = {"mode": mode, "file_id": await uploaded(world, content, kind)}
    response = await world.post("/v1/payout_batches", body)
    assert response.status_code == 201, response.text
    assert response.json()["status"] == "validating"
    await read(world, response.json()["id"])
    return await world.get(f"/v1/payout_batches/{response.json()['id']}")


async def read(world: World, batch_id: str) -> None:
    """The job that reads it."""
    worker = world.worker
    await batch_reading.read(world.db, world.rails, worker.sealer, worker.rules.policy, batch_id)


async def items_of(world: World, batch: Mapping[str, object]) -> list[Json]:
    """Its items as the API shows them."""
    data = (await world.get(f"/v1/payout_batches/{batch['id']}/items?limit=100"))["data"]
    assert isinstance(data, list)
    return data


async def total(world: World, batch_id: object) -> object:
    """How many items a batch counts."""
    counts = (await world.get(f"/v1/payout_batches/{batch_id}"))["items"]
    assert isinstance(counts, dict)
    return counts["total"]


async def rich(world: World) -> None:
    """Put coins on the partner's balance, through the chain."""
    await world.fund()
    await deposit(world, await standing_address(world), "0.01000000", confirmations=6)
    await world.drain()


async def test_a_table_is_paid_row_by_row(world: World) -> None:
    await rich(world)
    batch = await batch_of(world, table(row(1, reference='"a, ""b"""'), row(2, external_id="two"), row(3)))
    assert (batch["status"], batch["items"]) == (
        "processing",
        {"total": 3, "invalid": 0, "started": 0, "settled": 0, "failed": 0},
    )
    await world.drain()
    await world.far.mine("bitcoin", 6)
    await world.drain()
    assert (await world.get(f"/v1/payout_batches/{batch['id']}"))["status"] == "completed"
    items = await items_of(world, batch)
    assert [(one["position"], one["line"], one["status"]) for one in items] == [
        (1, 2, "settled"), (2, 3, "settled"), (3, 4, "settled")
    ]  # fmt: skip
    assert (items[0]["reference"], items[1]["external_id"]) == ('a, "b"', "two")
    results = await world.client.get(f"/v1/payout_batches/{batch['id']}/results")
    assert results.headers["content-type"].startswith("text/csv")
    lines = results.text.splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("3,2,0.00010000,BTC,bitcoin,xa_")
    types = [event["type"] for event in await events(world, batch)]
    assert types == ["payout_batch.validation_started", "payout_batch.validated", "payout_batch.completed"]
    await world.audit()


async def events(world: World, batch: Mapping[str, object]) -> list[Mapping[str, object]]:
    async with world.db.connection() as connection:
        found = await connection.fetch("SELECT type FROM events WHERE resource_id = $1 ORDER BY position", batch["id"])
    return [dict(record) for record in found]


async def test_lines_of_json_are_items_as_in_a_body(world: World) -> None:
    await rich(world)
    lines = [orjson.dumps(item(1, external_id="one")), b'{"a":1,"a":1}', b"{", b"7", orjson.dumps(item(2, status="x"))]
    batch = await batch_of(world, b"\n".join(lines), "application/x-ndjson")
    assert batch["status"] == "processing"
    assert [one["errors"] for one in await items_of(world, batch)] == [
        [],
        [{"code": "duplicate_key", "pointer": "", "line": 2}],
        [{"code": "malformed_json", "pointer": "", "line": 3}],
        [{"code": "wrong_type", "pointer": "", "line": 4}],
        [{"code": "unknown_field", "pointer": "/status", "line": 5}],
    ]


@pytest.mark.parametrize(
    ("bad", "column", "code"),
    [
        (row(1, "=HYPERLINK(1)"), "amount", "formula"),
        (row(1, reference='"=HYPERLINK(""http://evil.example"")"'), "reference", "formula"),
        (row(1, reference="@x"), "reference", "formula"),
        (row(1, '"1.000,50"'), "amount", "invalid_format"),
        (row(1, "1.000,50"), "8", "wrong_number_of_cells"),
        (row(1, reference='"a\r\nb"'), "reference", "line_break"),
        (row(1, reference="a\u202eb"), "reference", "invalid_text"),
        (row(1, reference='a"b"c'), "1", "malformed_row"),
        (row(1).rpartition(",")[0], "external_id", "wrong_number_of_cells"),
        (row(1).replace("wallet", "bank"), "scheme", "required"),
        (row(1).replace(address(1), "bc1qxx"), "address", "address_invalid"),
        (row(1).replace("BTC", "EUR"), "asset", "validation_failed"),
        (row(1, external_id="same"), "external_id", "duplicate_external_id"),
        ("", "asset", "wrong_number_of_cells"),
    ],
)
async def test_p_09_a_bad_row(world: World, bad: str, column: str, code: str) -> None:
    """Its line and column are named, and the rows around it are not touched."""
    await rich(world)
    batch = await batch_of(world, table(row(0, external_id="same"), bad, row(2)))
    first, second, third = await items_of(world, batch)
    assert (first["errors"], third["errors"], second["status"]) == ([], [], "invalid")
    errors = second["errors"]
    assert isinstance(errors, list)
    assert {"line": 3, "column": column, "code": code}.items() <= errors[0].items()
    assert await available(world.db, world.partner.id, "BTC.bitcoin") == 1_000_000 - 20_000
    strict = await batch_of(world, table(row(0, external_id="same"), bad, row(2)), mode="all_or_nothing")
    assert (strict["status"], strict["failure"]) == (
        "invalid",
        {"code": "items_invalid", "message": "1 of 3 items cannot be paid.", "line": None},
    )
    assert await available(world.db, world.partner.id, "BTC.bitcoin") == 1_000_000 - 20_000


def zipped() -> bytes:
    """What a spreadsheet's own format looks like from outside."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("sheet.xml", "<x/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"\xef\xbb\xbf" + table(row(1)), "byte_order_mark", None),
        (table(row(1)).decode().encode("utf-16"), "not_utf_8", None),
        (table(row(1)).decode().encode("utf-16-le"), "nul_byte", 1),
        (table(row(1)).replace(b",", b";"), "wrong_separator", 1),
        (zipped(), "compressed", None),
        (table(row(1), row(2, reference="a\0b")), "nul_byte", 3),
        (table(row(1)) + b"\xff", "not_utf_8", 3),
        (b"amount,asset,amount\n", "repeated_column", 1),
        (b"amount,asset,colour\n", "unknown_column", 1),
        (b"amount,external_account_id\n", "missing_column", 1),
        (table(), "no_rows", None),
        (table(row(1), row(2, reference='"never closed')), "unclosed_quote", 3),
        (table(row(1), "x" * 70_000), "row_too_long", 3),
        (table(row(1), row(2, reference="4242 4242 4242 4242")), "forbidden_data", 3),
        (table("1,USD,,,,,"), "no_valid_item", None),
        (table(row(1, "5.00000000")), "insufficient_balance", None),
    ],
)
async def test_p_09_a_file_that_is_refused(shared_world: World, content: bytes, code: str, line: int | None) -> None:
    batch = await batch_of(shared_world, content)
    failure = batch["failure"]
    assert isinstance(failure, dict)
    assert (batch["status"], failure["code"], failure["line"]) == ("invalid", code, line)
    async with shared_world.db.connection() as connection:
        assert not await connection.fetchval("SELECT count(*) FROM entries WHERE kind = 'payout_reserve'")
        kept = await connection.fetchval("SELECT count(*) FROM file_pieces WHERE position('4242' IN data) > 0")
    assert kept == 0  # what must never be here is not kept, not even as it came
    assert [event["type"] for event in await events(shared_world, batch)][-1] == "payout_batch.refused"


async def test_reading_goes_on_where_it_was_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped three times by a lock on the batch, then read by three at once: no item is there twice."""
    monkeypatch.setattr(batch_reading, "CHUNK", 3)
    await rich(world)
    content = table(*(row(n, external_id=f"r-{n}") for n in range(20)))
    body = {"mode": "best_effort", "file_id": await uploaded(world, content)}
    batch_id = (await world.post("/v1/payout_batches", body)).json()["id"]
    async with world.db.connection() as killer:
        for _ in range(3):
            async with world.db.transaction() as tx:
                await tx.execute("SELECT 1 FROM payout_batches WHERE id = $1 FOR UPDATE", batch_id)
                reading = asyncio.create_task(read(world, batch_id))
                while not await killer.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
                ):
                    assert not reading.done()
                    await asyncio.sleep(0.01)
            await asyncio.gather(reading, return_exceptions=True)
            assert (await world.get(f"/v1/payout_batches/{batch_id}"))["status"] == "validating"
            async with world.db.connection() as connection:
                draft = await connection.fetchval("SELECT count(*) FROM payout_items WHERE batch_id = $1", batch_id)
            assert draft == await total(world, batch_id)
    await asyncio.gather(*(read(world, batch_id) for _ in range(3)))
    await read(world, batch_id)
    batch = await world.get(f"/v1/payout_batches/{batch_id}")
    assert (batch["status"], await total(world, batch_id)) == ("processing", 20)
    assert [one["position"] for one in await items_of(world, batch)] == list(range(1, 21))
    assert await available(world.db, world.partner.id) == 1_000_000 - 200_000


async def test_a_batch_that_is_called_off_while_it_is_read(world: World) -> None:
    await rich(world)
    body = {"mode": "best_effort", "file_id": await uploaded(world, table(row(1)))}
    batch_id = (await world.post("/v1/payout_batches", body)).json()["id"]
    assert (await world.post(f"/v1/payout_batches/{batch_id}/cancel")).json()["status"] == "canceled"
    await read(world, batch_id)
    assert await total(world, batch_id) == 0
    assert await available(world.db, world.partner.id) == 1_000_000


async def test_validating_a_file_keeps_nothing(world: World) -> None:
    file_id = await uploaded(world, table(row(1), row(2, "x"), row(1)))
    body = {"mode": "best_effort", "file_id": file_id}
    checked = (await world.post("/v1/payout_batches/validate", body)).json()
    assert (checked["total"], checked["invalid"], checked["sufficient"], checked["valid"]) == (3, 1, False, False)
    assert checked["items"] == [
        {
            "position": 2,
            "errors": [{"code": "invalid_format", "pointer": "/amount/amount", "line": 3, "column": "amount"}],
            "warnings": [],
        },
        {"position": 3, "errors": [], "warnings": ["duplicate_item"]},
    ]
    foreign = {"mode": "best_effort", "file_id": await uploaded(world, zipped())}
    assert (await world.post("/v1/payout_batches/validate", foreign)).json()["failure"]["code"] == "compressed"
    assert (await world.get("/v1/payout_batches"))["data"] == []
