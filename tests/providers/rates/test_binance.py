"""Binance's order book over HTTP: what is read, how it is rounded, and everything that is refused."""

from __future__ import annotations

import httpx
import pytest

from app.ports.errors import ProviderThrottled, ProviderUnavailable
from app.ports.rates import Book, Level, LiveRateSource
from providers.rates.binance import BinanceRates

BODY: dict[str, object] = {
    "lastUpdateId": 160,
    "bids": [["60980.00000000", "0.15000000"], ["60965.20000000", "0.40000001"]],
    "asks": [["61000.00000000", "0.20000000"], ["61010.10000000", "1.35000000"]],
}


async def depth_of(response: httpx.Response | Exception, base: str = "BTC", quote: str = "EUR") -> Book:
    """What the adapter makes of one response."""

    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        return await BinanceRates(client, base_url="https://venue.test").depth(base, quote)


async def test_a_book_in_whole_units_as_old_as_the_question() -> None:
    asked: list[httpx.URL] = []
    clock = iter([100.0, 107.0])

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json=BODY)

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        source: LiveRateSource = BinanceRates(
            client, base_url="http://venue.test/binance/", limit=5, clock=lambda: next(clock)
        )
        book = await source.depth("BTC", "EUR")
    assert [str(url) for url in asked] == ["http://venue.test/binance/api/v3/depth?symbol=BTCEUR&limit=5"]
    assert book == Book(
        source="binance",
        base="BTC",
        quote="EUR",
        asks=(Level(61_000_00, 20_000_000), Level(61_010_10, 135_000_000)),
        bids=(Level(60_980_00, 15_000_000), Level(60_965_20, 40_000_001)),
        taken_at=100.0,
    )


async def test_an_answer_from_a_cache_is_as_old_as_the_cache_says() -> None:
    fresh = await depth_of(httpx.Response(200, json=BODY))
    old = await depth_of(httpx.Response(200, json=BODY, headers={"age": "600"}))
    assert 599 < fresh.taken_at - old.taken_at < 601


async def test_finer_than_a_unit_rounds_against_the_customer_and_a_cheap_coin_is_priced_finer() -> None:
    body = BODY | {"asks": [["61000.00100000", "0.12345678"]], "bids": [["60980.00900000", "0.99999999"]]}
    book = await depth_of(httpx.Response(200, json=body))
    assert (book.asks, book.bids) == ((Level(61_000_01, 12_345_678),), (Level(60_980_00, 99_999_999),))
    body = BODY | {"asks": [["0.86340001", "5.0000019"]], "bids": [["0.86329999", "7"]]}
    book = await depth_of(httpx.Response(200, json=body), base="USDC")
    assert (book.asks, book.bids) == ((Level(863_401, 5_000_001),), (Level(863_299, 7_000_000),))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([], id="not an object"),
        pytest.param({}, id="empty"),
        pytest.param(BODY | {"lastUpdateId": None}, id="no number"),
        pytest.param(BODY | {"asks": []}, id="no asks"),
        pytest.param(BODY | {"bids": None}, id="bids null"),
        pytest.param(BODY | {"asks": [["61000.0"]]}, id="an entry too short"),
        pytest.param(BODY | {"asks": [[61000.0, "1"]]}, id="price a float"),
        pytest.param(BODY | {"asks": [["-61000", "1"]]}, id="price negative"),
        pytest.param(BODY | {"asks": [["0", "1"]]}, id="price zero"),
        pytest.param(BODY | {"asks": [["NaN", "1"]]}, id="NaN"),
        pytest.param(BODY | {"asks": [["1e5", "1"]]}, id="exponent"),
    ],
)
async def test_an_answer_that_is_not_a_usable_book_is_no_price(body: object) -> None:
    with pytest.raises(ProviderUnavailable):
        await depth_of(httpx.Response(200, json=body))


@pytest.mark.parametrize(
    "response",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.Response(503, json={"code": -1001, "msg": "Internal error"}),
        httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."}),
        httpx.Response(403, html="<h1>request blocked</h1>"),
        httpx.Response(302, headers={"location": "https://elsewhere.test/"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b" " * 1_000_001),
    ],
)
async def test_a_failing_venue_is_unavailable(response: httpx.Response | Exception) -> None:
    with pytest.raises(ProviderUnavailable) as failure:
        await depth_of(response)
    assert failure.value.provider == "binance"
    assert not isinstance(failure.value, ProviderThrottled)


# Binance, "Limits": 429 when the limit is broken, 418 for those who went on, each with Retry-After in seconds.
@pytest.mark.parametrize("status", [429, 418])
async def test_being_throttled_is_told_apart(status: int) -> None:
    with pytest.raises(ProviderThrottled) as throttled:
        await depth_of(httpx.Response(status, headers={"retry-after": "37"}))
    assert throttled.value.retry_after == 37.0
    with pytest.raises(ProviderThrottled):
        await depth_of(httpx.Response(400, json={"code": -1003, "msg": "Too many requests."}))


@pytest.mark.parametrize(("base", "quote"), [("BTC", "CHF"), ("XRP", "EUR"), ("EUR", "BTC"), ("btc", "EUR")])
async def test_a_pair_that_we_do_not_know_is_never_asked_for(base: str, quote: str) -> None:
    with pytest.raises(ProviderUnavailable, match="no pair"):
        await depth_of(AssertionError("asked all the same"), base, quote)
