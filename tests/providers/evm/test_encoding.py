"""Hash, addresses and RLP, against published values and against another implementation."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.evm.encoding import address_text, create2_script, keccak, rlp_decode, rlp_encode, rlp_number

rlp = importlib.import_module("rlp")  # it has no types
ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=12)
# EIP-55's own examples.
CHECKSUMMED = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


def test_keccak_is_not_sha3() -> None:
    assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_addresses_as_people_see_them(text: str) -> None:
    assert address_text(text[2:].lower()) == text


@pytest.mark.parametrize(
    ("deployer", "salt", "code", "script"),
    [
        ("00" * 20, "00" * 32, "00", "4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"),
        ("deadbeef" + "00" * 16, "00" * 32, "00", "B928f69Bb1D91Cd65274e3c79d8986362984fDA3"),
        ("00" * 20, "00" * 32, "deadbeef", "70f2b2914A2a4b783FaEFb75f459A580616Fcb5e"),
        ("00" * 20, "00" * 32, "", "E33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0"),
    ],
)
def test_where_contracts_come_to_stand(deployer: str, salt: str, code: str, script: str) -> None:
    """EIP-1014's own examples."""
    assert create2_script(deployer, bytes.fromhex(salt), bytes.fromhex(code)) == script.lower()


@settings(max_examples=50)
@given(ITEMS)
def test_rlp_is_what_others_make_of_it(item: bytes | list[object]) -> None:
    encoded = rlp.encode(item)
    assert rlp_encode(rlp_decode(encoded)) == encoded
    assert rlp_decode(encoded) == item


@pytest.mark.parametrize("item", [b"x" * 55, b"x" * 56, b"x" * 300, [b"x" * 60] * 5])
def test_long_rlp(item: bytes | list[object]) -> None:
    assert rlp_decode(rlp.encode(item)) == item


@pytest.mark.parametrize(
    "data",
    [
        "",
        "81",  # cut short
        "8105",  # a small byte is written as itself
        "b80161",  # a short string with a long length
        "b900ff" + "61" * 255,  # a length with a leading zero
        "c3",
        "c28161",  # an item that reaches beyond its list
        "c18261",
        "0000",  # two items
        "f80161",
    ],
)
def test_rlp_that_others_would_not_write_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match="RLP"):
        rlp_decode(bytes.fromhex(data))


@pytest.mark.parametrize(("number", "data"), [(0, ""), (1, "01"), (255, "ff"), (256, "0100")])
def test_numbers(number: int, data: str) -> None:
    assert rlp_number(number).hex() == data
