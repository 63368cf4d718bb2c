"""The wire: versions 1 and 2 of JSON-RPC, batches, authentication, statuses and error numbers as in Core."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from providers.sandbox.bitcoin import faucet
from providers.sandbox.bitcoin.node import Node
from providers.sandbox.bitcoin.serialise import TxIn, TxOut, build_transaction
from tests.providers.sandbox.bitcoin.client import Client, Refused

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
SCRIPT = "0014751e76e8199196d454941c45d1b3a323f1433bd6"


async def post(rpc: Client, body: object) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await rpc.http.post("/bitcoin", content=content)


@pytest.mark.parametrize("auth", [None, ("sandbox", "wrong"), ("other", "s3cret-ü"), ("", "")])
async def test_strangers_get_401(rpc: Client, auth: tuple[str, str] | None) -> None:
    answer = await rpc.http.post("/bitcoin", json={"method": "getblockcount", "id": 1}, auth=auth)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="jsonrpc"'
    assert answer.content == b""


async def test_only_post_is_known(rpc: Client) -> None:
    assert (await rpc.http.get("/bitcoin")).status_code == 405


async def test_version_1_tells_errors_by_the_status_too(rpc: Client) -> None:
    good = await post(rpc, {"method": "getblockcount", "id": "a"})
    assert (good.status_code, good.json()) == (200, {"result": 250, "error": None, "id": "a"})
    assert good.headers["content-type"] == "application/json"
    refused = await post(rpc, {"jsonrpc": "1.0", "method": "getblockhash", "params": [251], "id": 2})
    error = {"code": -8, "message": "Block height out of range"}
    assert (refused.status_code, refused.json()) == (500, {"result": None, "error": error, "id": 2})
    unknown = await post(rpc, {"method": "getwalletinfo", "id": 3})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, -32601)
    for invalid in (
        {"id": 4},
        {"method": 5},
        {"method": "getblockcount", "params": 1},
        {"method": "x", "jsonrpc": "3"},
    ):
        answer = await post(rpc, invalid)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32600), invalid


async def test_version_2_answers_200_and_keeps_result_and_error_apart(rpc: Client) -> None:
    good = await post(rpc, {"jsonrpc": "2.0", "method": "getblockcount", "id": None})
    assert (good.status_code, good.json()) == (200, {"jsonrpc": "2.0", "result": 250, "id": None})
    unknown = await post(rpc, {"jsonrpc": "2.0", "method": "nothing", "id": 1.5})
    error = {"code": -32601, "message": "Method not found"}
    assert (unknown.status_code, unknown.json()) == (200, {"jsonrpc": "2.0", "error": error, "id": 1.5})
    told = await post(rpc, {"jsonrpc": "2.0", "method": "generatetoaddress", "params": [1, ADDRESS]})
    assert (told.status_code, told.content) == (204, b"")
    assert await rpc("getblockcount") == 251


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"5", b'"getblockcount"'])
async def test_what_is_no_request_is_a_parse_error(rpc: Client, body: bytes) -> None:
    answer = await post(rpc, body)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["id"]) == (500, -32700, None)


async def test_batches(rpc: Client) -> None:
    calls: list[object] = [
        {"method": "getblockhash", "params": [0], "id": 1},
        {"jsonrpc": "2.0", "method": "getblockcount"},
        {"jsonrpc": "2.0", "method": "getblockhash", "params": {"height": -1}, "id": 2},
        7,
    ]
    answer = await post(rpc, calls)
    first, second, third = answer.json()
    assert answer.status_code == 200
    assert first["result"].startswith("0f9188f1")
    assert (second["id"], second["error"]["code"]) == (2, -8)
    assert third["error"]["code"] == -32600
    assert (await post(rpc, [])).json() == []
    assert (await post(rpc, [{"jsonrpc": "2.0", "method": "getblockcount"}])).status_code == 204


async def test_arguments_by_name_and_wrong_ones(rpc: Client) -> None:
    async def error(method: str, params: object) -> int:
        answer = await post(rpc, {"method": method, "params": params, "id": 1})
        return int(answer.json()["error"]["code"])

    named = await post(rpc, {"method": "getblockhash", "params": {"height": 0}, "id": 1})
    assert named.json()["result"] == await rpc("getblockhash", 0)
    assert await error("getblockhash", {"height": 0, "more": 1}) == -8
    assert await error("getblockhash", []) == -1
    assert await error("getblockhash", [0, 1]) == -1
    assert await error("getblockhash", ["0"]) == -3
    assert await error("getblockhash", [True]) == -3
    assert await error("getblockhash", [0.0]) == -3
    assert await error("getblock", ["ab"]) == -8
    assert await error("getblock", ["ab" * 32]) == -5
    assert await error("getrawtransaction", ["ab" * 32]) == -5
    assert await error("getmempoolentry", ["ab" * 32]) == -5
    assert await error("gettxout", ["ab" * 32, 0, 1]) == -3
    assert await error("generatetoaddress", [1, "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"]) == -5
    assert await error("generatetoaddress", [10_001, ADDRESS]) == -8
    assert await error("sendrawtransaction", ["00", "much"]) == -22
    assert await error("invalidateblock", [await rpc("getblockhash", 0)]) == -8
    assert await error("scantxoutset", ["start", ["pkh(02)"]]) == -5
    assert await error("scantxoutset", ["start", ["raw(0)"]]) == -5
    assert await error("scantxoutset", ["start"]) == -3
    assert await error("__init__", []) == -32601


async def test_the_chain_from_its_start(rpc: Client, node: Node) -> None:
    info = await rpc("getblockchaininfo")
    assert (info["chain"], info["blocks"], info["initialblockdownload"]) == ("regtest", 250, False)
    assert info["bestblockhash"] == await rpc("getbestblockhash") == await rpc("getblockhash", 250)
    assert info["size_on_disk"] == node.log.size > 0
    assert (await rpc("getnetworkinfo"))["relayfee"] == Decimal("0.00001000")
    below = None
    for height in range(249, 251):
        block_hash = await rpc("getblockhash", height)
        block = await rpc("getblock", block_hash)
        assert (block["hash"], block["height"], block["confirmations"]) == (block_hash, height, 251 - height)
        assert block["tx"] == [one["txid"] for one in (await rpc("getblock", block_hash, 2))["tx"]]
        raw = await rpc("getblock", block_hash, 0)
        assert block["size"] == len(raw) // 2
        assert await rpc("getblockheader", block_hash, False) == raw[:160]
        assert below in (None, block["previousblockhash"])
        below = block_hash
    assert (await rpc("getblockheader", await rpc("getblockhash", 249)))["nextblockhash"] == below
    assert "nextblockhash" not in await rpc("getblockheader", below)
    genesis = await rpc("getblock", await rpc("getblockhash", 0))
    assert (genesis["mediantime"], "previousblockhash" in genesis) == (1296688602, False)


async def test_amounts_have_eight_decimals_and_no_float_in_between(rpc: Client, node: Node) -> None:
    node.fund([(ADDRESS, 1_000), (ADDRESS, 2_100_000_001), (ADDRESS, 100_000_000)])
    answer = await post(rpc, {"method": "scantxoutset", "params": ["start", [f"addr({ADDRESS})"]], "id": 1})
    for spelled in ('"amount":0.00001000,', '"amount":21.00000001,', '"amount":1.00000000,'):
        assert spelled in answer.text
    assert '"total_amount":22.00001001' in answer.text


async def test_scanning_for_coins(rpc: Client, node: Node) -> None:
    other = faucet.SCRIPT.hex()
    node.fund([(ADDRESS, 5_000), (ADDRESS, 7_000)])
    by_address = await rpc("scantxoutset", "start", [f"addr({ADDRESS})"])
    by_script = await rpc("scantxoutset", "start", [{"desc": f"raw({SCRIPT})#abcdefgh"}, f"raw({SCRIPT})"])
    assert by_address["total_amount"] == by_script["total_amount"] == Decimal("0.00012000")
    assert [each["amount"] for each in by_script["unspents"]] == [Decimal("0.00005000"), Decimal("0.00007000")]
    first = by_address["unspents"][0]
    assert first["desc"] == f"addr({ADDRESS})"
    assert (first["height"], first["confirmations"], first["coinbase"]) == (251, 1, False)
    assert first["blockhash"] == by_address["bestblock"] == node.view.tip.hash
    assert first["scriptPubKey"] == SCRIPT
    everything = await rpc("scantxoutset", "start", [f"raw({other})", f"raw({SCRIPT})"])
    assert everything["txouts"] == len(everything["unspents"]) == 251 + 2
    assert (await rpc("scantxoutset", "status"), await rpc("scantxoutset", "abort")) == (None, False)


async def test_fees_are_what_the_sandbox_was_told(rpc: Client, node: Node) -> None:
    assert await rpc("estimatesmartfee", 6) == {"feerate": Decimal("0.00005000"), "blocks": 6}
    node.fee_rate = 123_456
    assert (await rpc("estimatesmartfee", 2, "CONSERVATIVE"))["feerate"] == Decimal("0.00123456")
    node.fee_rate = None
    assert await rpc("estimatesmartfee", 1) == {"errors": ["Insufficient data or no feerate found"], "blocks": 2}
    for wrong in (0, 1_009):
        with pytest.raises(Refused) as refused:
            await rpc("estimatesmartfee", wrong)
        assert refused.value.code == -8


async def test_addresses_are_told_apart(rpc: Client) -> None:
    good: dict[str, Any] = await rpc("validateaddress", ADDRESS)
    assert (good["isvalid"], good["scriptPubKey"], good["witness_version"]) == (True, SCRIPT, 0)
    bad = await rpc("validateaddress", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn")
    assert bad["isvalid"] is False
    assert "bcrt1" in bad["error"]


async def test_the_mempool_in_words(rpc: Client, node: Node) -> None:
    (txid,) = node.pay([(ADDRESS, 5_000)])
    entry = (await rpc("getrawmempool", True))[txid]
    assert entry == await rpc("getmempoolentry", txid)
    assert (entry["ancestorcount"], entry["depends"], entry["bip125-replaceable"]) == (1, [], True)
    with pytest.raises(Refused):
        await rpc("getrawmempool", False, True)


async def test_a_guard_against_burning_coins_and_absurd_fees(rpc: Client, node: Node) -> None:
    outpoint, coin = next(iter(node.view.coins.of(faucet.SCRIPT)))
    spend = [TxIn(*outpoint, b"", 0xFFFFFFFF)]
    burn = build_transaction(spend, [TxOut(1_000, b"\x6a"), TxOut(coin.value - 10_000, faucet.SCRIPT)], [b"\x51"])
    absurd = build_transaction(spend, [TxOut(5_000, faucet.SCRIPT)], [b"\x51"])
    for raw, params in ((burn, []), (absurd, []), (absurd, ["499"]), (burn, [0, "0.00000999"])):
        with pytest.raises(Refused) as refused:
            await rpc("sendrawtransaction", raw.raw.hex(), *params)
        assert refused.value.code == -25
    assert await rpc("sendrawtransaction", burn.raw.hex(), 0, "0.00001000") == burn.txid
    node.drop_from_mempool(burn.txid)
    assert await rpc("sendrawtransaction", absurd.raw.hex(), 0) == absurd.txid
