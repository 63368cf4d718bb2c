"""The venues' answers have Kraken's and Binance's shape, and lie when told to."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import httpx
import pytest
from websockets.asyncio.client import connect

from providers.rates.binance_book import BinanceBook
from providers.rates.kraken_book import KrakenBook, Places
from tests.providers.sandbox.stripe.far_side import Sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("venue"))
    yield running
    running.end(signal.SIGKILL)  # a hanging answer would hold up a graceful end


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=5, trust_env=False) as client:
        yield client
        for pair in ("XBTEUR", "XBTUSD"):
            await client.delete(f"/control/venue/{pair}")
        await client.delete("/control/faults")


async def depth(http: httpx.AsyncClient, pair: str = "XBTEUR", count: int = 100) -> dict[str, list[list[object]]]:
    answer = (await http.get("/kraken/0/public/Depth", params={"pair": pair, "count": count})).json()
    assert answer["error"] == []
    (book,) = answer["result"].values()
    assert isinstance(book, dict)
    return book


async def test_the_default_book(http: httpx.AsyncClient) -> None:
    book = await depth(http)
    assert [level[:2] for level in book["asks"][:2]] == [["61000.00000", "0.20"], ["61010.00000", "0.35"]]
    assert [level[:2] for level in book["bids"][:2]] == [["60980.00000", "0.15"], ["60965.00000", "0.40"]]
    asks = [Decimal(str(level[0])) for level in book["asks"]]
    bids = [Decimal(str(level[0])) for level in book["bids"]]
    assert len(asks) == len(bids) == 100
    assert asks == sorted(set(asks))
    assert bids == sorted(set(bids), reverse=True)
    assert bids[0] < asks[0]
    assert isinstance(book["asks"][0][2], int)


@pytest.mark.parametrize(
    ("pair", "name"),
    [
        ("XBTEUR", "XXBTZEUR"),
        ("XBT/USD", "XXBTZUSD"),
        ("btcgbp", "XXBTZGBP"),
        ("XXBTZJPY", "XXBTZJPY"),
    ],
)
async def test_pairs_by_any_name(http: httpx.AsyncClient, pair: str, name: str) -> None:
    answer = (await http.get("/kraken/0/public/Depth", params={"pair": pair, "count": 2})).json()
    assert list(answer["result"]) == [name]
    assert len(answer["result"][name]["asks"]) == 2


async def test_unknown_pairs_and_counts(http: httpx.AsyncClient) -> None:
    assert (await http.get("/kraken/0/public/Depth?pair=DOGEEUR")).json() == {"error": ["EQuery:Unknown asset pair"]}
    assert (await http.get("/kraken/0/public/Depth?pair=XBTEUR&count=0")).json()["error"]


async def test_levels_are_settable(http: httpx.AsyncClient) -> None:
    body = {"asks": [["50000.00", "0.1"], ["50001.00", "0.2"]], "tail": False}
    put = await http.put("/control/venue/XBTEUR", json=body)
    assert put.status_code == 200
    book = await depth(http)
    assert [level[:2] for level in book["asks"]] == [["50000.00000", "0.1"], ["50001.00000", "0.2"]]
    assert len(book["bids"]) == 3
    await http.put("/control/venue/XBTEUR", json={"asks": [["50000.00", "0.1"]]})
    assert len((await depth(http))["asks"]) == 100


@pytest.mark.parametrize("body", [{"asks": [["-1", "1"]]}, {"asks": [["1"]]}, {"asks": [[1, 2]]}, {"mood": "sad"}])
async def test_a_book_that_cannot_be_read_is_refused(http: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert (await http.put("/control/venue/XBTEUR", json=body)).status_code == 422
    assert (await http.put("/control/venue/DOGEEUR", json={})).status_code == 404


async def test_moods(http: httpx.AsyncClient) -> None:
    await http.put("/control/venue/XBTEUR", json={"mood": "error"})
    assert (await http.get("/kraken/0/public/Depth?pair=XBTEUR")).json() == {"error": ["EService:Unavailable"]}
    await http.put("/control/venue/XBTEUR", json={"mood": "crossed"})
    book = await depth(http)
    assert Decimal(str(book["bids"][0][0])) > Decimal(str(book["asks"][0][0]))
    await http.put("/control/venue/XBTEUR", json={"mood": "hang"})
    with pytest.raises(httpx.ReadTimeout):
        await http.get("/kraken/0/public/Depth?pair=XBTEUR", timeout=0.2)
    assert await depth(http, "XBTUSD")


async def test_faults_reach_the_venue_too(http: httpx.AsyncClient) -> None:
    await http.post("/control/faults", json={"kind": "error_before", "target": "kraken", "status": 520})
    assert (await http.get("/kraken/0/public/Depth?pair=XBTEUR")).status_code == 520
    await http.post("/control/faults", json={"kind": "garbage", "target": "kraken"})
    assert "<html>" in (await http.get("/kraken/0/public/Depth?pair=XBTEUR")).text
    assert await depth(http)


async def test_binance_publishes_the_same_market_in_its_own_shape(http: httpx.AsyncClient) -> None:
    body = (await http.get("/binance/api/v3/depth?symbol=BTCEUR&limit=2")).json()
    assert body["asks"] == [["61000.00", "0.20"], ["61010.00", "0.35"]]
    assert body["bids"] == [["60980.00", "0.15"], ["60965.00", "0.40"]]
    await http.put("/control/venue/XBTEUR", json={"venue": "binance", "shift_bps": 500})
    later = (await http.get("/binance/api/v3/depth?symbol=BTCEUR&limit=1")).json()
    assert later["asks"] == [["64050.00000", "0.20"]]
    assert later["lastUpdateId"] > body["lastUpdateId"]
    assert (await depth(http))["asks"][0][0] == "61000.00000"  # at the other venue nothing has changed


async def test_binance_refuses_in_its_own_words(http: httpx.AsyncClient) -> None:
    unknown = await http.get("/binance/api/v3/depth?symbol=DOGEEUR")
    assert (unknown.status_code, unknown.json()["code"]) == (400, -1121)
    await http.put("/control/venue/XBTEUR", json={"venue": "binance", "mood": "error"})
    assert (await http.get("/binance/api/v3/depth?symbol=BTCEUR")).status_code == 503
    await http.post("/control/faults", json={"kind": "error_before", "target": "binance", "status": 429})
    assert (await http.get("/binance/api/v3/depth?symbol=BTCUSD")).status_code == 429


async def test_a_stale_venue_says_how_old_it_is(http: httpx.AsyncClient) -> None:
    await http.put("/control/venue/XBTEUR", json={"mood": "stale"})
    for path in ("/kraken/0/public/Depth?pair=XBTEUR", "/binance/api/v3/depth?symbol=BTCEUR"):
        assert (await http.get(path)).headers["age"] == "600"


async def test_krakens_pairs_with_their_decimals(http: httpx.AsyncClient) -> None:
    answer = (await http.get("/kraken/0/public/AssetPairs?pair=XBTEUR,ETHUSD")).json()
    assert set(answer["result"]) == {"XXBTZEUR", "XETHZUSD"}
    assert answer["result"]["XXBTZEUR"] == {"altname": "XBTEUR", "pair_decimals": 5, "lot_decimals": 8}
    unknown = (await http.get("/kraken/0/public/AssetPairs?pair=XBTEUR,DOGEEUR")).json()
    assert unknown == {"error": ["EQuery:Unknown asset pair"]}


@pytest.mark.parametrize("pair", ["ETHEUR", "LTCUSD", "USDCGBP", "USDCJPY", "ETHJPY"])
async def test_every_coins_book_is_a_market(http: httpx.AsyncClient, pair: str) -> None:
    body = (await http.get(f"/binance/api/v3/depth?symbol={pair}&limit=500")).json()
    asks, bids = ([Decimal(price) for price, _ in body[side]] for side in ("asks", "bids"))
    assert asks == sorted(set(asks))
    assert bids == sorted(set(bids), reverse=True)
    assert bids[0] < asks[0]


async def test_krakens_stream_keeps_a_book_whose_checksum_is_right(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    book = KrakenBook(Places(5, 8), 25)
    params = {"channel": "book", "symbol": ["BTC/EUR", "DOGE/EUR"], "depth": 25}
    async with connect(sandbox.url.replace("http", "ws") + "/kraken/v2", proxy=None) as socket:
        await socket.send(json.dumps({"method": "subscribe", "params": params}))
        seen, updates = [], 0
        async with asyncio.timeout(10):
            while updates < 2:
                message = json.loads(await socket.recv(), parse_float=str)
                kind = message.get("channel") or message["success"]
                if kind == "book" and message["type"] == "snapshot":
                    book.snapshot(message["data"][0])
                    await http.put("/control/venue/XBTEUR", json={"asks": [["60999.00", "0.3"], ["61000.00", "0.1"]]})
                elif kind == "book":
                    book.update(message["data"][0])
                    updates += book.asks.best_price() == 6_099_900_000
                    if updates == 1:
                        await http.put("/control/venue/XBTEUR", json={"bids": [["60990.00", "1"]]})
                seen.append(kind)
    assert seen[0] == "status"
    assert {True, False, "book"} <= set(seen)  # one pair is known, the other is not
    assert book.bids.best(1) == [(6_099_000_000, 100_000_000)]


async def test_binances_stream_joins_its_snapshot(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    book = BinanceBook(1000)
    address = sandbox.url.replace("http", "ws") + "/binance/stream?streams=btceur@depth@100ms"
    async with connect(address, proxy=None) as socket, asyncio.timeout(10):
        await http.put("/control/venue/XBTEUR", json={"asks": [["60999.00", "0.3"]]})
        book.event(json.loads(await socket.recv())["data"])
        await http.put("/control/venue/XBTEUR", json={"asks": [["60998.00", "0.3"]]})
        book.snapshot((await http.get("/binance/api/v3/depth?symbol=BTCEUR&limit=500")).json())
        await http.put("/control/venue/XBTEUR", json={"asks": [["60997.00", "0.3"]]})
        while book.asks.best_price() != 6_099_700_000_000:
            book.event(json.loads(await socket.recv())["data"])
        whole = (await http.get("/binance/api/v3/depth?symbol=BTCEUR&limit=500")).json()
    assert [f"{price / 1e8:.2f}" for price, _ in book.asks.best()] == [price for price, _ in whole["asks"]]
