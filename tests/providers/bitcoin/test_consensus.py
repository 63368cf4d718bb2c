"""Everything we sign is held against Bitcoin Core's consensus code."""

from dataclasses import replace

import pytest
from bitcoinlib.transactions import Transaction

from app.ports.chain import Branch, CoinInput, Recipient, SignedTransaction
from providers.bitcoin.building import FeePolicy, check_signed, plan_transaction
from providers.bitcoin.layout import read_transaction
from providers.bitcoin.networks import MAIN, TEST, BitcoinNetwork
from providers.bitcoin.wallet import Wallet
from tests.providers.bitcoin.consensus import accepts
from tests.providers.bitcoin.samples import EVERY_KIND, SEED, change_of, coin, pay, regtest_wallet


def send(wallet: Wallet, coins: list[CoinInput], recipients: list[Recipient], fee_rate: int = 2) -> SignedTransaction:
    plan = plan_transaction(coins, recipients, change_of(wallet), fee_rate=fee_rate, fees=FeePolicy())
    return check_signed(plan, wallet.signed(plan.draft))


@pytest.mark.parametrize("network", [MAIN, TEST])
def test_one_coin_on_a_public_network(network: BitcoinNetwork) -> None:
    wallet = Wallet(SEED, network)
    coins = [coin(0, 100_000)]
    assert accepts(wallet, send(wallet, coins, [pay(50_000)]).raw, coins)


@pytest.mark.parametrize("script", EVERY_KIND)
def test_every_kind_of_output_and_its_size(script: str) -> None:
    wallet = regtest_wallet()
    coins = [coin(0, 100_000)]
    signed = send(wallet, coins, [pay(50_000, script)])
    assert accepts(wallet, signed.raw, coins)
    # bitcoinlib reading the bytes afresh is a second opinion on id and size; its opinion after signing is not.
    again = Transaction.parse_hex(signed.raw.hex(), network="regtest")
    again.estimate_size()
    assert (signed.txid, signed.vsize) == (again.txid, again.vsize)


def test_several_keys_and_one_key_twice() -> None:
    wallet = regtest_wallet()
    coins = [coin(n, 10_000 + n, index=n % 4, branch=list(Branch)[n % 2]) for n in range(9)]
    signed = send(wallet, coins, [pay(40_000), pay(20_000)])
    assert accepts(wallet, signed.raw, coins)
    assert len(read_transaction(signed.raw).inputs) == 9


@pytest.mark.parametrize("wrong", [99_999, 100_001])
def test_a_tampered_amount_is_refused(wrong: int) -> None:
    wallet = regtest_wallet()
    coins = [coin(0, 100_000)]
    signed = send(wallet, coins, [pay(50_000)])
    assert not accepts(wallet, signed.raw, [replace(coins[0], amount=wrong)])


def test_a_tampered_output_is_refused() -> None:
    wallet = regtest_wallet()
    coins = [coin(0, 100_000)]
    raw = send(wallet, coins, [pay(50_000)]).raw
    tampered = raw.replace((50_000).to_bytes(8, "little"), (50_001).to_bytes(8, "little"))
    assert tampered != raw
    assert not accepts(wallet, tampered, coins)


def test_another_key_is_refused() -> None:
    wallet = regtest_wallet()
    coins = [coin(0, 100_000)]
    raw = send(wallet, coins, [pay(50_000)]).raw
    assert not accepts(wallet, raw, [replace(coins[0], index=1)])


def test_a_replacement_is_signed_anew() -> None:
    """The library's own fee bump keeps the old signatures; ours is a new transaction over the same coins."""
    wallet = regtest_wallet()
    coins = [coin(0, 100_000), coin(1, 70_000)]
    first, second = (send(wallet, coins, [pay(120_000)], fee_rate) for fee_rate in (2, 9))
    assert first.txid != second.txid
    assert second.fee - first.fee == 7 * 209
    assert second.change == first.change - 7 * 209
    assert accepts(wallet, second.raw, coins)


def test_two_hundred_coins_and_five_hundred_recipients() -> None:
    wallet = regtest_wallet()
    coins = [coin(n, 100_000, index=n % 7) for n in range(200)]
    signed = send(wallet, coins, [pay(1_000 + n) for n in range(500)])
    assert accepts(wallet, signed.raw, coins)
    layout = read_transaction(signed.raw)
    assert (len(layout.inputs), len(layout.outputs)) == (200, 501)
    assert sum(amount for _, amount in layout.outputs) + signed.fee == 200 * 100_000
