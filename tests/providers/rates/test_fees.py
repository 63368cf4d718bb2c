"""Fees read from the venues: their documented signatures, how fees are read, and which are not believed."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest

from app.ports.errors import ProviderUnavailable
from providers.rates.allowance import Allowance
from providers.rates.fees import BinanceFees, FeeTable, KrakenFees, binance_signature, kraken_signature
from providers.rates.kraken import KrakenRates
from providers.rates.rest import Rest

# The worked examples of both venues' documentation; neither secret opens anything.
KRAKEN_SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
KRAKEN_BODY = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
KRAKEN_SIGN = "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
BINANCE_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
BINANCE_QUERY = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
)
COMMISSION = {
    "symbol": "BTCEUR",
    "standardCommission": {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0", "seller": "0.00000000"},
    "taxCommission": {"maker": "0", "taker": "0.00000112", "buyer": "0.00000118", "seller": "0.00000116"},
    "discount": {"enabledForAccount": True, "enabledForSymbol": True, "discountAsset": "BNB", "discount": "0.75"},
}


def test_krakens_documented_signature() -> None:
    found = kraken_signature(KRAKEN_SECRET, "/0/private/AddOrder", "1616492376594", KRAKEN_BODY)
    assert found == KRAKEN_SIGN


def test_binances_documented_signature() -> None:
    found = binance_signature(BINANCE_SECRET, BINANCE_QUERY)
    assert found == "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


class Venue:
    """Answers every request alike, and keeps them."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.asked: list[httpx.Request] = []

    def rest(self) -> Rest:
        """This venue over HTTP."""

        def respond(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return self.response

        client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
        return Rest(client, "venue", "https://venue.test", Allowance(per_second=1e9, burst=1e9))


def kraken_answer(fee: object, pair: str = "XXBTZEUR") -> httpx.Response:
    """What TradeVolume says."""
    fees = {pair: {"fee": fee, "minfee": "0.1000", "maxfee": "0.2600", "nextfee": "0.2400"}}
    return httpx.Response(200, json={"error": [], "result": {"currency": "ZUSD", "volume": "200709587", "fees": fees}})


@pytest.mark.parametrize(
    ("fee", "ppm"), [("0.2600", 2600), ("0.26", 2600), ("0.0000", 0), ("0.07501", 751), ("1", 10_000)]
)
async def test_krakens_fee_is_a_percentage(fee: str, ppm: int) -> None:
    venue = Venue(kraken_answer(fee))
    assert await KrakenFees(venue.rest(), "kraken", "key", KRAKEN_SECRET, lambda: 17).taker_ppm("BTC", "EUR") == ppm
    [request] = venue.asked
    body = request.content.decode()
    assert (request.method, request.url.path) == ("POST", "/0/private/TradeVolume")
    assert parse_qs(body) == {"nonce": ["17"], "pair": ["XBTEUR"]}
    assert request.headers["api-key"] == "key"
    assert request.headers["api-sign"] == kraken_signature(KRAKEN_SECRET, "/0/private/TradeVolume", "17", body)
    assert KRAKEN_SECRET not in str(request.headers)


async def test_binances_fee_is_the_sum_of_its_lines() -> None:
    venue = Venue(httpx.Response(200, json=COMMISSION))
    fees = BinanceFees(venue.rest(), "binance", "key", BINANCE_SECRET, lambda: 1499827319.559)
    assert await fees.taker_ppm("BTC", "EUR") == 1000 + 2 + 2  # 1,000 ppm, and two lines of tax, each rounded up
    [request] = venue.asked
    query, _, signature = request.url.query.decode().partition("&signature=")
    assert query == "symbol=BTCEUR&timestamp=1499827319559"
    assert signature == binance_signature(BINANCE_SECRET, query)
    assert request.headers["x-mbx-apikey"] == "key"


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, json={"error": ["EAPI:Invalid key"]}),
        httpx.Response(200, json={"error": [], "result": {"fees": {}}}),
        httpx.Response(200, json={"error": [], "result": None}),
        httpx.Response(200, json=[]),
        httpx.Response(503),
        kraken_answer("-0.1"),
        kraken_answer("free"),
        kraken_answer(0.26),
        kraken_answer(None),
        kraken_answer("0.26", pair="XXBTZUSD"),
    ],
)
async def test_fault_f_135_a_fee_of_krakens_that_cannot_be_read_is_none(response: httpx.Response) -> None:
    with pytest.raises(ProviderUnavailable):
        await KrakenFees(Venue(response).rest(), "kraken", "key", KRAKEN_SECRET).taker_ppm("BTC", "EUR")


@pytest.mark.parametrize(
    "body",
    [
        {},
        COMMISSION | {"standardCommission": None},
        COMMISSION | {"standardCommission": {"taker": "0.001"}},
        COMMISSION | {"taxCommission": {"taker": "NaN", "buyer": "0", "seller": "0"}},
        {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."},
    ],
)
async def test_fault_f_135_a_fee_of_binances_that_cannot_be_read_is_none(body: object) -> None:
    fees = BinanceFees(Venue(httpx.Response(200, json=body)).rest(), "binance", "key", BINANCE_SECRET)
    with pytest.raises(ProviderUnavailable):
        await fees.taker_ppm("BTC", "EUR")


async def test_fault_f_135_a_fee_table_beyond_all_reason_changes_nothing() -> None:
    venue = Venue(kraken_answer("0.2600"))
    table = FeeTable("kraken", KrakenFees(venue.rest(), "kraken", "key", KRAKEN_SECRET))
    assert table.taker_ppm("BTC", "EUR") is None
    assert await table.read([("BTC", "EUR")])
    assert table.taker_ppm("BTC", "EUR") == 2600
    for wrong in ("26.0000", "2.0001"):
        venue.response = kraken_answer(wrong)
        assert not await table.read([("BTC", "EUR")])
        assert table.taker_ppm("BTC", "EUR") == 2600
    assert not await FeeTable("kraken", KrakenFees(venue.rest(), "kraken", "key", KRAKEN_SECRET)).read([("BTC", "EUR")])


async def test_fees_are_read_every_hour_and_a_minute_after_a_failure() -> None:
    venue, pauses = Venue(kraken_answer("0.2600")), list[float]()

    class Enough(Exception):
        pass

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        venue.response = httpx.Response(503)
        if len(pauses) == 3:
            raise Enough

    table = FeeTable("kraken", KrakenFees(venue.rest(), "kraken", "key", KRAKEN_SECRET), sleep=sleep)
    with pytest.raises(Enough):
        await table.run([("BTC", "EUR")])
    assert pauses == [3600.0, 60.0, 60.0]
    assert table.taker_ppm("BTC", "EUR") == 2600


async def test_the_fee_travels_with_the_book() -> None:
    depth = {"asks": [["61000.0", "1.0", 1]], "bids": [["60980.0", "1.0", 1]]}

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return kraken_answer("0.1400")
        return httpx.Response(200, json={"error": [], "result": {"XXBTZEUR": depth}})

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        source = KrakenRates(client, base_url="https://venue.test", key=("key", KRAKEN_SECRET))
        assert (await source.depth("BTC", "EUR")).taker_ppm is None
        await source.fees.read([("BTC", "EUR")])
        assert (await source.depth("BTC", "EUR")).taker_ppm == 1400
