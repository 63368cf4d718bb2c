"""The whole sandbox on its one port, with its chain."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.providers.sandbox.stripe.far_side import Sandbox, until

SOMEBODY = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("whole"), bitcoin=True)
    yield running
    running.end(signal.SIGKILL)


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=5, trust_env=False) as client:
        yield client


async def rpc(http: httpx.AsyncClient, method: str, *params: object) -> object:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return (await http.post("/bitcoin", json=body, auth=("sandbox", "sandbox"))).json()["result"]


async def height(http: httpx.AsyncClient) -> int:
    return int(str(await rpc(http, "getblockcount")))


async def test_all_parts_answer(http: httpx.AsyncClient) -> None:
    assert (await http.get("/control/health")).json() == {"status": "ok"}
    assert (await http.get("/stripe/v1/balance", auth=("sk_test_whole", ""))).json()["object"] == "balance"
    assert (await http.get("/kraken/0/public/Depth?pair=XBTEUR")).json()["error"] == []
    assert await height(http) >= 150


async def test_the_faucet_the_miner_and_a_reorganisation(http: httpx.AsyncClient) -> None:
    body = {"outputs": [{"address": SOMEBODY, "amount": 100_000}]}
    before = await height(http)
    (txid,) = (await http.post("/control/bitcoin/fund", json=body)).json()["txids"]
    assert await height(http) > before
    (block,) = (await http.post("/control/bitcoin/mine", json={"blocks": 1})).json()["blocks"]
    assert await rpc(http, "getblockhash", await height(http)) == block
    await http.put("/control/bitcoin/mining", json={"paused": True})
    await http.post("/control/bitcoin/reorg", json={"depth": 3})
    assert await rpc(http, "gettxout", txid, 0, False) is None
    stopped = await height(http)
    await http.put("/control/bitcoin/mining", json={"paused": False})

    async def mined_again() -> bool:
        return await height(http) > stopped

    await until(mined_again)  # its transactions wait again, so the mining loop has something to do


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("fund", {"outputs": [{"address": "nonsense", "amount": 100_000}]}, 400),
        ("fund", {"outputs": [{"address": SOMEBODY, "amount": 1}]}, 422),
        ("reorg", {"depth": 0}, 422),
        ("mine", {"blocks": 0}, 422),
    ],
)
async def test_an_order_that_cannot_be_carried_out(
    http: httpx.AsyncClient, path: str, body: dict[str, object], status: int
) -> None:
    assert (await http.post(f"/control/bitcoin/{path}", json=body)).status_code == status


async def test_the_node_can_be_spoilt_and_broadcasts_are_logged(http: httpx.AsyncClient) -> None:
    await http.post("/control/faults", json={"kind": "lost", "target": "bitcoin", "path": "/sendrawtransaction$"})
    assert await height(http) > 0
    with pytest.raises(httpx.TransportError):
        await rpc(http, "sendrawtransaction", "00")
    lines = (await http.get("/control/requests")).json()["data"]
    assert ("bitcoin", "/sendrawtransaction", "lost") in {
        (line["target"], line["path"], line["fault"]) for line in lines
    }
    assert "/getblockcount" not in {line["path"] for line in lines}


async def test_the_explorer_shows_where_a_transaction_stands(http: httpx.AsyncClient) -> None:
    await http.put("/control/bitcoin/mining", json={"paused": True})
    body = {"outputs": [{"address": SOMEBODY, "amount": 123_456}], "mine": False}
    (txid,) = (await http.post("/control/bitcoin/fund", json=body)).json()["txids"]
    waiting = await http.get(f"/explorer/bitcoin/{txid}")
    assert "Waits for a block." in waiting.text
    assert f"{SOMEBODY}<td>0.00123456 BTC" in waiting.text
    await http.post("/control/bitcoin/mine", json={"blocks": 3})
    await http.put("/control/bitcoin/mining", json={"paused": False})
    mined = await http.get(f"/explorer/bitcoin/{txid}")
    assert "3 confirmations." in mined.text
    assert "default-src 'none'" in mined.headers["content-security-policy"]
    strange = await http.get("/explorer/bitcoin/<script>alert(1)<%2Fscript>")
    assert strange.status_code == 404
    assert "<script" not in strange.text
