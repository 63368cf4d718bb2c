"""A customer's visit from the first amount to the end, through the page's own endpoints and the whole program."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.api.visits import BUY, Browser, Json
from tests.support.coins import deposit, mined
from tests.support.world import CUSTOMER_ADDRESS, World

SELL: Json = {
    "direction": "sell",
    "source": {"asset": "BTC", "network": "bitcoin"},
    "destination": {"asset": "EUR"},
    "allowed_origins": ["http://127.0.0.1:3000"],
}
BANK: Json = {"holder_name": "Ada Lovelace", "iban": "DE89 3704 0044 0532 0130 00"}


@pytest.fixture(autouse=True)
async def audited(world: World) -> AsyncIterator[None]:
    """After every test our books agree with themselves, and with what the far side knows."""
    yield
    await world.follow()
    await world.audit()


@asynccontextmanager
async def visiting(world: World, body: Json) -> AsyncIterator[Browser]:
    """A browser that has opened a session of the partner's."""
    made = await world.post("/v1/sessions", body)
    assert made.status_code == 201, made.text
    async with httpx.AsyncClient(base_url=world.api_url, timeout=30, trust_env=False) as http:
        browser = Browser(http, made.json()["id"], extra={"Origin": world.api_url})
        opened = await browser.exchange(made.json()["client_secret"])
        assert opened.status_code == 200, opened.text
        yield browser


@asynccontextmanager
async def watching(browser: Browser) -> AsyncIterator[list[Json]]:
    """What the page is told while something happens, in order."""
    views: list[Json] = []

    async def read() -> None:
        async with browser.http.stream("GET", "/v1/session/stream", headers=browser.headers) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    views.append(json.loads(line.removeprefix("data: ")))

    task = asyncio.create_task(read())
    try:
        yield views
    finally:
        task.cancel()


async def until(views: list[Json], **wanted: object) -> Json:
    """The first view in which all of this holds, at most ten seconds from now."""
    for _ in range(1000):
        for view in views:
            if wanted.items() <= view.items():
                return view
        await asyncio.sleep(0.01)
    raise AssertionError(f"never {wanted}: {[view['status'] for view in views]}")


async def test_a_buy_is_watched_to_its_end(world: World) -> None:
    await world.fund()
    async with visiting(world, BUY) as browser, watching(browser) as views:
        await until(views, status="opened")
        quote = await browser.quote()
        await until(views, quote=quote)
        placed = await browser.post("/orders", {"quote_id": quote["id"], "address": CUSTOMER_ADDRESS})
        await until(views, status="ordered", order=placed.json())
        assert (await browser.post("/pay", {"payment_method": "pm_card_visa"})).json()["status"] == "succeeded"
        await world.eventually(lambda: _stage(views, "confirmation"), "the send")
        await world.far.mine("bitcoin", 2)
        await world.drain()
        done = await until(views, status="completed")
    assert done["order"]["destination"]["delivered"] == quote["destination"]["amount"]
    assert done["order"]["payment"]["client_secret"] is None
    assert done["confirmations_needed"] == 2
    stages = [stage["stage"] for stage in done["timeline"]]
    assert stages == ["authorization", "capture", "conversion", "broadcast", "confirmation", "completed"]
    session = await world.get(f"/v1/sessions/{browser.session_id}")
    assert (session["status"], session["order_id"]) == ("completed", done["order"]["id"])


async def _stage(views: list[Json], stage: str) -> bool:
    return bool(views and views[-1]["order"] and views[-1]["order"]["stage"] == stage)


async def test_a_sale_is_paid_to_the_account_that_the_customer_typed(world: World) -> None:
    async with visiting(world, SELL | {"refund_address": CUSTOMER_ADDRESS}) as browser:
        quote = await browser.quote("0.01000000")
        placed = await browser.post("/orders", {"quote_id": quote["id"], "bank": BANK})
        assert placed.status_code == 201, placed.text
        order = placed.json()
        assert order["refund_address"] == CUSTOMER_ADDRESS
        account = await world.get(f"/v1/external_accounts/{order['external_account_id']}")
        assert (account["last4"], account["metadata"]) == ("3000", {"session_id": browser.session_id})
        view = await browser.view()
        assert view["deposit"]["uri"] == f"bitcoin:{order['deposit']['address']}?amount=0.01000000"
        assert view["deposit"]["qr"]["size"] > 29
        await deposit(world, order)
        seen = (await browser.view())["deposit"]
        assert (len(seen["tx_hash"]), seen["confirmations"]) == (64, 0)
        await mined(world, 3)
        assert (await browser.view())["deposit"]["confirmations"] == 3
        await world.eventually(lambda: _sold(world, browser), "the payout")
        done = await browser.view()
    assert done["order"]["destination"]["delivered"] == quote["destination"]["amount"]


async def test_what_is_missing_is_what_the_code_asks_for(world: World) -> None:
    async with visiting(world, SELL | {"refund_address": CUSTOMER_ADDRESS}) as browser:
        quote = await browser.quote("0.01000000")
        order = (await browser.post("/orders", {"quote_id": quote["id"], "bank": BANK})).json()
        whole = (await browser.view())["deposit"]
        await deposit(world, order, "0.00400000")
        await mined(world, 3)
        rest = (await browser.view())["deposit"]
        assert rest["uri"] == f"bitcoin:{order['deposit']['address']}?amount=0.00600000"
        assert rest["qr"] != whole["qr"]


async def _sold(world: World, browser: Browser) -> bool:
    await world.sepa()
    return bool((await browser.view())["status"] == "completed")


@pytest.mark.parametrize(
    ("bank", "pointer"),
    [
        ({"holder_name": "Ada", "iban": "DE88370400440532013000"}, "/bank/iban"),
        ({"holder_name": "Ada"}, "/bank"),
        ({"holder_name": "Ada", "routing_number": "021000021"}, "/bank"),
        ({**BANK, "routing_number": "021000021", "account_number": "1234567890"}, "/bank"),
        ({"holder_name": "Ada", "routing_number": "021000020", "account_number": "1234567890"}, "/bank/routing_number"),
        ({"holder_name": "Ada", "routing_number": "021000021", "account_number": "1234567890"}, "/bank"),
        (None, "/bank"),
    ],
)
async def test_accounts_that_cannot_be_paid_to(world: World, bank: Json | None, pointer: str) -> None:
    async with visiting(world, SELL) as browser:
        quote = await browser.quote("0.01000000")
        answer = await browser.post("/orders", {"quote_id": quote["id"], **({"bank": bank} if bank else {})})
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        assert (await browser.view())["order"] is None


async def test_an_account_that_is_typed_twice_is_made_once(world: World) -> None:
    async with visiting(world, SELL) as browser:
        for _ in range(2):
            quote = await browser.quote("0.01000000")
            placed = await browser.post("/orders", {"quote_id": quote["id"], "bank": BANK})
            assert placed.status_code == 201, placed.text
            assert (await browser.post("/cancel")).status_code == 200
    accounts = await world.get("/v1/external_accounts")
    assert len(list(accounts["data"])) == 1


async def test_s_11_the_answer_is_lost_while_the_provider_is_away(world: World) -> None:
    """The order stands before the provider is asked; asking again gives it, and a job opens its payment."""
    async with visiting(world, BUY) as browser:
        quote = await browser.quote()
        fault = {"kind": "error_before", "target": "stripe", "path": "/v1/payment_intents", "times": 20}
        await world.far.command("POST", "/control/faults", fault | {"account": world.stripe_key})
        body = {"quote_id": quote["id"], "address": CUSTOMER_ADDRESS}
        first = await browser.post("/orders", body, key="first")
        again = await browser.post("/orders", body, key="second")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["id"] == again.json()["id"]
        assert first.json()["payment"]["client_secret"] is None
        await world.far.command("DELETE", "/control/faults")
        await world.now_due()
        await world.run_jobs("ProviderUnavailable", "OutcomeUnknown")
        await world.now_due()
        await world.eventually(lambda: _payable(browser), "the payment to be opened")
        assert (await browser.post("/pay", {"payment_method": "pm_card_visa"})).json()["status"] == "succeeded"
        async with world.db.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM orders") == 1
        await world.drain("WalletShort")


async def _payable(browser: Browser) -> bool:
    return (await browser.view())["order"]["payment"]["client_secret"] is not None


async def test_large_sums_are_confirmed_in_a_window_of_our_own(world: World) -> None:
    async with visiting(world, BUY) as browser:
        for amount, large in (("1000.00", False), ("1000.01", True)):
            await browser.quote(amount)
            assert (await browser.view())["confirm_in_window"] is large
    bound = BUY | {"source": {"asset": "EUR", "amount": "5000.00"}}
    async with visiting(world, bound) as browser:
        assert (await browser.view())["confirm_in_window"] is True


async def test_the_stream_ends_with_the_session(world: World) -> None:
    async with visiting(world, BUY) as browser, watching(browser) as views:
        await until(views, status="opened")
        await world.post(f"/v1/sessions/{browser.session_id}/revoke")
        await until(views, status="revoked")
        assert (await browser.get("/stream")).status_code == 401
