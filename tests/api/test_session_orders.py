"""One order for a session, whatever is pressed twice, opened twice or lost on its way (faults.md S-11)."""

from __future__ import annotations

import asyncio

import pytest

from app.services.session_entry import MOST_A_MINUTE
from tests.api.front import ADDRESS, Caller, Front
from tests.api.refusals import check, pointers
from tests.api.test_session_bound import OTHER
from tests.api.visits import Browser, Json, make_old, visit


async def orders_of(front: Front, browser: Browser) -> list[str]:
    """The states of every order that the session has placed."""
    async with front.context.db.connection() as connection:
        rows = await connection.fetch(
            "SELECT state FROM orders WHERE session_id = $1 ORDER BY created_at, id", browser.session_id
        )
    return [row["state"] for row in rows]


async def place(browser: Browser, quote: Json, address: str = ADDRESS, key: str | None = None) -> Json:
    """An order, which must be placed."""
    response = await browser.post("/orders", {"quote_id": quote["id"], "address": address}, key=key)
    assert response.status_code == 201, response.text
    found: Json = response.json()
    return found


async def test_from_an_amount_to_a_paid_order(caller: Caller) -> None:
    browser = await visit(caller)
    view = await browser.view()
    assert (view["status"], view["quote"], view["order"], view["timeline"]) == ("opened", None, None, [])
    assert view["limits"] == {"min": "1.00", "max": "1000000.00", "asset": "EUR"}
    assert view["payment_methods"] == ["card"]
    quote = await browser.quote()
    assert (await browser.view())["quote"] == quote
    order = await place(browser, quote)
    view = await browser.view()
    assert (view["status"], view["order"], view["quote"]) == ("ordered", order, None)
    assert order["payment"]["client_secret"]
    assert [stage["stage"] for stage in view["timeline"]] == ["authorization"]


@pytest.mark.parametrize(
    ("card", "status", "code"),
    [
        ("pm_card_visa", "succeeded", None),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "declined", "insufficient_funds"),
        ("pm_card_threeDSecure2Required", "requires_action", None),
    ],
)
async def test_test_cards(caller: Caller, card: str, status: str, code: str | None) -> None:
    browser = await visit(caller)
    check(await browser.post("/pay", {"payment_method": card}), 404, "not_found")
    await place(browser, await browser.quote())
    paid = await browser.post("/pay", {"payment_method": card}, key="pay")
    assert paid.json() == {"object": "test_payment", "status": status, "code": code}
    again = await browser.post("/pay", {"payment_method": card}, key="pay")
    assert (again.json(), again.headers["idempotency-replayed"]) == (paid.json(), "true")


@pytest.mark.parametrize(("outcome", "status"), [("succeeded", "succeeded"), ("failed", "declined")])
async def test_the_challenge(caller: Caller, outcome: str, status: str) -> None:
    browser = await visit(caller)
    await place(browser, await browser.quote())
    await browser.post("/pay", {"payment_method": "pm_card_threeDSecure2Required"})
    answer = await browser.post("/authenticate", {"outcome": outcome})
    assert answer.json()["status"] == status


async def test_a_card_that_is_none_of_the_test_cards(caller: Caller) -> None:
    browser = await visit(caller)
    response = await browser.post("/pay", {"payment_method": "pm_card_other"})
    assert pointers(response) == ["/payment_method"]


async def test_s_11_the_same_quote_gives_the_same_order(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    quote = await browser.quote()
    first = await place(browser, quote, key="tab-1")
    assert await place(browser, quote, key="tab-1") == first
    assert await place(browser, quote, key="tab-2") == first
    assert await place(browser, quote, ADDRESS.upper(), key="tab-3") == first, "the same address, spelled otherwise"
    other = await browser.post("/orders", {"quote_id": quote["id"], "address": OTHER})
    check(other, 409, "conflict_state")
    assert len(await orders_of(front, browser)) == 1


async def test_s_11_submitted_many_times_at_once(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    quote = await browser.quote()
    placed = await asyncio.gather(*(place(browser, quote, key=f"s-{n}") for n in range(MOST_A_MINUTE["order"])))
    assert len({order["id"] for order in placed}) == 1
    assert await orders_of(front, browser) == ["awaiting_payment"]


async def test_s_11_two_tabs_with_a_quote_each(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    quotes = [await browser.quote(f"{100 + n}.00") for n in range(MOST_A_MINUTE["order"])]
    answers = await asyncio.gather(
        *(browser.post("/orders", {"quote_id": quote["id"], "address": ADDRESS}) for quote in quotes)
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * (len(quotes) - 1)]
    for answer in answers:
        if answer.status_code == 409:
            check(answer, 409, "conflict_state")
    assert await orders_of(front, browser) == ["awaiting_payment"]


async def test_it_is_the_database_that_lets_one_order_live(front: Front, caller: Caller) -> None:
    """Without its guard the very same requests place two: nothing else stands between them."""
    browser = await visit(caller)
    first, second = await browser.quote(), await browser.quote("101.00")
    async with front.context.db.connection() as connection:
        await connection.execute("ALTER TABLE orders DISABLE TRIGGER orders_of_sessions")
        try:
            await asyncio.gather(place(browser, first), place(browser, second))
        finally:
            await connection.execute("ALTER TABLE orders ENABLE TRIGGER orders_of_sessions")
    assert await orders_of(front, browser) == ["awaiting_payment"] * 2


async def test_another_order_may_follow_one_that_came_to_nothing(front: Front, caller: Caller) -> None:
    browser = await visit(caller, external_id="again-1")
    first = await place(browser, await browser.quote())
    quote = await browser.quote()
    check(await browser.post("/orders", {"quote_id": quote["id"], "address": ADDRESS}), 409, "conflict_state")
    canceled = await browser.post("/cancel")
    assert (canceled.json()["id"], canceled.json()["status"]) == (first["id"], "canceled")
    assert (await browser.view())["status"] == "opened"
    second = await place(browser, quote)
    assert second["id"] != first["id"]
    assert await orders_of(front, browser) == ["canceled", "awaiting_payment"]
    named = [(await caller.get(f"/v1/orders/{order['id']}")).json()["external_id"] for order in (first, second)]
    assert named == ["again-1", None]


async def test_what_was_bought_elsewhere_is_not_bought_again(caller: Caller) -> None:
    first, second = await visit(caller, external_id="cart-1"), await visit(caller, external_id="cart-1")
    await place(first, await first.quote())
    quote = await second.quote()
    answer = await second.post("/orders", {"quote_id": quote["id"], "address": ADDRESS})
    check(answer, 409, "conflict_state")


async def test_s_11_quotes_of_others_and_of_no_session_are_not_found(caller: Caller) -> None:
    browser, other = await visit(caller), await visit(caller)
    theirs, partners = await other.quote(), await caller.quote()
    for quote in (theirs, partners):
        answer = await browser.post("/orders", {"quote_id": quote["id"], "address": ADDRESS})
        check(answer, 404, "not_found")
    mine = await browser.quote()
    body = {"quote_id": mine["id"], "destination": {"address": ADDRESS}}
    check(await caller.post("/v1/orders", body), 404, "not_found")


async def test_keys_of_one_session_are_not_those_of_another_nor_of_the_partner(caller: Caller) -> None:
    first, second = await visit(caller), await visit(caller)
    answers = [await browser.post("/quotes", {"amount": "100.00"}, key="k") for browser in (first, second)]
    assert answers[0].json()["id"] != answers[1].json()["id"]
    assert (await caller.get("/v1/idempotency_keys/k")).status_code == 404
    check(await first.post("/quotes", {"amount": "101.00"}, key="k"), 422, "idempotency_mismatch")
    check(await first.http.post("/v1/session/quotes", json={}, headers=first.headers), 400, "idempotency_key_missing")


async def test_s_11_an_order_that_is_on_its_way_when_the_session_ends(front: Front, caller: Caller) -> None:
    """The door has let the request in; the database refuses it all the same."""
    ended, over = await visit(caller), await visit(caller)
    for browser in (ended, over):
        quote = await browser.quote()
        async with front.context.db.transaction() as tx:
            await tx.execute("SELECT 1 FROM sessions WHERE id = $1 FOR NO KEY UPDATE", browser.session_id)
            sending = asyncio.create_task(
                browser.post("/orders", {"quote_id": quote["id"], "address": ADDRESS}, key="late")
            )
            while not await tx.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
            await tx.execute("SET LOCAL session_replication_role = replica")
            if browser is ended:
                change = "status = 'revoked', revoked_at = now(), revoked_reason = 'partner'"
            else:
                change = "expires_at = now()"
            await tx.execute(f"UPDATE sessions SET {change} WHERE id = $1", browser.session_id)  # noqa: S608
        check(await sending, 401, "session_expired")
        assert await orders_of(front, browser) == []


async def test_an_order_is_looked_at_and_paid_after_the_sessions_time(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    quote = await browser.quote()
    order = await place(browser, quote)
    await make_old(front, browser.session_id)
    view = await browser.view()
    assert (view["status"], view["order"]) == ("ordered", order)
    for path, body in (
        ("/quotes", {"amount": "100.00"}),
        ("/orders", {"quote_id": quote["id"], "address": ADDRESS}),
        ("/addresses", {"address": ADDRESS}),
    ):
        check(await browser.post(path, body), 401, "session_expired")
    assert (await browser.post("/pay", {"payment_method": "pm_card_visa"})).json()["status"] == "succeeded"
    await make_old(front, browser.session_id, by="7 days")
    check(await browser.get(), 401, "session_expired")


async def test_addresses(caller: Caller) -> None:
    browser = await visit(caller)
    for address, wanted in (
        (ADDRESS.upper(), {"valid": True, "normalised": ADDRESS, "look_alike": False, "code": None}),
        (ADDRESS[:-1] + "1", {"valid": False, "normalised": None, "look_alike": False, "code": "address_invalid"}),
        (
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            {"valid": False, "normalised": None, "look_alike": False, "code": "network_mismatch"},
        ),
    ):
        answer = await browser.post("/addresses", {"address": address})
        assert answer.json() == {"object": "address", **wanted}
    assert (await browser.post("/orders", {"quote_id": "qt_x", "address": "x"})).status_code == 404


async def test_an_address_that_looks_like_one_used_before(front: Front, caller: Caller) -> None:
    browser, stranger = await visit(caller, customer={"reference": "u-9"}), await visit(caller)
    order = await place(browser, await browser.quote())
    assert not (await browser.post("/addresses", {"address": ADDRESS})).json()["look_alike"], "it is the very same"
    alike = f"bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq{ADDRESS[-4:]}"
    async with front.context.db.transaction() as tx:
        await tx.execute("UPDATE orders SET address = $2 WHERE id = $1", order["id"], alike)
    assert (await browser.post("/addresses", {"address": ADDRESS})).json()["look_alike"]
    assert not (await stranger.post("/addresses", {"address": ADDRESS})).json()["look_alike"]
