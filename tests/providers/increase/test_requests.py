"""What is asked of Increase, how often, and what stands under a key."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderThrottled, ProviderUnavailable
from app.ports.payout import PayoutStatus
from providers.increase.rail import IncreaseRail
from tests.providers.sandbox.increase.far_side import asked

BASE = "https://increase.test"
TRANSFERS = f"{BASE}/ach_transfers"
REFERENCE = "sandbox_ach_transfer_1"
REQUEST = asked(units=1_000, key="po_1")

GOOD: dict[str, Any] = {
    "id": REFERENCE,
    "type": "ach_transfer",
    "amount": 1_000,
    "currency": "USD",
    "status": "pending_submission",
    "idempotency_key": "po_1",
    "routing_number": "110000000",
    "account_number": "987600001111",
    "notifications_of_change": [],
    "settlement": None,
    "return": None,
}


SETTLED = {"settlement": {"settled_at": "2026-11-20T12:00:00Z"}}


@pytest.fixture
async def rail() -> AsyncIterator[IncreaseRail]:
    adapter = IncreaseRail("secret_1", account_id="sandbox_account_1", livemode=False, api_base=BASE)
    yield adapter
    await adapter.aclose()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def error(status: int, kind: str, **headers: str) -> httpx.Response:
    body = {"type": kind, "status": status, "title": "said by Increase", "detail": "account 987600001111"}
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): text for name, text in headers.items()})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0", 0.0), ("315360000", 315_360_000.0), ("soon", None), ("-1", None), ("nan", None), ("inf", None)],
)
async def test_fault_f_35_retry_after_in_seconds(
    rail: IncreaseRail, wire: respx.MockRouter, text: str, seconds: float | None
) -> None:
    wire.post(TRANSFERS).mock(return_value=error(429, "rate_limited_error", retry_after=text))
    with pytest.raises(ProviderThrottled) as caught:
        await rail.send(REQUEST)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, 0.0), ("Fri, 31 Dec 2999 23:59:59 GMT", 1e9, 1e11)],
)
async def test_fault_f_35_retry_after_as_a_date(
    rail: IncreaseRail, wire: respx.MockRouter, text: str, least: float, most: float
) -> None:
    wire.post(TRANSFERS).mock(return_value=error(429, "rate_limited_error", retry_after=text))
    with pytest.raises(ProviderThrottled) as caught:
        await rail.send(REQUEST)
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most


async def test_fault_f_35_retry_after_in_the_answer(rail: IncreaseRail, wire: respx.MockRouter) -> None:
    wire.post(TRANSFERS).respond(429, json={"type": "rate_limited_error", "status": 429, "retry_after": 12})
    with pytest.raises(ProviderThrottled) as caught:
        await rail.send(REQUEST)
    assert caught.value.retry_after == 12


async def test_one_call_is_one_request_whatever_the_answer_asks_for(rail: IncreaseRail, wire: respx.MockRouter) -> None:
    """The SDK would repeat a 500, a 409 and whatever says `x-should-retry`."""
    for answer in (
        error(500, "internal_server_error", x_should_retry="true"),
        error(409, "a_new_error"),
        httpx.Response(408, text="slow"),
    ):
        route = wire.post(TRANSFERS).mock(return_value=answer)
        route.reset()
        with pytest.raises((OutcomeUnknown, ProviderUnavailable)):
            await rail.send(REQUEST)
        assert route.call_count == 1
        assert route.calls.last.request.headers["idempotency-key"] == "po_1"


async def test_the_key_never_follows_a_redirect(rail: IncreaseRail, wire: respx.MockRouter) -> None:
    elsewhere = wire.route(host="evil.test").respond(json=GOOD)
    for status in (301, 302, 307, 308):
        wire.post(TRANSFERS).respond(status, headers={"location": "https://evil.test/ach_transfers"})
        with pytest.raises(OutcomeUnknown):
            await rail.send(REQUEST)
    assert not elsewhere.called


async def test_a_replayed_answer_is_read_anew(rail: IncreaseRail, wire: respx.MockRouter) -> None:
    wire.post(TRANSFERS).respond(json=GOOD, headers={"Idempotent-Replayed": "true"})
    wire.get(f"{TRANSFERS}/{REFERENCE}").respond(json=GOOD | {"status": "submitted", **SETTLED})
    assert (await rail.send(REQUEST)).status is PayoutStatus.SETTLED


@pytest.mark.parametrize(
    ("resource", "document"),
    [
        (None, GOOD),
        ("sandbox_wire_transfer_1", GOOD),
        ("sandbox_account_number_1", GOOD),
        (REFERENCE, GOOD | {"amount": 999}),
        (REFERENCE, GOOD | {"account_number": "1"}),
    ],
)
async def test_a_key_of_something_else_stays_refused(
    rail: IncreaseRail, wire: respx.MockRouter, resource: str | None, document: dict[str, Any]
) -> None:
    body = {"type": "idempotency_key_already_used_error", "status": 409, "title": "used", "resource_id": resource}
    wire.post(TRANSFERS).respond(409, json=body)
    wire.get(f"{TRANSFERS}/{REFERENCE}").respond(json=document)
    with pytest.raises(ProviderRejected) as caught:
        await rail.send(REQUEST)
    assert caught.value.code == "idempotency_key_already_used_error"


async def test_what_stands_under_a_used_key_may_be_out_of_reach(rail: IncreaseRail, wire: respx.MockRouter) -> None:
    body = {"type": "idempotency_key_already_used_error", "status": 409, "title": "used", "resource_id": REFERENCE}
    wire.post(TRANSFERS).respond(409, json=body)
    wire.get(f"{TRANSFERS}/{REFERENCE}").respond(500)
    with pytest.raises(ProviderUnavailable):
        await rail.send(REQUEST)


@pytest.mark.parametrize("count", [0, 2])
async def test_without_one_clear_account_nothing_is_paid(wire: respx.MockRouter, count: int) -> None:
    accounts = [{"id": f"sandbox_account_{number}", "type": "account"} for number in range(count)]
    wire.get(f"{BASE}/accounts").respond(json={"data": accounts, "next_cursor": None})
    rail = IncreaseRail("secret_1", account_id=None, livemode=False, api_base=BASE)
    with pytest.raises(ProviderRejected) as caught:
        await rail.send(REQUEST)
    await rail.aclose()
    assert caught.value.code == "account_unclear"


def test_importing_the_adapter_says_nothing_and_writes_nothing(tmp_path: Path) -> None:
    code = "import providers.increase.rail as r; r.IncreaseRail('k', account_id='account_1', livemode=True)"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
