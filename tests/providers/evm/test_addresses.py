"""Which addresses are paid to."""

from __future__ import annotations

import pytest

from app.domain.errors import AddressInvalid
from providers.evm.addresses import EvmAddresses
from providers.evm.contracts import DEPLOYER, disperse_script
from providers.evm.encoding import address_text
from providers.evm.networks import BASE, MAINNET, PLAY

RULES = EvmAddresses(MAINNET)
GOOD = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # EIP-55


@pytest.mark.parametrize("text", [GOOD, GOOD.lower(), "0x" + GOOD[2:].upper()])
def test_an_address_has_one_normal_spelling(text: str) -> None:
    destination = RULES.parse(text)
    assert (destination.text, destination.script) == (GOOD, GOOD[2:].lower())


@pytest.mark.parametrize("place", [i for i in range(2, 42) if GOOD[i].isalpha()])
def test_fault_f_96_a_wrong_checksum_is_refused(place: int) -> None:
    wrong = GOOD[:place] + GOOD[place].swapcase() + GOOD[place + 1 :]
    with pytest.raises(AddressInvalid, match="checksum"):
        RULES.parse(wrong)


@pytest.mark.parametrize("place", range(2, 42))
def test_fault_f_96_a_wrong_character_is_refused(place: int) -> None:
    wrong = GOOD[:place] + ("1" if GOOD[place] != "1" else "2") + GOOD[place + 1 :]
    with pytest.raises(AddressInvalid, match="checksum"):
        RULES.parse(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD[:-1],
        GOOD + "0",
        GOOD[2:],
        "0X" + GOOD[2:],
        f" {GOOD}",
        f"{GOOD}\n",
        GOOD.replace("5", "g", 1),
        GOOD[:-1] + "\u0660",
        "vitalik.eth",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "0x" + "ab" * 32,  # a private key
    ],
)
def test_fault_f_96_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(AddressInvalid) as caught:
        RULES.parse(text)
    assert len(text) < 3 or text.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "script",
    [
        "00" * 20,
        f"{1:040x}",
        f"{0x0A:040x}",
        f"{0x100:040x}",
        f"{0xDEAD:040x}",
        "dead" + "00" * 18,
        "ee" * 20,
        "ff" * 20,
        MAINNET.tokens[0].contract,
        disperse_script(),
        DEPLOYER,
        "00000000219ab540356cbb839cbe05303d7705fa",
    ],
)
def test_fault_f_96_addresses_that_would_keep_the_coins_are_refused(script: str) -> None:
    for text in (f"0x{script}", address_text(script)):
        with pytest.raises(AddressInvalid, match=r"never be spent|keep the coins"):
            RULES.parse(text)


def test_fault_f_96_each_network_knows_its_own_tokens() -> None:
    token = address_text(PLAY.tokens[0].contract)
    assert RULES.parse(token).text == EvmAddresses(BASE).parse(token).text == token
    with pytest.raises(AddressInvalid):
        EvmAddresses(PLAY).parse(token)
