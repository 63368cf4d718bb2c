"""The venue's answers have Kraken's shape, and lie when told to."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import httpx
import pytest

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
