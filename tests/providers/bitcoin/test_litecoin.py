"""Litecoin on the Bitcoin adapter: its addresses, keys and dust, and what its extension blocks leave in answers."""

from __future__ import annotations

import pytest
from bitcoinlib.encoding import pubkeyhash_to_addr_base58, pubkeyhash_to_addr_bech32
from bitcoinlib.keys import HDKey

from app.domain.assets import LITECOIN_DEPTH, LTC, confirmations_needed, dust_units, read_ladder
from app.domain.errors import AddressInvalid, NetworkMismatch
from app.domain.money import Money
from app.ports.chain import Branch
from app.settings import LitecoinSettings
from providers.bitcoin.addresses import BitcoinAddresses
from providers.bitcoin.answers import transaction_of
from providers.bitcoin.building import FeePolicy, plan_transaction
from providers.bitcoin.networks import LITECOIN_MAIN, LITECOIN_NETWORKS, LITECOIN_REGTEST, LITECOIN_TEST, BitcoinNetwork
from providers.bitcoin.scripts import dust_limit
from providers.bitcoin.wallet import Wallet
from tests.providers.bitcoin.samples import EVERY_KIND, MNEMONIC, P2PKH, P2WPKH, SEED, change_of, coin, pay

# The first address of BIP-84's mnemonic under Litecoin's coin type, as several wallets show it.
FIRST = "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh"
KEY_HASH = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
OLD_SCRIPT_VERSION = b"\x05"  # shared with Bitcoin until 2017


def test_the_first_address_is_the_one_that_other_wallets_show() -> None:
    wallet = Wallet.from_mnemonic(MNEMONIC, LITECOIN_MAIN)
    assert wallet.address(Branch.RECEIVE, 0).text == FIRST


@pytest.mark.parametrize("network", [LITECOIN_MAIN, LITECOIN_TEST])
def test_the_library_finds_the_same_address(network: BitcoinNetwork) -> None:
    """By its own preset, where it has one."""
    root = HDKey.from_seed(SEED.hex(), network=network.preset, witness_type="segwit")
    key = root.key_for_path(f"m/84h/{network.coin_type}h/0h/1/7")
    assert Wallet(SEED, network).address(Branch.CHANGE, 7).text == key.address()


@pytest.mark.parametrize("network", LITECOIN_NETWORKS.values(), ids=LITECOIN_NETWORKS)
def test_every_kind_of_its_addresses(network: BitcoinNetwork) -> None:
    rules = BitcoinAddresses(network)
    spelt = {
        pubkeyhash_to_addr_bech32(KEY_HASH, prefix=network.hrp): f"0014{KEY_HASH.hex()}",
        pubkeyhash_to_addr_bech32(KEY_HASH + b"x" * 12, prefix=network.hrp): f"0020{(KEY_HASH + b'x' * 12).hex()}",
        pubkeyhash_to_addr_base58(KEY_HASH, prefix=bytes([network.pubkey_hash_version])): (
            f"76a914{KEY_HASH.hex()}88ac"
        ),
        pubkeyhash_to_addr_base58(KEY_HASH, prefix=bytes([network.script_hash_version])): f"a914{KEY_HASH.hex()}87",
    }
    assert {text: rules.parse(text).script for text in spelt} == spelt


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (LITECOIN_MAIN, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        (LITECOIN_MAIN, pubkeyhash_to_addr_base58(KEY_HASH, prefix=b"\x00")),
        (LITECOIN_MAIN, pubkeyhash_to_addr_base58(KEY_HASH, prefix=OLD_SCRIPT_VERSION)),
        (LITECOIN_MAIN, pubkeyhash_to_addr_bech32(KEY_HASH, prefix="tltc")),
        (LITECOIN_TEST, FIRST),
        (LITECOIN_TEST, pubkeyhash_to_addr_base58(KEY_HASH, prefix=b"\xc4")),
        (LITECOIN_REGTEST, pubkeyhash_to_addr_bech32(KEY_HASH, prefix="tltc")),
    ],
)
def test_addresses_of_bitcoin_and_of_other_networks(network: BitcoinNetwork, text: str) -> None:
    """Among them `3...`, once the address of a Litecoin script too: nobody can tell which coin is meant."""
    with pytest.raises(NetworkMismatch):
        BitcoinAddresses(network).parse(text)


@pytest.mark.parametrize(
    ("network", "hrp"), [(LITECOIN_MAIN, "ltcmweb"), (LITECOIN_TEST, "tmweb"), (LITECOIN_REGTEST, "tmweb")]
)
@pytest.mark.parametrize("upper", [False, True])
def test_addresses_of_extension_blocks_are_refused_with_their_reason(
    network: BitcoinNetwork, hrp: str, upper: bool
) -> None:
    # A stealth address: version 0, two public keys.
    text = f"{hrp}1qq{'d8ar7f9200vt62d62xey27m8z72zcsc7zkw44zf2q7wnfu9qz6yu' * 2}"
    with pytest.raises(AddressInvalid, match="MWEB"):
        BitcoinAddresses(network).parse(text.upper() if upper else text)


def test_its_dust_is_ten_times_bitcoins() -> None:
    assert {dust_limit(script, LITECOIN_REGTEST.dust_rate) for script in EVERY_KIND} == {
        10 * dust_limit(script) for script in EVERY_KIND
    }
    assert dust_limit(P2PKH, LITECOIN_REGTEST.dust_rate) == 5_460
    assert dust_units("litecoin") > 5_460


def test_neither_change_nor_outputs_are_dust_to_its_nodes() -> None:
    wallet = Wallet(SEED, LITECOIN_REGTEST)
    rate = LITECOIN_REGTEST.dust_rate
    with pytest.raises(ValueError, match="dust"):
        plan_transaction(
            [coin(0, 100_000)], [pay(2_900)], change_of(wallet), fee_rate=1, fees=FeePolicy(), dust_rate=rate
        )
    left = plan_transaction(
        [coin(0, 100_000)], [pay(95_000)], change_of(wallet), fee_rate=1, fees=FeePolicy(), dust_rate=rate
    )
    assert left.change == 0
    assert [output.script for output in left.draft.outputs] == [P2WPKH]


def test_what_is_in_extension_blocks_is_left_out() -> None:
    """As Litecoin Core 0.21 tells of a transaction that goes from the chain into an extension block and back."""
    txid, script = "ab" * 32, f"0014{KEY_HASH.hex()}"
    found = transaction_of(
        {
            "txid": "cd" * 32,
            "vin": [
                {"ismweb": True, "output_id": "03" * 32},
                {"ismweb": False, "txid": txid, "vout": 1, "sequence": 4294967295},
            ],
            "vout": [
                {"ismweb": True, "output_id": "c2" * 32},
                {"ismweb": False, "value": 2, "n": 3, "scriptPubKey": {"hex": script}},
            ],
        }
    )
    assert found.spends == ((txid, 1),)
    assert [(output.vout, output.script, output.amount) for output in found.outputs] == [(3, script, 200_000_000)]


def test_payments_are_final_no_sooner_than_coins_of_extension_blocks_can_be_spent() -> None:
    assert confirmations_needed(Money(1, LTC), LITECOIN_DEPTH) == 6
    assert read_ladder(LitecoinSettings().litecoin_confirmations) == LITECOIN_DEPTH
