"""What a page may not say: naming what is bound voids the session, and cards are not for our fields (S-05 to S-08)."""

from __future__ import annotations

import pytest

from app.domain.session import BOUND
from app.services.session_entry import MOST_A_MINUTE
from tests.api.front import ADDRESS, Caller, Front
from tests.api.refusals import ULID, check, pointers
from tests.api.test_sessions import FULL, told
from tests.api.visits import Browser, Json, visit

OTHER = "bcrt1qzyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3lgth6c"


async def is_void(front: Front, browser: Browser) -> bool:
    """Whether nothing works any more, and the partner was told why."""
    check(await browser.get(), 401, "session_expired")
    last = (await told(front, browser.session_id))[-1]
    return (last["type"], last["object"]["revoked_reason"]) == ("session.revoked", "tampered")


@pytest.mark.parametrize("name", sorted(BOUND))
@pytest.mark.parametrize("path", ["/quotes", "/orders", "/addresses", "/pay"])
async def test_s_05_names_of_what_is_always_bound(front: Front, caller: Caller, path: str, name: str) -> None:
    browser = await visit(caller)
    response = await browser.post(path, {name: "x", "address": ADDRESS})
    check(response, 422, "forbidden_data")
    assert pointers(response) == [f"/{name}"]
    assert await is_void(front, browser)


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/quotes", {"amount": "200.00"}, "/amount"),
        ("/quotes", {"amount": "100.00"}, "/amount"),
        ("/quotes", {"side": "destination"}, "/side"),
        ("/quotes", {"payment_method": "bank_transfer"}, "/payment_method"),
        ("/orders", {"quote_id": f"qt_{ULID}", "address": OTHER}, "/address"),
        ("/orders", {"quote_id": f"qt_{ULID}", "address": ADDRESS}, "/address"),
    ],
)
async def test_s_05_what_this_session_has_bound(
    front: Front, caller: Caller, path: str, body: Json, pointer: str
) -> None:
    browser = await visit(caller, **FULL | {"external_id": None})
    response = await browser.post(path, body)
    check(response, 422, "forbidden_data", unsaid=[OTHER])
    assert pointers(response) == [pointer]
    assert await is_void(front, browser)


async def test_s_05_an_order_goes_on_when_its_session_is_void(front: Front, caller: Caller) -> None:
    browser = await visit(caller, **FULL | {"external_id": "void-1"})
    quote = await browser.quote(None)
    order = (await browser.post("/orders", {"quote_id": quote["id"]})).json()
    assert (await browser.post("/quotes", {"amount": "5.00"})).status_code == 422
    assert await is_void(front, browser)
    assert (await caller.get(f"/v1/orders/{order['id']}")).json()["status"] == "awaiting_funds"


async def test_s_05_bound_terms_reach_the_order_as_they_were_bound(caller: Caller) -> None:
    browser = await visit(caller, **FULL | {"external_id": "bound-1"})
    quote = await browser.quote(None)
    assert (quote["source"], quote["payment_method"], quote["country"]) == (FULL["source"], "card", "DE")
    placed = await browser.post("/orders", {"quote_id": quote["id"]})
    order = (await caller.get(f"/v1/orders/{placed.json()['id']}")).json()
    assert order["destination"]["address"] == ADDRESS
    assert (order["external_id"], order["session_id"]) == ("bound-1", browser.session_id)
    assert (order["customer"], order["metadata"]) == (FULL["customer"], FULL["metadata"])


async def test_s_05_the_database_lets_nobody_change_what_is_bound(front: Front, caller: Caller) -> None:
    browser = await visit(caller, **FULL | {"external_id": None})
    async with front.context.db.connection() as connection:
        for change in ("address = 'x'", "amount_units = 1", "partner_id = 'x'", "return_url = NULL", "locale = 'en'"):
            with pytest.raises(Exception, match="does not change"):
                await connection.execute(f"UPDATE sessions SET {change} WHERE id = $1", browser.session_id)  # noqa: S608


async def test_what_the_partner_keeps_for_itself_is_not_shown(front: Front, caller: Caller) -> None:
    browser = await visit(caller, **FULL | {"external_id": "mine-1", "metadata": {"score": "risky-17"}})
    quote = await browser.quote(None)
    placed = await browser.post("/orders", {"quote_id": quote["id"]})
    async with front.context.db.transaction() as tx:
        held = '{"reason": "sanctions", "since": "2026-11-01T12:00:00.000000Z"}'
        await tx.execute("UPDATE orders SET hold = $2::jsonb WHERE id = $1", placed.json()["id"], held)
    view = await browser.get()
    for text in ("risky-17", "mine-1", "sanctions"):
        assert text not in placed.text + view.text
    assert view.json()["order"]["hold"] == {"reason": "review"}


@pytest.mark.parametrize("status", ["?status=success", "?payment_intent=pi_1&redirect_status=succeeded"])
async def test_s_07_what_a_redirect_claims_is_not_read(caller: Caller, status: str) -> None:
    browser = await visit(caller)
    answer = await browser.get(status)
    check(answer, 422, "unknown_field")
    assert (await browser.view())["status"] == "opened"


async def test_s_08_card_data_is_taken_nowhere(caller: Caller) -> None:
    card = "4242424242424242"
    browser = await visit(caller)
    quote = await browser.quote()
    for path, body in (
        ("/quotes", {"amount": "100.00", "payment_method": card}),
        ("/orders", {"quote_id": quote["id"], "address": card}),
        ("/orders", {"quote_id": card}),
        ("/orders", {"quote_id": quote["id"], "bank": {"holder_name": card, "iban": "DE89370400440532013000"}}),
        ("/addresses", {"address": card}),
        ("/pay", {"payment_method": card}),
    ):
        check(await browser.post(path, body), 422, "forbidden_data", unsaid=[card])
    for name in ("card", "number", "cvc", "exp_month"):
        check(await browser.post("/pay", {"payment_method": "pm_card_visa", name: "123"}), 422, "unknown_field")


async def test_f_147_quotes_addresses_and_payments_are_counted(caller: Caller) -> None:
    browser = await visit(caller)
    quote = await browser.quote()
    placed = await browser.post("/orders", {"quote_id": quote["id"], "address": ADDRESS})
    assert placed.status_code == 201
    done = {"/quotes": 1, "/addresses": 0, "/pay": 0}
    bodies: dict[str, Json] = {
        "/quotes": {"amount": "100.00"},
        "/addresses": {"address": ADDRESS},
        "/pay": {"payment_method": "pm_card_visa_chargeDeclined"},
    }
    for path, act in (("/quotes", "quote"), ("/addresses", "address"), ("/pay", "pay")):
        for _ in range(MOST_A_MINUTE[act] - done[path]):
            assert (await browser.post(path, bodies[path])).status_code < 300, path
        limited = await browser.post(path, bodies[path])
        check(limited, 429, "rate_limited")
        assert 1 <= int(limited.headers["retry-after"]) <= 60
    other = await visit(caller)
    assert (await other.post("/quotes", bodies["/quotes"])).status_code == 201, "another session has its own count"
