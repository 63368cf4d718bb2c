"""Kraken's order book over HTTP: what is read, how it is rounded, and everything that is refused."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from app.ports.errors import ProviderThrottled, ProviderUnavailable
from app.ports.rates import Book, Level, RateSource
from providers.rates.kraken import KrakenRates

ASKS = [["61000.00000", "0.200", 1688671659], ["61010.10000", "1.35000000", 1688671380]]
BIDS = [["60980.00000", "0.150", 1688671636], ["60965.20000", "0.40000001", 1688671674]]


def answer(asks: object = ASKS, bids: object = BIDS, pair: str = "XXBTZEUR") -> dict[str, object]:
    """A body of Kraken's documented shape."""
    return {"error": [], "result": {pair: {"asks": asks, "bids": bids}}}


async def depth_of(response: httpx.Response | Exception, base: str = "BTC", quote: str = "EUR") -> Book:
    """What the adapter makes of one response."""

    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        return await KrakenRates(client, base_url="https://venue.test").depth(base, quote)


async def depth_of_body(body: object, base: str = "BTC", quote: str = "EUR") -> Book:
    return await depth_of(httpx.Response(200, json=body), base, quote)


async def test_a_book_in_whole_units_as_old_as_the_question() -> None:
    asked: list[httpx.URL] = []
    clock = iter([100.0, 107.0])

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json=answer())

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        source: RateSource = KrakenRates(
            client, base_url="http://venue.test/kraken/", name="second", count=2, clock=lambda: next(clock)
        )
        book = await source.depth("BTC", "EUR")
    assert [str(url) for url in asked] == ["http://venue.test/kraken/0/public/Depth?pair=XBTEUR&count=2"]
    assert book == Book(
        source="second",
        base="BTC",
        quote="EUR",
        asks=(Level(61_000_00, 20_000_000), Level(61_010_10, 135_000_000)),
        bids=(Level(60_980_00, 15_000_000), Level(60_965_20, 40_000_001)),
        taken_at=100.0,
    )


@pytest.mark.parametrize(
    ("quote", "pair", "best_ask"),
    [("EUR", "XXBTZEUR", 61_000_00), ("USD", "XXBTZUSD", 61_000_00), ("GBP", "XXBTZGBP", 61_000_00),
     ("JPY", "XXBTZJPY", 61_000), ("EUR", "XBTEUR", 61_000_00)],
)  # fmt: skip
async def test_every_pair_in_its_own_units(quote: str, pair: str, best_ask: int) -> None:
    book = await depth_of_body(answer(pair=pair), quote=quote)
    assert (book.quote, book.asks[0].price) == (quote, best_ask)


async def test_finer_than_a_unit_rounds_against_the_customer() -> None:
    book = await depth_of_body(
        answer(
            asks=[["61000.001", "0.123456789", 1], ["61000.99999999", "1", 1]],
            bids=[["60980.009", "0.999999999", 1], ["60979.999", "2.5", 1]],
        )
    )
    assert book.asks == (Level(61_000_01, 12_345_678), Level(61_001_00, 100_000_000))
    assert book.bids == (Level(60_980_00, 99_999_999), Level(60_979_99, 250_000_000))


async def test_what_rounds_to_nothing_is_left_out() -> None:
    book = await depth_of_body(
        answer(asks=[["61000", "0.000000009", 1], ["61001", "1", 1]], bids=[["60980", "1", 1], ["0.009", "5", 1]])
    )
    assert book.asks == (Level(61_001_00, 100_000_000),)
    assert book.bids == (Level(60_980_00, 100_000_000),)


ONE_ASK, ONE_BID = [["61000.0", "1.0", 1]], [["60980.0", "1.0", 1]]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([], id="not an object"),
        pytest.param(None, id="null"),
        pytest.param({"result": {"XXBTZEUR": {"asks": ONE_ASK, "bids": ONE_BID}}}, id="no error list"),
        pytest.param({"error": None, "result": {"XXBTZEUR": {"asks": ONE_ASK, "bids": ONE_BID}}}, id="error null"),
        pytest.param({"error": []}, id="no result"),
        pytest.param({"error": [], "result": {}}, id="no pair"),
        pytest.param({"error": [], "result": {"XXBTZEUR": []}}, id="no book"),
        pytest.param({"error": ["EQuery:Unknown asset pair"]}, id="unknown pair"),
        pytest.param(answer() | {"error": ["EService:Busy"]}, id="error and book"),
        pytest.param(answer(pair="XXBTZUSD"), id="another pair"),
        pytest.param({"error": [], "result": {"XXBTZEUR": {}, "XXBTZUSD": {}}}, id="two pairs"),
        pytest.param(answer(asks=[]), id="no asks"),
        pytest.param(answer(bids=[]), id="no bids"),
        pytest.param(answer(asks=None), id="asks null"),
        pytest.param(answer(asks={"0": ONE_ASK[0]}), id="asks an object"),
        pytest.param(answer(asks=["61000.0"]), id="an entry a string"),
        pytest.param(answer(asks=[["61000.0"]]), id="an entry too short"),
        pytest.param(answer(asks=[["61000.0", "1.0"]]), id="no timestamp"),
        pytest.param(answer(asks=[[61000.0, "1.0", 1]]), id="price a float"),
        pytest.param(answer(asks=[[61000, "1.0", 1]]), id="price an int"),
        pytest.param(answer(asks=[["61000.0", 1.0, 1]]), id="volume a float"),
        pytest.param(answer(asks=[["-61000.0", "1.0", 1]]), id="price negative"),
        pytest.param(answer(bids=[["60980.0", "-1.0", 1]]), id="volume negative"),
        pytest.param(answer(bids=[*ONE_BID, ["0.0", "1.0", 1]]), id="price zero"),
        pytest.param(answer(asks=[*ONE_ASK, ["61000.0", "0.000", 1]]), id="volume zero"),
        pytest.param(answer(asks=[["6.1e4", "1.0", 1]]), id="exponent"),
        pytest.param(answer(asks=[["NaN", "1.0", 1]]), id="NaN"),
        pytest.param(answer(asks=[["Infinity", "1.0", 1]]), id="Infinity"),
        pytest.param(answer(asks=[[" 61000", "1.0", 1]]), id="space"),
        pytest.param(answer(asks=[["61000\n", "1.0", 1]]), id="newline"),
        pytest.param(answer(asks=[["61_000", "1.0", 1]]), id="underscore"),
        pytest.param(answer(asks=[["٦١٠٠٠", "1.0", 1]]), id="other digits"),
        pytest.param(answer(asks=[["", "1.0", 1]]), id="empty string"),
        pytest.param(answer(asks=[["61000." + "0" * 19, "1.0", 1]]), id="too many decimals"),
        pytest.param(answer(asks=[["9" * 21, "1.0", 1]]), id="too many digits"),
        pytest.param(answer(asks=ASKS[::-1]), id="asks descend"),
        pytest.param(answer(bids=BIDS[::-1]), id="bids ascend"),
        pytest.param(answer(bids=[["61000.0", "1.0", 1]]), id="locked"),
        pytest.param(answer(bids=[["61000.1", "1.0", 1]]), id="crossed"),
        pytest.param(answer(asks=[["100.003", "1", 1]], bids=[["100.004", "1", 1]]), id="crossed below a cent"),
        pytest.param(answer(bids=[["0.001", "1.0", 1]]), id="no bids left once rounded"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_not_a_usable_book_is_no_price(body: object) -> None:
    with pytest.raises(ProviderUnavailable):
        await depth_of_body(body)


@pytest.mark.parametrize(
    "response",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut off"),
        httpx.Response(500, json=answer()),
        httpx.Response(503),
        httpx.Response(403, html="<h1>request blocked</h1>"),
        httpx.Response(302, headers={"location": "https://elsewhere.test/"}),
        httpx.Response(204),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=json.dumps(answer()).encode() + b" " * 1_000_000),
    ],
    ids=lambda response: type(response).__name__ if isinstance(response, Exception) else str(response.status_code),
)
async def test_a_failing_venue_is_unavailable(response: httpx.Response | Exception) -> None:
    with pytest.raises(ProviderUnavailable) as failure:
        await depth_of(response)
    assert failure.value.provider == "kraken"


async def test_an_answer_that_unpacks_to_too_much_is_refused() -> None:
    packed = gzip.compress(b" " * 2_000_000 + json.dumps(answer()).encode())
    response = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(packed))
    with pytest.raises(ProviderUnavailable, match="too long"):
        await depth_of(response)


@pytest.mark.parametrize(
    ("response", "retry_after"),
    [
        (httpx.Response(429, headers={"retry-after": "7"}), 7.0),
        (httpx.Response(429), None),
        (httpx.Response(429, headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}), None),
        (httpx.Response(200, json={"error": ["EGeneral:Too many requests"]}), None),
        (httpx.Response(200, json={"error": ["EAPI:Rate limit exceeded"]}), None),
    ],
)
async def test_being_throttled_is_told_apart(response: httpx.Response, retry_after: float | None) -> None:
    with pytest.raises(ProviderThrottled) as throttled:
        await depth_of(response)
    assert throttled.value.retry_after == retry_after


@pytest.mark.parametrize(("base", "quote"), [("BTC", "CHF"), ("XRP", "EUR"), ("EUR", "BTC"), ("btc", "EUR")])
async def test_a_pair_that_we_do_not_know_is_never_asked_for(base: str, quote: str) -> None:
    with pytest.raises(ProviderUnavailable, match="no pair"):
        await depth_of(AssertionError("asked all the same"), base, quote)


@pytest.mark.parametrize("count", [0, 501])
async def test_a_count_beyond_what_kraken_serves_is_refused_at_once(count: int) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(ValueError, match="1 to 500"):
            KrakenRates(client, base_url="https://venue.test", count=count)
