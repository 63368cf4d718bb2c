"""Keys and addresses: published vectors, and the traps of the library below."""

import hashlib
import logging
import traceback
from dataclasses import replace

import pytest
from bitcoinlib.keys import HDKey

from app.ports.chain import Branch, Recipient
from providers.bitcoin.addresses import BitcoinAddresses
from providers.bitcoin.building import FeePolicy, plan_transaction
from providers.bitcoin.layout import read_transaction
from providers.bitcoin.networks import MAIN, REGTEST, TEST, BitcoinNetwork
from providers.bitcoin.signer import Draft
from providers.bitcoin.wallet import Wallet, WatchedWallet
from tests.providers.bitcoin.samples import MNEMONIC, SEED, change_of, coin, pay, regtest_wallet

# https://github.com/bitcoin/bips/blob/master/bip-0084.mediawiki#test-vectors
BIP84 = [
    (Branch.RECEIVE, 0, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
    (Branch.RECEIVE, 1, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
    (Branch.CHANGE, 0, "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
]


@pytest.mark.parametrize(("branch", "index", "text"), BIP84)
def test_published_addresses(branch: Branch, index: int, text: str) -> None:
    address = Wallet.from_mnemonic(MNEMONIC, MAIN).address(branch, index)
    assert (address.text, address.branch, address.index) == (text, branch, index)


def test_a_mnemonic_is_its_seed() -> None:
    seed = hashlib.pbkdf2_hmac("sha512", MNEMONIC.encode(), b"mnemonicTREZOR", 2048)
    spaced = "\n " + MNEMONIC.replace(" ", "  ") + "\n"
    wallets = Wallet(seed, MAIN), Wallet.from_mnemonic(spaced, MAIN, passphrase="TREZOR")
    assert len({wallet.address(Branch.RECEIVE, 7).text for wallet in wallets}) == 1
    assert wallets[0].address(Branch.RECEIVE, 0).text != BIP84[0][2]


@pytest.mark.parametrize("network", [MAIN, TEST, REGTEST])
def test_addresses_are_of_their_network_and_stand_for_their_script(network: BitcoinNetwork) -> None:
    address = Wallet(SEED, network).address(Branch.CHANGE, 3)
    assert address.text.startswith(network.hrp + "1q")
    assert BitcoinAddresses(network).parse(address.text).script == address.script


def test_test_networks_use_their_own_coin_type() -> None:
    """The library's regtest preset would derive the keys of the main network."""
    scripts = {network.name: Wallet(SEED, network).address(Branch.RECEIVE, 0).script for network in (MAIN, TEST)}
    assert regtest_wallet().address(Branch.RECEIVE, 0).script == scripts["test"] != scripts["main"]
    assert HDKey.from_seed(SEED.hex(), network="regtest").network.bip44_cointype == 0


def test_every_place_has_its_own_address() -> None:
    wallet = regtest_wallet()
    assert len({wallet.address(branch, index).script for branch in Branch for index in range(20)}) == 40


def test_a_seed_that_spells_hex_digits_is_taken_as_it_is() -> None:
    """The library decodes such bytes, which would halve the seed."""
    spelt = b"0123456789abcdef" * 4
    assert len(spelt) == 64
    root = HDKey.from_seed(spelt.hex(), network="regtest", witness_type="segwit")
    expected = root.key_for_path("m/84h/1h/0h/0/0").hash160.hex()
    assert Wallet(spelt, REGTEST).address(Branch.RECEIVE, 0).script == f"0014{expected}"
    assert Wallet(bytes.fromhex(spelt.decode()), REGTEST).address(Branch.RECEIVE, 0).script != f"0014{expected}"


@pytest.mark.parametrize("size", [0, 16, 31, 65])
def test_a_seed_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 to 64"):
        Wallet(bytes(size), REGTEST)


@pytest.mark.parametrize("index", [-1, 2**31])
def test_hardened_and_negative_indexes_are_refused(index: int) -> None:
    with pytest.raises(ValueError, match="index"):
        regtest_wallet().address(Branch.RECEIVE, index)


def test_the_last_index_works() -> None:
    assert regtest_wallet().address(Branch.RECEIVE, 2**31 - 1).text.startswith("bcrt1q")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "canary",
        "zebra " * 12,  # the words exist, their checksum does not
        MNEMONIC.replace("about", "abandon"),
        MNEMONIC.replace("about", "canarycanary"),
        "κανάρι " * 12,
    ],
)
def test_a_bad_mnemonic_is_refused_and_not_repeated(words: str) -> None:
    with pytest.raises(ValueError, match="BIP-39") as caught:
        Wallet.from_mnemonic(words, REGTEST)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert str(caught.value) == "this is not a valid BIP-39 mnemonic"


def test_signing_is_repeatable_and_of_version_two() -> None:
    plan = plan_transaction(
        [coin(0, 100_000)], [pay(50_000)], change_of(regtest_wallet()), fee_rate=2, fees=FeePolicy()
    )
    raw = regtest_wallet().signed(plan.draft)
    assert raw == regtest_wallet().signed(plan.draft)
    layout = read_transaction(raw)
    assert (layout.version, layout.locktime) == (2, 0)
    assert [each.sequence for each in layout.inputs] == [0xFFFFFFFD]
    assert [each.witness[0][-1] for each in layout.inputs] == [1]


def test_keys_are_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Representations, logs at their loudest, and errors from inside the library."""
    caplog.set_level(logging.DEBUG)
    wallet = Wallet.from_mnemonic(MNEMONIC, MAIN)
    root = HDKey.from_passphrase(MNEMONIC, network="bitcoin", witness_type="segwit")
    keys = [root, *(root.key_for_path(path) for path in ("m/84h", "m/84h/0h/0h", "m/84h/0h/0h/0", "m/84h/0h/0h/0/0"))]
    secrets = [text for key in keys for text in (key.private_hex, str(key.secret), key.wif_private(), key.wif_key())]
    secrets += [MNEMONIC, "abandon"]
    shown = [repr(wallet), str(wallet), repr(vars(wallet)), repr(wallet._key(Branch.RECEIVE, 0))]
    wallet.signed(Draft((coin(0, 100_000),), (Recipient(wallet.address(Branch.RECEIVE, 1).script, 1_000),)))
    for broken in (replace(coin(0, 1), vout=-1), coin(0, 0), coin(0, -1)):
        try:
            wallet.signed(Draft((broken,), (pay(1_000),)))
        except Exception as error:
            shown += traceback.format_exception(error)
        else:
            pytest.fail("a broken coin was signed")
    shown.append(caplog.text)
    assert not [secret for secret in secrets if any(secret in text for text in shown)]


@pytest.mark.parametrize("network", [MAIN, TEST, REGTEST])
def test_a_watched_wallet_has_the_same_addresses_and_cannot_sign(network: BitcoinNetwork) -> None:
    wallet = Wallet(SEED, network)
    watched = WatchedWallet(wallet.account_key, network)
    places = [(branch, index) for branch in Branch for index in (0, 1, 2**31 - 1)]
    assert [watched.address(*place) for place in places] == [wallet.address(*place) for place in places]
    assert not hasattr(watched, "sign")
    with pytest.raises(ValueError, match="index"):
        watched.address(Branch.RECEIVE, 2**31)


@pytest.mark.parametrize("depth", ["m", "m/84h/1h", "m/84h/1h/0h/0"])
def test_only_an_accounts_public_key_is_watched(depth: str) -> None:
    root = HDKey.from_seed(SEED.hex(), network="regtest", witness_type="segwit")
    key = root if depth == "m" else root.key_for_path(depth)
    wrong = [key.wif_public(), root.key_for_path("m/84h/1h/0h").wif_private(), "", "zpub", "xprv" * 20]
    for text in wrong:
        with pytest.raises(ValueError, match="extended public key") as caught:
            WatchedWallet(text, REGTEST)
        assert not text or text not in str(caught.value)
