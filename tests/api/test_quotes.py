"""Bad quotes (faults.md Q-01 to Q-12), and the prices that good ones give."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from app.main import build_app
from app.services.prices import PriceBoard, PriceRules
from tests.api.front import QUOTE, Caller, Front
from tests.api.refusals import check, pointers, refused

BTC = {"asset": "BTC", "network": "bitcoin"}
EUR = {"asset": "EUR"}


def buy(amount: object, side: str = "source") -> dict[str, object]:
    """A quote for this amount on one side."""
    return {
        "direction": "buy",
        "source": EUR | ({"amount": amount} if side == "source" else {}),
        "destination": BTC | ({"amount": amount} if side == "destination" else {}),
    }


@pytest.mark.parametrize(
    "amount",
    [
        "0", "0.00", "-1", "-0", "", ".", "1.", ".5", "00.1", "+1", "1e2", "1E2", "1,5", "1_000", " 12", "12 ", "0x10",
        "NaN", "Infinity", "\uff11\uff12", "\u0661\u0662", "1.2.3", "1e1000000", "--1", "1/2", "100.00 EUR",
    ],
)  # fmt: skip
@pytest.mark.parametrize("side", ["source", "destination"])
async def test_q_01_not_an_amount(front: Front, caller: Caller, side: str, amount: str) -> None:
    response = await refused(front, caller.post("/v1/quotes", buy(amount, side)), 422, "validation_failed")
    assert pointers(response) == [f"/{side}/amount"]


@pytest.mark.parametrize(
    ("source", "destination", "pointer"),
    [
        (EUR | {"amount": "100.001"}, BTC, "/source/amount"),
        (EUR, BTC | {"amount": "0.001000001"}, "/destination/amount"),
        ({"asset": "JPY", "amount": "100.1"}, BTC, "/source/amount"),
        ({"asset": "JPY", "amount": "100.0"}, BTC, "/source/amount"),
    ],
)
async def test_q_02_too_many_decimals(
    front: Front, caller: Caller, source: object, destination: object, pointer: str
) -> None:
    body = {"direction": "buy", "source": source, "destination": destination}
    response = await refused(front, caller.post("/v1/quotes", body), 422, "validation_failed")
    assert pointers(response) == [pointer]


@pytest.mark.parametrize(
    ("amount", "side", "code"),
    [
        ("0.99", "source", "amount_below_min"),
        ("0.00000001", "destination", "amount_below_min"),
        ("1000000.01", "source", "amount_above_max"),
        ("999999999999999999999", "source", "amount_above_max"),
        ("9999999999999999999999", "source", "validation_failed"),
        ("1e30", "source", "validation_failed"),
        ("999999999999999999999", "destination", "insufficient_liquidity"),
    ],
)
async def test_q_03_too_little_or_too_much(front: Front, caller: Caller, amount: str, side: str, code: str) -> None:
    await refused(front, caller.post("/v1/quotes", buy(amount, side)), 422, code)


@pytest.mark.parametrize(
    ("source", "destination"), [(EUR, BTC), (EUR | {"amount": "100.00"}, BTC | {"amount": "0.001"})]
)
async def test_q_04_both_amounts_or_neither(front: Front, caller: Caller, source: object, destination: object) -> None:
    body = {"direction": "buy", "source": source, "destination": destination}
    await refused(front, caller.post("/v1/quotes", body), 422, "validation_failed")


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ({"asset": "eur", "amount": "1.00"}, BTC),
        ({"asset": "EUR ", "amount": "1.00"}, BTC),
        ({"asset": "E\u0405R", "amount": "1.00"}, BTC),
        ({"asset": "EURO", "amount": "1.00"}, BTC),
        ({"asset": "EUR", "network": "bitcoin", "amount": "1.00"}, BTC),
        ({"asset": "CHF", "amount": "1.00"}, BTC),
        (EUR | {"amount": "1.00"}, {"asset": "BTC"}),
        (EUR | {"amount": "1.00"}, {"asset": "BTC", "network": "lightning"}),
        (EUR | {"amount": "1.00"}, {"asset": "BTC", "network": "Bitcoin"}),
        (EUR | {"amount": "1.00"}, {"asset": "USDT"}),
        (EUR | {"amount": "1.00"}, {"asset": "USDC", "network": "solana"}),
    ],
)
async def test_q_05_no_such_asset(front: Front, caller: Caller, source: object, destination: object) -> None:
    body = {"direction": "buy", "source": source, "destination": destination}
    await refused(front, caller.post("/v1/quotes", body), 422, "validation_failed")


@pytest.mark.parametrize(
    ("direction", "source", "destination"),
    [
        ("buy", EUR | {"amount": "100.00"}, {"asset": "USDC", "network": "base"}),
        ("buy", {"asset": "USD", "amount": "100.00"}, BTC),
        ("buy", EUR | {"amount": "100.00"}, {"asset": "USD"}),
        ("buy", BTC | {"amount": "0.01"}, EUR),
        ("sell", EUR | {"amount": "100.00"}, BTC),
        ("sell", BTC | {"amount": "0.01"}, {"asset": "ETH", "network": "ethereum"}),
    ],
)
async def test_q_05_not_offered(
    front: Front, caller: Caller, direction: str, source: object, destination: object
) -> None:
    body = {"direction": direction, "source": source, "destination": destination}
    await refused(front, caller.post("/v1/quotes", body), 422, "route_unavailable")


@pytest.mark.parametrize("asset", [EUR, BTC])
@pytest.mark.parametrize("direction", ["buy", "sell"])
async def test_q_06_the_same_on_both_sides(front: Front, caller: Caller, direction: str, asset: dict[str, str]) -> None:
    body = {"direction": direction, "source": asset | {"amount": "1"}, "destination": asset}
    await refused(front, caller.post("/v1/quotes", body), 422, "validation_failed")


@pytest.mark.parametrize(
    "field",
    [
        {"partner_fee": "101"},
        {"partner_bps": -1},
        {"fees": [{"type": "partner", "amount": "0." + "1" * 40}]},
        {"ttl_seconds": 315_360_000},
        {"expires_at": "2036-01-01T00:00:00Z"},
        {"expires_in": -1},
    ],
    ids=repr,
)
async def test_q_08_q_11_fees_and_lifetimes_are_not_asked_for(
    front: Front, caller: Caller, field: dict[str, object]
) -> None:
    await refused(front, caller.post("/v1/quotes", QUOTE | field), 422, "unknown_field")


@asynccontextmanager
async def with_board(front: Front, caller: Caller, board: PriceBoard) -> AsyncIterator[Caller]:
    """The same instance, with other prices."""
    transport = httpx.ASGITransport(build_app(replace(front.context, board=board)))
    async with httpx.AsyncClient(transport=transport, base_url="http://rampwright.test") as http:
        yield replace(caller, http=http)


async def test_q_09_no_price(front: Front, caller: Caller) -> None:
    async with with_board(front, caller, PriceBoard([], [("BTC", "EUR")], PriceRules())) as other:
        response = await refused(front, other.post("/v1/quotes", QUOTE), 503, "route_unavailable")
    assert response.json()["retryable"] is True


@pytest.mark.parametrize("amount", ["1.00", "1.01", "1.99"])
async def test_q_12_the_least_still_gives_something(caller: Caller, amount: str) -> None:
    quote = (await caller.post("/v1/quotes", buy(amount))).json()
    assert float(quote["destination"]["amount"]) > 0


@pytest.mark.parametrize("body", [buy("0.01"), buy("0.02")])
async def test_q_12_fees_that_eat_all(front: Front, caller: Caller, body: object) -> None:
    await refused(front, caller.post("/v1/quotes", body), 422, "amount_below_min")


@pytest.mark.parametrize("country", ["de", "DEU", "D", "", "D1", "\u0414\u0415"])
async def test_a_country_is_two_letters(front: Front, caller: Caller, country: str) -> None:
    await refused(front, caller.post("/v1/quotes", QUOTE | {"country": country}), 422, "validation_failed")


@pytest.mark.parametrize("method", ["cash", "CARD", "", "ach"])
async def test_a_payment_method_that_is_not_there(front: Front, caller: Caller, method: str) -> None:
    await refused(front, caller.post("/v1/quotes", QUOTE | {"payment_method": method}), 422, "validation_failed")


async def test_the_answer_has_the_published_shape(caller: Caller) -> None:
    response = await caller.post("/v1/quotes", QUOTE | {"country": "DE"})
    check_headers = {"content-type": "application/json", "cache-control": "no-store"}
    assert check_headers.items() <= dict(response.headers).items()
    quote = response.json()
    assert quote["id"].startswith("qt_")
    assert quote["source"] == {"asset": "EUR", "amount": "100.00"}
    assert quote["destination"] == {"asset": "BTC", "network": "bitcoin", "amount": "0.00161068"}
    assert quote["levels"] == [["61000.00", "0.00161068"]]
    assert (quote["status"], quote["amount_side"], quote["spread_bps"]) == ("open", "source", 50)
    assert quote["livemode"] is False
    assert (await caller.get(f"/v1/quotes/{quote['id']}")).json() == quote


async def test_an_unknown_quote(front: Front, caller: Caller) -> None:
    response = await caller.get("/v1/quotes/qt_01JD0000000000000000000000")
    check(response, 404, "not_found")
