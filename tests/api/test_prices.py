"""Market prices, comparisons and providers over the API: what they show, and that they never show what is not so."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from app.main import build_app
from app.ports.errors import ProviderUnavailable
from app.ports.rates import Book, Level
from app.services.prices import PriceBoard, PriceRules
from tests.api.front import QUOTE, Caller, Front
from tests.api.refusals import pointers, refused

BTC = {"asset": "BTC", "network": "bitcoin"}
EUR = {"asset": "EUR"}
SELL = {"direction": "sell", "source": BTC | {"amount": "0.01000000"}, "destination": EUR}
Json = dict[str, object]


class Told:
    """A source that says what it was told to."""

    def __init__(self, name: str, mid: int, *, taker_ppm: int | None = None, quantity: int = 10**8) -> None:
        self.name = name
        self.mid = mid
        self.taker_ppm = taker_ppm
        self.quantity = quantity
        self.away = False

    async def depth(self, base: str, quote: str) -> Book:
        """One level a side, ten units from the middle."""
        if self.away:
            raise ProviderUnavailable(self.name, "status 503 from 10.0.0.7")
        levels = [Level(self.mid + step, self.quantity) for step in (10, -10)]
        return Book(self.name, base, quote, (levels[0],), (levels[1],), time.monotonic(), self.taker_ppm)


@asynccontextmanager
async def market(
    front: Front, caller: Caller, *sources: Told, rules: PriceRules | None = None
) -> AsyncIterator[tuple[Caller, PriceBoard]]:
    """The same instance, with prices from these sources."""
    board = PriceBoard(sources, [("BTC", "EUR")], rules or PriceRules(stale_after=3600, taker_bps=26))
    await board.refresh()
    transport = httpx.ASGITransport(build_app(replace(front.context, board=board)))
    async with httpx.AsyncClient(transport=transport, base_url="http://rampwright.test") as http:
        yield replace(caller, http=http), board


async def compared(caller: Caller, body: Mapping[str, object] = QUOTE) -> list[dict[str, object]]:
    """The offers of a comparison."""
    response = await caller.post("/v1/quotes/compare", body)
    assert response.status_code == 200, response.text
    offers: list[dict[str, object]] = response.json()["offers"]
    return offers


async def test_rates_show_the_market_before_any_fee(front: Front, caller: Caller) -> None:
    async with market(front, caller, Told("a", 61_000_00), Told("b", 61_000_05)) as (other, _):
        [rate] = (await other.get("/v1/rates")).json()["data"]
    assert (rate["base"], rate["quote"], rate["sources"], rate["reason"]) == ("BTC", "EUR", ["a", "b"], None)
    assert (rate["bid"], rate["ask"], rate["mid"]) == ("60999.95", "61000.10", "61000.025")
    assert rate["age_ms"] >= 0
    assert rate["as_of"].endswith("Z")


async def test_fault_f_135_a_rate_that_is_not_believed_has_no_numbers(front: Front, caller: Caller) -> None:
    async with market(front, caller, Told("a", 61_000_00), Told("b", 64_050_00)) as (other, _):
        [rate] = (await other.get("/v1/rates")).json()["data"]
        assert rate["reason"] == "disagreement"
        assert [rate[name] for name in ("mid", "bid", "ask", "as_of", "age_ms")] == [None] * 5
        await refused(front, other.post("/v1/quotes", QUOTE), 503, "route_unavailable")


async def test_a_comparison_ranks_every_venue_and_stores_nothing(front: Front, caller: Caller) -> None:
    cheap, dear = Told("cheap", 61_000_00, taker_ppm=1_000), Told("dear", 61_005_00, taker_ppm=4_000)
    async with market(front, caller, dear, cheap) as (other, _):
        before = await front.state()
        offers = await compared(other)
        assert await front.state() == before
        quote = (await other.post("/v1/quotes", QUOTE)).json()
    assert [(offer["rank"], offer["venues"], offer["available"]) for offer in offers] == [
        (1, ["dear", "cheap"], True),
        (2, ["cheap"], True),
        (3, ["dear"], True),
    ]
    assert offers[0]["destination"] == quote["destination"]
    assert (offers[0]["rate"], offers[0]["fees"]) == (quote["rate"], quote["fees"])
    assert [offer["behind_bps"] for offer in offers] == [0, 0, 31]
    assert [offer["reason"] for offer in offers] == [
        "The best price.",
        "The best price.",
        "0.31 % behind the best price.",
    ]
    given = [offer["destination"] for offer in offers]
    amounts = [Decimal(each["amount"]) for each in given if isinstance(each, dict)]
    assert amounts == sorted(amounts, reverse=True)
    assert len(amounts) == 3


@pytest.mark.parametrize(
    "body",
    [
        {"direction": "buy", "source": EUR, "destination": BTC | {"amount": "0.00100000"}},
        SELL,
        {"direction": "sell", "source": BTC, "destination": EUR | {"amount": "100.00"}},
    ],
)
async def test_the_first_offer_is_what_a_quote_gives(front: Front, caller: Caller, body: Json) -> None:
    async with market(front, caller, Told("a", 61_000_00), Told("b", 61_010_00, taker_ppm=0)) as (other, _):
        offers, quote = await compared(other, body), (await other.post("/v1/quotes", body)).json()
    for side in ("source", "destination"):
        assert offers[0][side] == quote[side]
    assert offers[0]["payment_method"] == ("card" if body["direction"] == "buy" else "deposit")
    assert [offer["rank"] for offer in offers] == [1, 2, 3]


async def test_a_venue_that_cannot_serve_says_why_and_comes_last(front: Front, caller: Caller) -> None:
    shallow, away = Told("shallow", 60_990_00, quantity=10), Told("away", 61_000_00)
    away.away = True
    async with market(front, caller, shallow, Told("deep", 61_000_00), away) as (other, _):
        offers = await compared(other)
    assert [(offer["venues"], offer["rank"], offer["code"]) for offer in offers] == [
        (["shallow", "deep"], 1, None),
        (["deep"], 2, None),
        (["shallow"], None, "insufficient_liquidity"),
        (["away"], None, "route_unavailable"),
    ]
    assert offers[2]["destination"] is None
    assert "10.0.0.7" not in str(offers)


async def test_fault_f_135_no_venue_is_offered_while_they_disagree(front: Front, caller: Caller) -> None:
    async with market(front, caller, Told("a", 61_000_00), Told("b", 64_050_00)) as (other, _):
        offers = await compared(other)
    assert [offer["available"] for offer in offers] == [False] * 3
    assert {offer["reason"] for offer in offers} == {"The price sources for this pair disagree now."}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (QUOTE | {"source": EUR | {"amount": "1e2"}}, "validation_failed", "/source/amount"),
        (QUOTE | {"source": EUR | {"amount": "100.001"}}, "validation_failed", "/source/amount"),
        (QUOTE | {"source": EUR | {"amount": "0.99"}}, "amount_below_min", "/source/amount"),
        (QUOTE | {"source": EUR | {"amount": "1000000.01"}}, "amount_above_max", "/source/amount"),
        (SELL | {"destination": {"asset": "USD"}}, "route_unavailable", None),
        (QUOTE | {"destination": {"asset": "BTC", "network": "solana"}}, "validation_failed", "/destination/asset"),
        (QUOTE | {"destination": EUR}, "validation_failed", "/destination/asset"),
        (QUOTE | {"payment_method": "cash"}, "validation_failed", "/payment_method"),
        (QUOTE | {"venue": "kraken"}, "unknown_field", "/venue"),
        (QUOTE | {"direction": "sell"}, "route_unavailable", "/direction"),
    ],
)
async def test_bad_comparisons_are_refused_as_bad_quotes_are(
    front: Front, caller: Caller, body: Json, code: str, pointer: str | None
) -> None:
    for path in ("/v1/quotes/compare", "/v1/quotes"):
        response = await refused(front, caller.post(path, body), 422, code)
        assert pointers(response) == ([] if pointer is None else [pointer])


@pytest.mark.parametrize("path", ["/v1/rates", "/v1/providers"])
async def test_unknown_parameters_are_refused(front: Front, caller: Caller, path: str) -> None:
    await refused(front, caller.get(f"{path}?pair=BTCEUR"), 422, "unknown_field")


async def test_providers_name_everybody_and_what_they_can_do(front: Front, caller: Caller) -> None:
    away = Told("b", 61_000_00)
    async with market(front, caller, Told("a", 61_000_00), away) as (other, board):
        listed = (await other.get("/v1/providers")).json()["data"]
        assert [(one["name"], one["kind"], one["status"], one["reason"]) for one in listed] == [
            ("a", "prices", "operational", None),
            ("b", "prices", "operational", None),
            ("stripe", "payments", "operational", None),
            ("bitcoin", "chain", "operational", None),
        ]
        assert [one["capabilities"] for one in listed] == [["BTC/EUR"], ["BTC/EUR"], ["card"], ["BTC.bitcoin"]]
        [pair] = listed[0]["pairs"]
        assert (pair["status"], pair["streaming"]) == ("operational", False)
        away.away = True
        await board.refresh()
        late = (await other.get("/v1/providers")).json()["data"][1]
    assert (late["status"], late["reason"]) == ("degraded", "no_answer")  # its last book is still good
    assert "10.0.0.7" not in str(late)


async def test_a_lost_answer_shows_until_it_is_known_and_a_stopped_wallet_too(front: Front, caller: Caller) -> None:
    order = await caller.order()
    async with front.context.db.transaction() as tx:
        await tx.execute(
            "UPDATE operations SET state = 'unknown', created_at = now() - interval '1 minute' WHERE order_id = $1",
            order["id"],
        )
        await tx.execute("INSERT INTO wallet_switches (network, sending) VALUES ('bitcoin', false)")

    async def health() -> dict[str, tuple[str, str | None]]:
        listed = (await caller.get("/v1/providers")).json()["data"]
        return {one["name"]: (one["status"], one["reason"]) for one in listed if one["kind"] != "prices"}

    found = await health()
    async with front.context.db.transaction() as tx:
        await tx.execute("UPDATE operations SET state = 'succeeded' WHERE order_id = $1", order["id"])
        await tx.execute("DELETE FROM wallet_switches")
    assert found == {"stripe": ("degraded", "no_answer"), "bitcoin": ("down", "stopped")}
    assert await health() == {"stripe": ("operational", None), "bitcoin": ("operational", None)}
