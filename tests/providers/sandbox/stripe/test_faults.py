"""Misbehaviour on command, and the request log that an auditor reads."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.providers.sandbox.stripe.far_side import FarSide

FORM = {"amount": "1000", "currency": "eur"}


async def made(far: FarSide) -> int:
    return len((await far.stripe.payment_intents.list_async()).data)


@pytest.mark.parametrize(
    ("kind", "status", "count"), [("error_before", 503, 0), ("error_after", 503, 1), ("garbage", 200, 1)]
)
async def test_errors_before_and_after(far: FarSide, kind: str, status: int, count: int) -> None:
    await far.arm(kind, status=503, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    spoilt = await far.post("payment_intents", FORM)
    assert spoilt.status_code == status
    if kind == "garbage":
        assert spoilt.text.startswith("<html>")
    else:
        assert spoilt.headers["retry-after"] == "Wed, 21 Oct 2015 07:28:00 GMT"
    assert await made(far) == count
    assert (await far.post("payment_intents", FORM)).status_code == 200


@pytest.mark.parametrize(("kind", "count"), [("lost_before", 0), ("lost", 1)])
async def test_a_lost_answer_has_not_one_byte(far: FarSide, kind: str, count: int) -> None:
    await far.arm(kind)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await far.post("payment_intents", FORM)
    assert await made(far) == count


async def test_a_delay(far: FarSide) -> None:
    await far.arm("delay", seconds=0.2)
    began = time.monotonic()
    assert (await far.post("payment_intents", FORM)).status_code == 200
    assert time.monotonic() - began >= 0.2


async def test_a_fault_meets_only_what_it_names_and_ends(far: FarSide) -> None:
    async with far.neighbour() as other:
        await far.arm("error_before", method="POST", path="/capture$", times=2)
        await far.arm("error_before", target="kraken")
        intent = await far.open()
        await far.act("pay", payment_intent=intent.id, card="4242424242424242")
        theirs = await other.open()
        assert (await other.post(f"payment_intents/{theirs.id}/capture")).status_code == 400
        for status in (500, 500, 200):
            assert (await far.post(f"payment_intents/{intent.id}/capture")).status_code == status
        cleared = await far.http.delete("/control/faults", params={"account": far.secret_key})
        assert cleared.json() == {"cleared": 1}


async def test_clearing_leaves_the_faults_of_others(far: FarSide) -> None:
    async with far.neighbour() as other:
        await far.arm("error_before")
        await other.arm("error_before")
        await far.http.delete("/control/faults", params={"account": far.secret_key})
        assert (await far.post("payment_intents", FORM)).status_code == 200
        assert (await other.post("payment_intents", FORM)).status_code == 500


@pytest.mark.parametrize("body", [{"kind": "nonsense"}, {"kind": "lost", "path": "("}, {"kind": "lost", "colour": 1}])
async def test_an_order_that_cannot_be_read_is_refused(far: FarSide, body: dict[str, object]) -> None:
    assert (await far.http.post("/control/faults", json=body)).status_code == 422


async def test_every_request_is_in_the_log_in_order(far: FarSide) -> None:
    before = time.time()
    intent = (await far.post("payment_intents", FORM, idempotency_key="pay_1")).json()["id"]
    await far.post("payment_intents", {"amount": "1"}, idempotency_key="pay_2")
    await far.arm("lost")
    with pytest.raises(httpx.TransportError):
        await far.post("payment_intents", FORM, idempotency_key="pay_3")
    await far.stripe.payment_intents.retrieve_async(intent)
    lines = await far.requests()
    assert [(line["method"], line["idempotency_key"], line["status"], line["fault"]) for line in lines] == [
        ("POST", "pay_1", 200, None),
        ("POST", "pay_2", 400, None),
        ("POST", "pay_3", None, "lost"),
        ("GET", None, 200, None),
    ]
    assert [line["path"] for line in lines[:3]] == ["/v1/payment_intents"] * 3
    assert all(before <= float(str(line["received_at"])) <= time.time() for line in lines)
    assert far.secret_key not in str(lines)
    after = int(str(lines[1]["id"]))
    page = await far.http.get("/control/requests", params={"account": far.secret_key, "after": after, "limit": 1})
    assert ([line["idempotency_key"] for line in page.json()["data"]], page.json()["has_more"]) == (["pay_3"], True)
