"""Reading bytes strictly, and addresses by the vectors of BIP-173 and BIP-350."""

from __future__ import annotations

import pytest

from providers.sandbox.bitcoin.address import AddressRefused, address_of, script_of, script_type
from providers.sandbox.bitcoin.serialise import (
    MalformedBytes,
    Reader,
    TxIn,
    TxOut,
    build_transaction,
    compact,
    double_sha256,
    merkle_root,
    parse_transaction,
)
from providers.sandbox.bitcoin.view import GENESIS


def test_the_first_block_is_regtests() -> None:
    assert GENESIS.hash == "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
    assert GENESIS.previous == "00" * 32
    (coinbase,) = GENESIS.transactions
    assert coinbase.txid == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    assert coinbase.is_coinbase


@pytest.mark.parametrize("value", [0, 252, 253, 65_535, 65_536, 2**32 - 1, 2**32, 2**64 - 1])
def test_compact_sizes_go_there_and_back(value: int) -> None:
    assert Reader(compact(value)).count() == value


@pytest.mark.parametrize("text", ["fdfc00", "feffff0000", "ffffffffff00000000", "fd00", ""])
def test_compact_sizes_that_are_too_long_or_cut_are_refused(text: str) -> None:
    with pytest.raises(MalformedBytes):
        Reader(bytes.fromhex(text)).count()


def test_a_transaction_has_one_spelling() -> None:
    """Sizes by hand: 10 + 41 + 43 bytes of base, marker and flag, and a witness of count, length and one byte."""
    made = build_transaction([TxIn("ab" * 32, 7, b"", 5)], [TxOut(9, b"\x00\x20" + bytes(32))], [b"\x51"])
    assert (len(made.raw), made.weight, made.vsize) == (94 + 2 + 3, 4 * 94 + 5, 96)
    assert parse_transaction(made.raw) == made
    assert made.spends == (("ab" * 32, 7),)
    assert made.txid != made.wtxid
    with pytest.raises(MalformedBytes):
        parse_transaction(made.raw + b"\x00")
    with pytest.raises(MalformedBytes):
        parse_transaction(made.raw.replace(b"\x01\x01\x51", b"\x00"))  # a witness record that holds nothing
    for cut in range(len(made.raw)):
        with pytest.raises(MalformedBytes):
            parse_transaction(made.raw[:cut])


def test_an_odd_row_of_the_merkle_tree_repeats_its_end() -> None:
    a, b, c = (bytes([each]) * 32 for each in range(3))
    pairs = double_sha256(a + b), double_sha256(c + c)
    assert merkle_root([a, b, c]) == double_sha256(pairs[0] + pairs[1])
    assert merkle_root([a]) == a


@pytest.mark.parametrize(
    ("address", "script", "kind"),
    [
        (
            "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
            "0014751e76e8199196d454941c45d1b3a323f1433bd6",
            "witness_v0_keyhash",
        ),
        (
            "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry",
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
            "witness_v0_scripthash",
        ),
        (
            "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6",
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "witness_v1_taproot",
        ),
    ],
)
def test_addresses(address: str, script: str, kind: str) -> None:
    assert script_of(address).hex() == script
    assert script_of(address.upper()).hex() == script
    assert address_of(bytes.fromhex(script)) == address
    assert script_type(bytes.fromhex(script)) == kind


@pytest.mark.parametrize(
    "address",
    [
        "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081",  # a wrong letter
        "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08",  # a letter lost
        "bcrt1Qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",  # mixed case
        "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",  # another network
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",  # no segwit
        "bcrt1",
        "bcrt1qqqqqqq",
        "",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        script_of(address)
    assert refused.value.code == -5


def test_scripts_that_are_no_segwit_have_no_address() -> None:
    for script in ("", "51", "6a0400000000", "76a914" + "00" * 20 + "88ac", "0010" + "00" * 16):
        assert address_of(bytes.fromhex(script)) is None
