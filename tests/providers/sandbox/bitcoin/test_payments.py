"""What the mempool takes and refuses, with Core's numbers; every signature here is bitcoinlib's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from providers.sandbox.bitcoin import faucet
from providers.sandbox.bitcoin.errors import RpcError
from providers.sandbox.bitcoin.kernel import failing_input
from providers.sandbox.bitcoin.node import Node
from providers.sandbox.bitcoin.serialise import Outpoint, TxIn, TxOut, build_transaction, parse_transaction
from tests.providers.sandbox.bitcoin.client import Client, Refused
from tests.providers.sandbox.bitcoin.purse import Purse, txid_of

BTC = 100_000_000
CUSTOMER, SHOP, OTHER = Purse(0), Purse(1), Purse(2)
Coin = tuple[Outpoint, int]


@pytest.fixture
def coin(node: Node) -> Coin:
    """A confirmed coin of 2 BTC of the customer's."""
    node.fund([(CUSTOMER.address, 2 * BTC)])
    ((outpoint, found),) = node.view.coins.of(CUSTOMER.script)
    return outpoint, found.value


async def refusal(rpc: Client, raw: str) -> tuple[int, str]:
    """How the node refuses a transaction; asked twice, since asking must not change the answer."""
    (judged,) = await rpc("testmempoolaccept", [raw])
    assert judged["allowed"] is False
    with pytest.raises(Refused) as refused:
        await rpc("sendrawtransaction", raw)
    return refused.value.code, judged["reject-reason"]


async def test_a_payment_from_signature_to_confirmation(rpc: Client, coin: Coin) -> None:
    raw = CUSTOMER.pay(coin, [(SHOP.address, 30_000_001)], fee=1_000)
    (judged,) = await rpc("testmempoolaccept", [raw])
    assert judged["allowed"] is True
    assert judged["fees"]["base"] == Decimal("0.00001000")
    txid = await rpc("sendrawtransaction", raw)
    assert txid == txid_of(raw) == judged["txid"]
    assert await rpc("sendrawtransaction", raw) == txid  # again is harmless
    assert await rpc("getrawmempool") == [txid]
    entry = await rpc("getmempoolentry", txid)
    assert (entry["vsize"], entry["fees"]["base"]) == (judged["vsize"], Decimal("0.00001000"))
    assert "confirmations" not in await rpc("getrawtransaction", txid, 1)

    (block_hash,) = await rpc("generatetoaddress", 1, OTHER.address)

    assert await rpc("getrawmempool") == []
    seen = await rpc("getrawtransaction", txid, True)
    assert (seen["blockhash"], seen["confirmations"], seen["hex"]) == (block_hash, 1, raw)
    block = await rpc("getblock", block_hash, 2)
    (paid,) = [one for one in block["tx"] if one["txid"] == txid]
    assert (paid["vin"][0]["txid"], paid["vin"][0]["vout"]) == coin[0]
    output = next(each for each in paid["vout"] if each["scriptPubKey"].get("address") == SHOP.address)
    assert (output["value"], output["scriptPubKey"]["hex"]) == (Decimal("0.30000001"), SHOP.script.hex())
    reward = block["tx"][0]["vout"][0]
    assert reward["value"] == Decimal("25.00001000")  # subsidy of the second era, and the fee
    assert reward["scriptPubKey"]["address"] == OTHER.address
    assert await refusal(rpc, raw) == (-27, "txn-already-known")


async def test_a_coin_is_seen_through_the_mempool(rpc: Client, coin: Coin) -> None:
    outpoint, _ = coin
    assert (await rpc("gettxout", *outpoint))["value"] == 2
    txid = await rpc("sendrawtransaction", CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=1_000))
    assert await rpc("gettxout", *outpoint) is None
    assert (await rpc("gettxout", *outpoint, False))["confirmations"] == 1
    change = await rpc("gettxout", txid, 1)
    assert (change["confirmations"], change["coinbase"]) == (0, False)
    assert await rpc("gettxout", txid, 1, False) is None
    assert await rpc("gettxout", txid, 2) is None


async def test_a_double_spend_is_refused_before_and_after_confirmation(rpc: Client, node: Node, coin: Coin) -> None:
    await rpc("sendrawtransaction", CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=1_000))
    rival = CUSTOMER.pay(coin, [(OTHER.address, BTC)], fee=1_000)
    code, reason = await refusal(rpc, rival)
    assert (code, "insufficient fee" in reason) == (-26, True)
    node.mine(1)
    assert await refusal(rpc, rival) == (-25, "missing-inputs")


async def test_a_replacement_must_pay_for_all_that_it_evicts(rpc: Client, coin: Coin) -> None:
    first = await rpc("sendrawtransaction", CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=500, sequence=0xFFFFFFFF))
    change = ((first, 1), BTC - 500)
    await rpc("sendrawtransaction", CUSTOMER.pay(change, [(OTHER.address, 10_000_000)], fee=700))
    for too_little in (501, 1_199, 1_200, 1_300):  # 500 + 700 are paid already, and the relay costs another 141
        code, reason = await refusal(rpc, CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=too_little))
        assert (code, "insufficient fee" in reason) == (-26, True)
    replacement = await rpc("sendrawtransaction", CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=1_341))
    assert await rpc("getrawmempool") == [replacement]
    with pytest.raises(Refused) as gone:
        await rpc("getrawtransaction", first)
    assert gone.value.code == -5


async def test_a_confirmed_rival_removes_a_waiting_transaction_and_its_children(node: Node, coin: Coin) -> None:
    raw = CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=1_000)
    txid = node.submit(bytes.fromhex(raw))
    node.drop_from_mempool(txid)
    assert node.mempool.entries == {}
    rival = node.submit(bytes.fromhex(CUSTOMER.pay(coin, [(OTHER.address, BTC)], fee=900)))
    (mined,) = node.mine_if_busy()
    node.reorg(1)
    node.drop_from_mempool(rival)
    node.submit(bytes.fromhex(raw))
    node.submit(bytes.fromhex(CUSTOMER.pay(((txid, 1), BTC - 1_000), [(OTHER.address, 9_000)], fee=500)))
    assert len(node.mempool.entries) == 2
    for block_hash in node.view.active[-2:]:  # the branch that holds the rival wins again
        node.invalidate(block_hash)
    assert node.view.tip.hash == mined
    assert node.mempool.entries == {}


def test_dropping_takes_the_children_too(node: Node, coin: Coin) -> None:
    parent = node.submit(bytes.fromhex(CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=1_000)))
    node.submit(bytes.fromhex(CUSTOMER.pay(((parent, 1), BTC - 1_000), [(SHOP.address, 9_000)], fee=500)))
    node.drop_from_mempool(parent)
    assert node.mempool.entries == {}
    assert node.mempool.spender == {}
    assert node.mine_if_busy() == []


@pytest.mark.parametrize(
    ("outputs", "options", "code", "reason"),
    [
        ([(SHOP.address, BTC)], {"fee": 100}, -26, "min relay fee not met, 100 < 141"),
        ([(SHOP.address, 293)], {"fee": 1_000}, -26, "dust"),
        ([(SHOP.address, 3 * BTC)], {"fee": 0}, -26, "bad-txns-in-belowout"),
        ([(SHOP.address, BTC)], {"fee": 20_000_000}, -25, "max-fee-exceeded"),
        ([(SHOP.address, BTC)], {"fee": 1_000, "locktime": 252}, -26, "non-final"),
        ([(SHOP.address, BTC)], {"fee": 1_000, "sequence": 2}, -26, "non-BIP68-final"),
    ],
)
async def test_policy(
    rpc: Client, coin: Coin, outputs: list[tuple[str, int]], options: dict[str, int], code: int, reason: str
) -> None:
    assert await refusal(rpc, CUSTOMER.pay(coin, outputs, **options)) == (code, reason)


async def test_locks_that_have_passed_are_no_obstacle(rpc: Client, coin: Coin) -> None:
    assert await rpc("getblockcount") == 251
    ripe = CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=1_000, sequence=1, locktime=251)
    assert await rpc("sendrawtransaction", ripe) == txid_of(ripe)


async def test_a_wrong_signature_is_refused_by_core(rpc: Client, coin: Coin) -> None:
    raw = bytearray(bytes.fromhex(CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=1_000)))
    raw[-40] ^= 1  # the end of S: behind it come the sighash byte, the public key with its length, the lock time
    code, reason = await refusal(rpc, raw.hex())
    assert (code, reason.startswith("mempool-script-verify-flag-failed")) == (-26, True)
    stolen = OTHER.pay(coin, [(OTHER.address, BTC)], fee=1_000)
    code, reason = await refusal(rpc, stolen)
    assert (code, reason.startswith("mempool-script-verify-flag-failed")) == (-26, True)


async def test_a_high_s_signature_is_refused_though_consensus_would_take_it(rpc: Client, coin: Coin) -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    raw = bytes.fromhex(CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=1_000))
    signature = parse_transaction(raw).witnesses[0][0]  # 30 length, 02 length R, 02 length S, sighash
    r, s = signature[2 : 4 + signature[3]], signature[6 + signature[3] : -1]
    high = b"\x02\x21" + (order - int.from_bytes(s)).to_bytes(33)
    other = b"\x30" + bytes([len(r + high)]) + r + high + signature[-1:]
    changed = raw.replace(bytes([len(signature)]) + signature, bytes([len(other)]) + other)
    assert failing_input(changed, [TxOut(coin[1], CUSTOMER.script)]) is None
    code, reason = await refusal(rpc, changed.hex())
    assert (code, "S value" in reason) == (-26, True)


async def test_unripe_coinbases_are_refused(rpc: Client, node: Node) -> None:
    node.mine(99, CUSTOMER.script)
    outpoint, found = next(iter(node.view.coins.of(CUSTOMER.script)))
    raw = CUSTOMER.pay((outpoint, found.value), [(SHOP.address, BTC)], fee=1_000)
    assert await refusal(rpc, raw) == (-26, "bad-txns-premature-spend-of-coinbase")
    node.mine(1)
    assert await rpc("sendrawtransaction", raw) == txid_of(raw)
    assert node.view.block(node.mine_if_busy()[0]).transactions[1].txid == txid_of(raw)  # Core agrees


async def test_unconfirmed_chains_end_at_25(rpc: Client, node: Node, coin: Coin) -> None:
    (outpoint, value) = coin
    for _ in range(25):
        raw = CUSTOMER.pay((outpoint, value), [(SHOP.address, 1_000)], fee=1_000)
        outpoint, value = (await rpc("sendrawtransaction", raw), 1), value - 2_000
    code, reason = await refusal(rpc, CUSTOMER.pay((outpoint, value), [(SHOP.address, 1_000)], fee=1_000))
    assert (code, reason.startswith("too-long-mempool-chain")) == (-26, True)
    assert len(node.view.block(node.mine_if_busy()[0]).transactions) == 26


async def test_garbage_is_no_transaction(rpc: Client, coin: Coin) -> None:
    good = CUSTOMER.pay(coin, [(SHOP.address, BTC)], fee=1_000)
    for garbage in ("", "00ff", "xyz", good[:-2], good + "00", "02000000000000000000"):
        with pytest.raises(Refused) as refused:
            await rpc("sendrawtransaction", garbage)
        assert refused.value.code == -22, garbage


def test_the_faucet_pays_two_thousand_coins_at_once(node: Node) -> None:
    txids = node.fund([(CUSTOMER.address, 5_000_000)] * 2_000)
    assert len(txids) == 4
    coins = [found for _, found in node.view.coins.of(CUSTOMER.script)]
    assert len(coins) == 2_000
    assert {each.value for each in coins} == {5_000_000}
    assert node.mempool.entries == {}
    assert {node.view.block_of(txid) for txid in txids} == {node.view.tip}


def test_the_faucet_pays_without_mining_and_refuses_what_it_does_not_have(node: Node) -> None:
    (txid,) = node.pay([(CUSTOMER.address, BTC), (SHOP.script, 2 * BTC)])
    assert list(node.mempool.entries) == [txid]
    assert node.view.tip.height == faucet.PREPARED_HEIGHT
    with pytest.raises(RpcError) as poor:
        node.pay([(CUSTOMER.address, 7_500 * BTC)])
    assert poor.value.code == -6
    with pytest.raises(RpcError) as foreign:
        node.pay([(SHOP.address, BTC), ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", BTC)])
    assert foreign.value.code == -5
    assert list(node.mempool.entries) == [txid]


def test_the_faucet_can_pay_from_unconfirmed_change(node: Node) -> None:
    node.pay([(CUSTOMER.address, 7_400 * BTC)])
    (txid,) = node.pay([(CUSTOMER.address, 80 * BTC)])
    node.mine(1)
    assert node.view.block_of(txid) == node.view.tip


def test_a_transaction_that_consensus_refuses_cannot_stop_the_miner(node: Node) -> None:
    ((outpoint, found), (second, _)) = list(node.view.coins.of(faucet.SCRIPT))[:2]
    payments = [
        build_transaction([TxIn(*each, b"", 0)], [TxOut(found.value - 1_000, CUSTOMER.script)], [witness])
        for each, witness in ((outpoint, b"\x51"), (second, b"\x52"))
    ]
    good, bad = (node.mempool.check(payments[0]), payments[1])
    with pytest.raises(RpcError):
        node.mempool.check(bad)
    node.mempool.add(good)
    node.mempool.add(type(good)(bad, good.fee, frozenset()))  # past the check, as if a rule were missing there
    for _ in range(3):
        node.mine(1)
    assert node.mempool.entries == {}
    assert node.view.block_of(good.transaction.txid) is not None
    assert node.view.block_of(bad.txid) is None
