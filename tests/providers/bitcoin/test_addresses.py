"""Other people's addresses: BIP-173 and BIP-350 vectors, other networks, and everything that people paste."""

import re

import pytest
from bitcoinlib.encoding import pubkeyhash_to_addr_base58, pubkeyhash_to_addr_bech32
from bitcoinlib.keys import Address as LibraryAddress
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import AddressInvalid, NetworkMismatch, ValidationFailed
from providers.bitcoin.addresses import BitcoinAddresses
from providers.bitcoin.encoding import decode_base58check, decode_segwit
from providers.bitcoin.networks import MAIN, NETWORKS, REGTEST, TEST, BitcoinNetwork

TAPROOT = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
SEGWIT_TEST = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
SEGWIT_REGTEST = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
LEGACY = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
NESTED = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"
LEGACY_TEST = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
NESTED_TEST = "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc"

SOUND = [
    (MAIN, SEGWIT.upper(), "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    (MAIN, TAPROOT, "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
    (MAIN, LEGACY, "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
    (MAIN, NESTED, "a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87"),
    (TEST, SEGWIT_TEST, "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    (
        TEST,
        "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
        "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
    ),
    (
        TEST,
        "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
        "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
    ),
    (TEST, LEGACY_TEST, "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac"),
    (TEST, NESTED_TEST, "a9144e9f39ca4688ff102128ea4ccda34105324305b087"),
    (REGTEST, SEGWIT_REGTEST, "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    (REGTEST, LEGACY_TEST, "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac"),
]

# Those marked come from the lists of invalid addresses in BIP-173 and BIP-350.
UNSOUND = [
    "",
    " ",
    "1",
    "bc1",
    SEGWIT[:-1] + "5",
    SEGWIT[:-1],
    f" {SEGWIT}",
    f"{SEGWIT} ",
    f"{SEGWIT}\n",
    f"{LEGACY}\t",
    SEGWIT[:8] + " " + SEGWIT[8:],
    "\u200b" + SEGWIT,
    f"bitcoin:{SEGWIT}",
    f"bitcoin:{LEGACY}?amount=0.1",
    f"BITCOIN:{SEGWIT.upper()}",
    SEGWIT[:-3] + SEGWIT[-3:].upper(),
    SEGWIT.capitalize(),
    LEGACY.lower(),
    LEGACY.upper(),
    LEGACY[:-1] + "b",
    LEGACY.replace("1z", "0z"),
    NESTED[1:],
    "1" * 34,
    "satoshi.eth",
    "0x71C7656EC7ab88b098defB751B7401B5f6d8976F",
    "lnbc20m1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypq",
    "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",  # a private key
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
    "\u0661" + LEGACY[1:],  # a digit one that is not ASCII
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",  # BIP-350: bech32 instead of bech32m
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",  # the same, version 16
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",  # bech32m instead of bech32
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",  # invalid character
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",  # witness version 17
    "bc1pw5dgrnzv",  # program of one byte
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",  # 41 bytes
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",  # version 0 with 16 bytes
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",  # padding of more than four bits
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",  # padding that is not zero
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",  # mixed case
    "bc1gmk9yu",  # nothing in it
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",  # sound, but without rules yet
    "BC1SW50QGDZ25J",  # the same, version 16
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",  # the same, version 2
    "bc1pfeessrawgf",  # an anchor that anyone can spend
]

FOREIGN = [
    (MAIN, SEGWIT_TEST),
    (MAIN, SEGWIT_REGTEST),
    (MAIN, LEGACY_TEST),
    (MAIN, NESTED_TEST),
    (MAIN, "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c"),
    (MAIN, "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut"),  # BIP-350: no such network
    (MAIN, "LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9"),  # Litecoin
    (MAIN, "D7Y55r6Yoc1G8EECxkQ6SuSjTgGJJ7M6yD"),  # Dogecoin
    (TEST, SEGWIT),
    (TEST, TAPROOT),
    (TEST, SEGWIT_REGTEST),
    (TEST, LEGACY),
    (TEST, NESTED),
    (REGTEST, SEGWIT),
    (REGTEST, SEGWIT_TEST),
    (REGTEST, LEGACY),
    (REGTEST, NESTED),
]

BURNT = [
    "1BitcoinEaterAddressDontSendf59kuE",
    "1CounterpartyXXXXXXXXXXXXXXXUWLpVr",
    "1111111111111111111114oLvT2",
    pubkeyhash_to_addr_bech32(bytes(20)),
    pubkeyhash_to_addr_bech32(bytes(32)),
    pubkeyhash_to_addr_bech32(bytes(32), witver=1, checksum_xor=0x2BC830A3),
]


@pytest.mark.parametrize(("network", "text", "script"), SOUND)
def test_sound_addresses(network: BitcoinNetwork, text: str, script: str) -> None:
    destination = BitcoinAddresses(network).parse(text)
    assert destination.script == script
    assert destination.text == (text if text[0] in "123mn" else text.lower())


@pytest.mark.parametrize("text", UNSOUND)
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_unsound_addresses(network: BitcoinNetwork, text: str) -> None:
    """Unsound everywhere, except that one whose only fault is to be without rules is of the main network."""
    main_only = {"bc1pw5", "BC1SW5", "bc1zw5", "bc1pfe"}
    expected = NetworkMismatch if network is not MAIN and text[:6] in main_only and len(text) > 13 else AddressInvalid
    with pytest.raises(expected) as caught:
        BitcoinAddresses(network).parse(text)
    assert type(caught.value) is expected
    assert len(text) < 8 or text.strip() not in str(caught.value)


@pytest.mark.parametrize(("network", "text"), FOREIGN)
def test_addresses_of_another_network(network: BitcoinNetwork, text: str) -> None:
    with pytest.raises(NetworkMismatch) as caught:
        BitcoinAddresses(network).parse(text)
    assert text not in str(caught.value)


def test_the_library_would_take_an_address_of_another_network() -> None:
    """Why the rules are our own: chains.md calls it a trap, and it is still there."""
    assert LibraryAddress.parse(SEGWIT_TEST, network="bitcoin").address == SEGWIT_TEST


@pytest.mark.parametrize("text", BURNT)
def test_known_burns(text: str) -> None:
    with pytest.raises(AddressInvalid, match="never be spent"):
        BitcoinAddresses(MAIN).parse(text)


@settings(deadline=None, max_examples=100)
@given(st.binary(min_size=20, max_size=20).filter(any), st.sampled_from([MAIN, TEST, REGTEST]))
def test_we_agree_with_the_library_on_twenty_bytes(payload: bytes, network: BitcoinNetwork) -> None:
    rules = BitcoinAddresses(network)
    segwit = pubkeyhash_to_addr_bech32(payload, prefix=network.hrp)
    assert rules.parse(segwit).script == f"0014{payload.hex()}"
    legacy = pubkeyhash_to_addr_base58(payload, prefix=bytes([network.pubkey_hash_version]))
    assert rules.parse(legacy).script == f"76a914{payload.hex()}88ac"
    nested = pubkeyhash_to_addr_base58(payload, prefix=bytes([network.script_hash_version]))
    assert rules.parse(nested).script == f"a914{payload.hex()}87"


@settings(deadline=None, max_examples=100)
@given(st.binary(min_size=32, max_size=32).filter(any))
def test_we_agree_with_the_library_on_thirty_two_bytes(payload: bytes) -> None:
    rules = BitcoinAddresses(MAIN)
    assert rules.parse(pubkeyhash_to_addr_bech32(payload)).script == f"0020{payload.hex()}"
    taproot = pubkeyhash_to_addr_bech32(payload, witver=1, checksum_xor=0x2BC830A3)
    assert rules.parse(taproot).script == f"5120{payload.hex()}"


@settings(deadline=None, max_examples=300)
@given(st.data(), st.sampled_from([SEGWIT, TAPROOT, LEGACY, NESTED]))
def test_no_single_slip_is_overlooked(data: st.DataObject, text: str) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7lABCDEFGHJKLMNPQRSTUVWXYZ1bio"
    char = data.draw(st.sampled_from(sorted(set(alphabet) - {text[place]})))
    with pytest.raises(ValidationFailed):
        BitcoinAddresses(MAIN).parse(text[:place] + char + text[place + 1 :])


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=100))
def test_no_text_is_more_than_refused(text: str) -> None:
    with pytest.raises(ValidationFailed):
        BitcoinAddresses(MAIN).parse(text)


@settings(deadline=None, max_examples=200)
@given(st.text("qpzry9x8gf2tvdw0s3jn54khce6mua7l1b", max_size=100))
def test_decoders_only_ever_raise_value_error(text: str) -> None:
    for decode in (decode_base58check, decode_segwit):
        with pytest.raises(ValueError, match=re.compile(".")):
            decode(text)
