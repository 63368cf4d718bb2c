"""The door for notifications: faults.md H-01..H-08, H-10, H-11 and F-22, F-23."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from app.db.database import Database
from tests.webhooks.card import SECRET, CardTruth, column, event, rails_on, signed
from webhooks.inbound.http import MOST_READ, build_router

PAYMENT = {"id": "pi_1", "object": "payment_intent"}
NOW = 1_760_000_000


def door(db: Database, *, livemode: bool = False, fixed: bool = False) -> httpx.AsyncClient:
    """A client of the door alone."""
    app = FastAPI()
    rails = rails_on(CardTruth(), livemode=livemode)
    versions = {"stripe": "2026-10-28.endive"}
    if fixed:
        app.include_router(build_router(db, rails, clock=lambda: datetime.fromtimestamp(NOW, UTC)))
    else:
        app.include_router(build_router(db, rails, api_versions=versions))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door")


@pytest.fixture
async def client(db: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with door(db) as found:
        yield found


async def counts(db: Database) -> tuple[int, int, int]:
    """How many notifications, jobs and alerts there are."""
    async with db.connection() as connection:
        row = await connection.fetchrow(
            """
            SELECT (SELECT count(*) FROM notifications), (SELECT count(*) FROM pgqueuer), (SELECT count(*) FROM alerts)
            """
        )
    assert row is not None
    return row[0], row[1], row[2]


async def test_a_signed_notification_is_stored_raw_with_its_job(db: Database, client: httpx.AsyncClient) -> None:
    body = event("payment_intent.succeeded", PAYMENT, "evt_1") + b"\n"
    answer = await client.post("/hooks/stripe", content=body, headers=signed(body))
    assert (answer.status_code, answer.content) == (200, b"")
    assert await counts(db) == (1, 1, 0)
    [stored] = await column(db, "SELECT body FROM notifications")
    assert stored == body
    [job] = await column(
        db, "SELECT convert_from(payload, 'UTF8') FROM pgqueuer WHERE entrypoint = 'process_notification'"
    )
    assert [job] == await column(db, "SELECT id FROM notifications WHERE state = 'received'")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=",
        f"t={NOW}",
        f"t={NOW},v0=" + "0" * 64,
        f"t={NOW}" + (",v1=" + "0" * 64) * 1000,
        "v1=" + "0" * 64,
        "\xff",
    ],
)
async def test_h_01_no_signature_that_counts(db: Database, header: str | None) -> None:
    body = event("payment_intent.succeeded", PAYMENT)
    async with door(db, fixed=True) as client:
        headers = {} if header is None else {"Stripe-Signature": header.encode("latin-1")}
        answer = await client.post("/hooks/stripe", content=body, headers=headers)
    assert (answer.status_code, answer.content) == (400, b"")
    assert await counts(db) == (0, 0, 0)


async def test_h_02_a_body_that_is_not_the_signed_one(db: Database, client: httpx.AsyncClient) -> None:
    body = event("payment_intent.succeeded", PAYMENT)
    headers = signed(body)
    for changed in (body[:-1], body + b" ", body + b"\r\n", b"\xef\xbb\xbf" + body, body.replace(b":", b": "), b""):
        assert (await client.post("/hooks/stripe", content=changed, headers=headers)).status_code == 400
    assert await counts(db) == (0, 0, 0)


@pytest.mark.parametrize("age", [-301, 301, -86_400, 86_400])
async def test_h_03_fault_f_22_too_old_or_from_the_future(db: Database, age: int) -> None:
    body = event("payment_intent.succeeded", PAYMENT)
    async with door(db, fixed=True) as client:
        refused = await client.post("/hooks/stripe", content=body, headers=signed(body, at=NOW + age))
        taken = await client.post(
            "/hooks/stripe", content=body, headers=signed(body, at=NOW + (300 if age > 0 else -300))
        )
    assert (refused.status_code, taken.status_code) == (400, 200)


async def test_h_03_times_that_are_none(db: Database) -> None:
    body = event("payment_intent.succeeded", PAYMENT)
    good = signed(body, at=NOW)["Stripe-Signature"]
    async with door(db, fixed=True) as client:
        for header in (
            good.replace(str(NOW), "soon"),
            f"t={NOW},{good}",
            good.replace("t=", "t=-"),
            good.replace(str(NOW), "1" * 30),
        ):
            assert (
                await client.post("/hooks/stripe", content=body, headers={"Stripe-Signature": header})
            ).status_code == 400
    assert await counts(db) == (0, 0, 0)


async def test_h_04_the_secret_of_another_endpoint(db: Database, client: httpx.AsyncClient) -> None:
    body = event("payment_intent.succeeded", PAYMENT)
    headers = signed(body, secret=SECRET + "x")
    assert (await client.post("/hooks/stripe", content=body, headers=headers)).status_code == 400
    assert await counts(db) == (0, 0, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"object":"event"}',
        b" " * MOST_READ,
        b" " * (MOST_READ + 1),
        event("payment_intent.succeeded", PAYMENT, "evt\x00"),
        event("payment_intent\x00", PAYMENT),
    ],
)
async def test_h_05_signed_garbage(db: Database, client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/hooks/stripe", content=body, headers=signed(body))
    assert (answer.status_code, answer.content) == (400, b"")
    notifications, jobs, _ = await counts(db)
    assert (notifications, jobs) == (0, 0)


async def test_h_05_what_is_signed_and_cannot_be_read_raises_an_alert(db: Database, client: httpx.AsyncClient) -> None:
    body = event("payment_intent.succeeded", PAYMENT, "evt\x00")
    for _ in range(3):
        await client.post("/hooks/stripe", content=body, headers=signed(body))
    assert await column(db, "SELECT kind FROM alerts") == ["notification_unreadable"]


async def test_h_06_a_hundred_replays_at_once_are_stored_once(db: Database, client: httpx.AsyncClient) -> None:
    body = event("payment_intent.succeeded", PAYMENT, "evt_same")
    headers = signed(body)
    answers = await asyncio.gather(*(client.post("/hooks/stripe", content=body, headers=headers) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert await counts(db) == (1, 1, 0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"livemode": True}, "wrong_mode"),
        ({"account": "acct_other"}, "wrong_account"),
        ({"api_version": "2019-01-01"}, "wrong_version"),
        ({"api_version": None}, "wrong_version"),
    ],
)
async def test_h_07_fault_f_23_not_meant_for_us(
    db: Database, client: httpx.AsyncClient, changes: dict[str, object], why: str
) -> None:
    body = event("payment_intent.succeeded", PAYMENT, **changes)
    for _ in range(2):
        assert (await client.post("/hooks/stripe", content=body, headers=signed(body))).status_code == 200
    assert await counts(db) == (1, 0, 1)
    assert await column(db, "SELECT state FROM notifications") == ["quarantined"]
    assert await column(db, "SELECT subject FROM alerts") == [f"stripe:{why}"]


async def test_h_07_a_test_event_in_live_mode(db: Database) -> None:
    async with door(db, livemode=True) as client:
        body = event("payment_intent.succeeded", PAYMENT)
        assert (await client.post("/hooks/stripe", content=body, headers=signed(body))).status_code == 200
    assert await column(db, "SELECT error FROM notifications") == ["wrong_mode"]


async def test_h_08_unknown_provider_and_wrong_method(db: Database, client: httpx.AsyncClient) -> None:
    body = event("payment_intent.succeeded", PAYMENT)
    for path in ("/hooks/nobody", "/hooks/STRIPE", "/hooks/stripe/x", "/hooks/%00"):
        assert (await client.post(path, content=body, headers=signed(body))).status_code == 404
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert (await client.request(method, "/hooks/stripe")).status_code == 405
    assert await counts(db) == (0, 0, 0)


async def test_h_11_the_bytes_that_came_are_the_bytes_that_are_verified(
    db: Database, client: httpx.AsyncClient
) -> None:
    body = event("payment_intent.succeeded", PAYMENT)

    async def chunks() -> AsyncIterator[bytes]:
        for position in range(0, len(body), 7):
            yield body[position : position + 7]

    assert (await client.post("/hooks/stripe", content=chunks(), headers=signed(body))).status_code == 200
    packed = gzip.compress(body)
    headers = {**signed(body), "content-encoding": "gzip"}
    assert (await client.post("/hooks/stripe", content=packed, headers=headers)).status_code == 400


async def test_h_10_many_at_once_are_all_stored_and_acknowledged_soon(db: Database, client: httpx.AsyncClient) -> None:
    bodies = [event("payment_intent.succeeded", PAYMENT) for _ in range(100)]
    answers = await asyncio.gather(
        *(client.post("/hooks/stripe", content=body, headers=signed(body)) for body in bodies)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert await counts(db) == (100, 100, 0)
