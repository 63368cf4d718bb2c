"""Answers of Increase that the far side does not give, byte by byte, and what our ports call them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import respx

from app.domain.payout import PayoutMethod
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderThrottled, ProviderUnavailable
from app.ports.payout import CreditStatus, PayoutStatus
from providers.increase.rail import IncreaseRail
from tests.providers.sandbox.increase.far_side import asked, dollars

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
RETURN = {"created_at": "2026-11-23T12:00:00Z", "raw_return_reason_code": "R03", "return_reason_code": "no_account"}
WIRE = GOOD | {"id": "sandbox_wire_transfer_1", "type": "wire_transfer", "reversal": None}
REVERSAL = {"amount": 1_000, "created_at": "2026-11-23T12:00:00Z", "return_reason_code": None}


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
    ("failure", "sending", "reading"),
    [
        (httpx.ConnectError("refused"), ProviderUnavailable, ProviderUnavailable),
        (httpx.ConnectTimeout("slow"), ProviderUnavailable, ProviderUnavailable),
        (httpx.PoolTimeout("busy"), ProviderUnavailable, ProviderUnavailable),
        (httpx.ReadTimeout("slow"), OutcomeUnknown, ProviderUnavailable),
        (httpx.WriteTimeout("slow"), OutcomeUnknown, ProviderUnavailable),
        (httpx.ReadError("reset"), OutcomeUnknown, ProviderUnavailable),
        (httpx.WriteError("reset"), OutcomeUnknown, ProviderUnavailable),
        (httpx.RemoteProtocolError("closed"), OutcomeUnknown, ProviderUnavailable),
        (error(500, "internal_server_error"), OutcomeUnknown, ProviderUnavailable),
        (error(502, "internal_server_error"), OutcomeUnknown, ProviderUnavailable),
        (error(503, "internal_server_error", retry_after="5"), OutcomeUnknown, ProviderUnavailable),
        (error(500, "invalid_parameters_error"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(408, text="slow"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(500, text="<html>"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(200, text="<html>"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(200, text='{"id": "sandbox_ach'), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(200, content=b"\xff\xfe"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(400, json={"type": None}), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(400, json=[1]), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(400, text="<html>"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(404, text="not found"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(403, text="blocked by the proxy"), OutcomeUnknown, ProviderUnavailable),
        (error(400, "a_new_error"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(302, headers={"location": "http://evil.test"}), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(409, text="busy"), ProviderUnavailable, ProviderUnavailable),
        (error(409, "a_new_error"), ProviderUnavailable, ProviderUnavailable),
        (error(429, "rate_limited_error"), ProviderThrottled, ProviderThrottled),
        (httpx.Response(429, text="slow down"), ProviderThrottled, ProviderThrottled),
        (error(400, "invalid_parameters_error"), ProviderRejected, ProviderRejected),
        (error(400, "malformed_request_error"), ProviderRejected, ProviderRejected),
        (error(401, "invalid_api_key_error"), ProviderRejected, ProviderUnavailable),
        (error(403, "environment_mismatch_error"), ProviderRejected, ProviderRejected),
        (error(403, "insufficient_permissions_error"), ProviderRejected, ProviderRejected),
        (error(403, "private_feature_error"), ProviderRejected, ProviderRejected),
        (error(404, "object_not_found_error"), ProviderRejected, ProviderRejected),
        (error(404, "api_method_not_found_error"), ProviderRejected, ProviderRejected),
        (error(409, "invalid_operation_error"), ProviderRejected, ProviderRejected),
        (error(409, "idempotency_key_already_used_error"), ProviderRejected, ProviderRejected),
    ],
)
async def test_every_failure_has_its_class(
    rail: IncreaseRail,
    wire: respx.MockRouter,
    failure: httpx.Response | Exception,
    sending: type[Exception],
    reading: type[Exception],
) -> None:
    for route in (wire.post(TRANSFERS), wire.get(f"{TRANSFERS}/{REFERENCE}"), wire.get(TRANSFERS)):
        if isinstance(failure, Exception):
            route.mock(side_effect=failure)
        else:
            route.mock(return_value=failure)
    with pytest.raises(sending) as caught:
        await rail.send(REQUEST)
    assert type(caught.value) is sending
    assert "secret_1" not in str(caught.value)
    assert "987600001111" not in str(caught.value)
    for read in (rail.fetch(REFERENCE), rail.find("po_1", PayoutMethod.ACH)):
        with pytest.raises(reading) as caught:
            await read
        assert type(caught.value) is reading


@pytest.mark.parametrize("answer", ["null", "[]", '"x"', "{}"])
async def test_fault_f_36_json_that_is_nothing(rail: IncreaseRail, wire: respx.MockRouter, answer: str) -> None:
    wire.post(TRANSFERS).respond(text=answer)
    wire.get(TRANSFERS).respond(text=answer)
    with pytest.raises(OutcomeUnknown):
        await rail.send(REQUEST)
    with pytest.raises(OutcomeUnknown):
        await rail.find("po_1", PayoutMethod.ACH)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 1_001},
        {"amount": -1_000},
        {"amount": True},
        {"amount": 1000.0},
        {"amount": "1000"},
        {"amount": None},
        {"currency": "EUR"},
        {"currency": None},
        {"id": "sandbox_wire_transfer_1"},
        {"id": "ach_transfer_1"},  # a live one
        {"id": None},
        {"type": "wire_transfer"},
        {"type": None},
        {"status": None},
        {"status": 7},
        {"idempotency_key": "po_2"},
        {"idempotency_key": None},
        {"idempotency_key": 1},
        {"account_number": "987600001112"},
        {"routing_number": "101050001"},
        {"notifications_of_change": None},
        {"notifications_of_change": [{"change_code": None}]},
        {"settlement": "yes", "status": "submitted"},
        {"status": "returned"},
        {"status": "returned", "return": RETURN | {"created_at": "yesterday"}},
        {"status": "returned", "return": RETURN | {"created_at": "2026-11-23T12:00:00"}},
        {"status": "returned", "return": RETURN | {"return_reason_code": None}},
    ],
)
async def test_fault_f_36_an_answer_that_breaks_the_contract_is_no_answer(
    rail: IncreaseRail, wire: respx.MockRouter, change: dict[str, object]
) -> None:
    wire.post(TRANSFERS).respond(json=GOOD | change)
    with pytest.raises(OutcomeUnknown) as caught:
        await rail.send(REQUEST)
    assert caught.value.code == "contract_violation"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"colour": "red"}, PayoutStatus.PENDING),
        (
            {"status": "submitted", "acknowledgement": {"acknowledged_at": "2026-11-20T12:00:00Z"}},
            PayoutStatus.SUBMITTED,
        ),
        ({"status": "submitted", **SETTLED}, PayoutStatus.SETTLED),
        ({"status": "returned", "return": RETURN, **SETTLED}, PayoutStatus.RETURNED),
        ({"status": "rejected"}, PayoutStatus.FAILED),
        ({"status": "canceled"}, PayoutStatus.CANCELED),
        ({"status": "requires_patience", **SETTLED}, PayoutStatus.UNKNOWN),
    ],
)
async def test_where_an_ach_transfer_stands(
    rail: IncreaseRail, wire: respx.MockRouter, change: dict[str, object], status: PayoutStatus
) -> None:
    wire.get(f"{TRANSFERS}/{REFERENCE}").respond(json=GOOD | change)
    receipt = await rail.fetch(REFERENCE)
    assert (receipt.status, receipt.provider_status) == (status, (GOOD | change)["status"])
    assert (receipt.returned is not None) is (status is PayoutStatus.RETURNED)
    assert (receipt.decline is not None) is (status is PayoutStatus.FAILED)


async def test_an_unknown_return_reason_keeps_the_schemes_code(rail: IncreaseRail, wire: respx.MockRouter) -> None:
    reason = {"raw_return_reason_code": "R99", "return_reason_code": "a_new_reason"}
    wire.get(f"{TRANSFERS}/{REFERENCE}").respond(json=GOOD | {"status": "returned", "return": RETURN | reason})
    returned = (await rail.fetch(REFERENCE)).returned
    assert returned is not None
    assert (returned.code, returned.scheme_code) == ("returned_r99", "R99")


async def test_a_wire_that_comes_back_without_a_code(rail: IncreaseRail, wire: respx.MockRouter) -> None:
    url = f"{BASE}/wire_transfers/sandbox_wire_transfer_1"
    wire.get(url).respond(json=WIRE | {"status": "reversed", "reversal": REVERSAL})
    returned = (await rail.fetch("sandbox_wire_transfer_1")).returned
    assert returned is not None
    assert (returned.code, returned.scheme_code) == ("returned", "")


async def test_another_transfer_than_asked_for_is_no_answer(rail: IncreaseRail, wire: respx.MockRouter) -> None:
    wire.get(f"{TRANSFERS}/sandbox_ach_transfer_2").respond(json=GOOD)
    with pytest.raises(OutcomeUnknown):
        await rail.fetch("sandbox_ach_transfer_2")
    # A filter that is not heeded must not hand us somebody else's payout.
    wire.get(TRANSFERS).respond(json={"data": [GOOD | {"idempotency_key": "po_9"}], "next_cursor": None})
    assert await rail.find("po_1", PayoutMethod.ACH) is None


async def test_a_debit_is_no_credit(rail: IncreaseRail, wire: respx.MockRouter) -> None:
    reference = "sandbox_inbound_ach_transfer_1"
    wire.get(f"{BASE}/inbound_ach_transfers/{reference}").respond(
        json={
            "id": reference,
            "type": "inbound_ach_transfer",
            "status": "accepted",
            "amount": 500,
            "direction": "debit",
            "account_number_id": "sandbox_account_number_1",
            "originator_company_name": "ACME",
            "originator_company_entry_description": "PULL",
            "created_at": "2026-11-20T12:00:00Z",
        }
    )
    credit = await rail.fetch_credit(reference)
    assert (credit.status, credit.amount, credit.provider_status, credit.message) == (
        CreditStatus.UNKNOWN,
        dollars(-500),
        "debit_accepted",
        "PULL",
    )
