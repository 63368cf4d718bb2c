"""Bank account numbers: what is refused (faults.md P-02, P-03), and how equal ones are found without being opened."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from app.domain.errors import ValidationFailed
from app.services.bank_accounts import SEPA_COUNTRIES, check_routing_number, check_sepa_name, read_bic, read_iban
from app.services.sealing import SealBroken, Sealer

# The examples of the IBAN registry (ISO 13616), one for each country that SEPA reaches.
IBANS = [
    "AD1200012030200359100100", "AL47212110090000000235698741", "AT611904300234573201", "BE68539007547034",
    "BG80BNBG96611020345678", "CH9300762011623852957", "CY17002001280000001200527600", "CZ6508000000192000145399",
    "DE89370400440532013000", "DK5000400440116243", "EE382200221020145685", "ES9121000418450200051332",
    "FI2112345600000785", "FR1420041010050500013M02606", "GB29NWBK60161331926819", "GI75NWBK000000007099453",
    "GR1601101250000000012300695", "HR1210010051863000160", "HU42117730161111101800000000", "IE29AIBK93115212345678",
    "IS140159260076545510730339", "IT60X0542811101000000123456", "LI21088100002324013AA", "LT121000011101001000",
    "LU280019400644750000", "LV80BANK0000435195001", "MC5811222000010123456789030", "MD24AG000225100013104168",
    "ME25505000012345678951", "MK07250120000058984", "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300",
    "NO9386011117947", "PL61109010140000071219812874", "PT50000201231234567890154", "RO49AAAA1B31007593840000",
    "RS35260005601001611379", "SE4550000000058398257466", "SI56263300012039086", "SK3112000000198742637541",
    "SM86U0322509800000000270100", "VA59001123000012345678",
]  # fmt: skip
# Sound ones of countries that SEPA does not reach.
ELSEWHERE = [
    "AE070331234567890123456",
    "BR1800360305000010009795493C1",
    "IL620108000000099999999",
    "KZ86125KZT5004100100",
    "SA0380000000608010167519",
    "TR330006100519786457841326",
    "UA213223130000026007233566001",
    "XK051212012345678906",
]


def mod_97(text: str) -> int:
    """The remainder that ISO 7064 asks to be 1, by the textbook."""
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97


@pytest.mark.parametrize("text", IBANS)
def test_an_iban_of_every_country_is_read(text: str) -> None:
    assert mod_97(text) == 1
    iban = read_iban(text, pointer="/iban")
    assert (iban.text, iban.country) == (text, text[:2])
    assert text not in repr(iban)


def test_the_examples_are_of_every_country() -> None:
    assert {text[:2] for text in IBANS} == SEPA_COUNTRIES


@pytest.mark.parametrize(
    "text", ["de89 3704 0044 0532 0130 00", " DE89370400440532013000 ", "dE8 93704004405 32013000"]
)
def test_p_02_case_and_spaces_do_not_count(text: str) -> None:
    iban = read_iban(text, pointer="/iban")
    assert iban.text == "DE89370400440532013000"
    assert iban.bank_name == "Commerzbank"


def test_a_bank_that_nobody_knows_has_no_name() -> None:
    assert read_iban("VA59001123000012345678", pointer="/iban").bank_name is None


def refused(texts: set[str]) -> None:
    """Assert that none of these is an IBAN, and that no refusal repeats it."""
    assert texts
    for text in texts:
        with pytest.raises(ValidationFailed) as refusal:
            read_iban(text, pointer="/iban")
        assert refusal.value.pointer == "/iban"
        assert text not in str(refusal.value)


@pytest.mark.parametrize("text", IBANS)
def test_p_02_every_slip_of_the_hand_is_noticed(text: str) -> None:
    """Each digit in turn one more than it should be, and each two unequal neighbours in each other's place."""
    places = [place for place in range(2, len(text)) if text[place].isdigit()]
    refused({text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :] for place in places})
    swapped = {
        text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        for place in places
        if text[place + 1 : place + 2].isdigit()
    }
    refused(swapped - {text})


# Romania's accounts may hold letters; of its example one O for a 0 has the same remainder, as one in 97 does by chance.
@pytest.mark.parametrize("text", [text for text in IBANS if not text.startswith("RO")])
def test_p_02_look_alikes(text: str) -> None:
    refused(
        {
            text[:place] + other + text[place + 1 :]
            for seen, other in (("0", "O"), ("O", "0"), ("1", "I"), ("1", "L"), ("I", "1"))
            for place in range(len(text))
            if text[place] == seen
        }
    )


@pytest.mark.parametrize("country", ["DE", "NO", "MT", "FR"])
@pytest.mark.parametrize("change", [-1, 1, 4])
def test_p_02_the_length_is_the_countrys(country: str, change: int) -> None:
    """Check digits that are right do not save an IBAN of another length."""
    [text] = [iban for iban in IBANS if iban.startswith(country)]
    account = text[4:change] if change < 0 else text[4:] + "0" * change
    check = 98 - mod_97(f"{country}00{account}")
    wrong = f"{country}{check:02}{account}"
    assert mod_97(wrong) == 1
    with pytest.raises(ValidationFailed):
        read_iban(wrong, pointer="/iban")


def test_p_02_the_structure_is_the_countrys() -> None:
    account = "37O400440532013000"  # a letter, where Germany has digits only
    wrong = f"DE{98 - mod_97(f'DE00{account}'):02}{account}"
    assert mod_97(wrong) == 1
    with pytest.raises(ValidationFailed):
        read_iban(wrong, pointer="/iban")


@pytest.mark.parametrize(
    "text", [*ELSEWHERE, "GG29NWBK60161331926819", "12345", "DE", "", "ZZ", "DE00370400440532013000"]
)
def test_p_02_elsewhere(text: str) -> None:
    with pytest.raises(ValidationFailed):
        read_iban(text, pointer="/iban")


@pytest.mark.parametrize(
    ("text", "bic", "stored"),
    [
        ("DE89370400440532013000", "COBADEFFXXX", "COBADEFFXXX"),
        ("DE89370400440532013000", "cobadeff", "COBADEFF"),
        ("FR1420041010050500013M02606", "PSSTFRPPLIL", "PSSTFRPPLIL"),
        ("FR1420041010050500013M02606", "BRFEREPP", "BRFEREPP"),
        ("GB29NWBK60161331926819", "RBOSJESH", "RBOSJESH"),
    ],
)
def test_a_bic_of_the_ibans_country(text: str, bic: str, stored: str) -> None:
    assert read_bic(bic, read_iban(text, pointer="/iban"), pointer="/bic") == stored


@pytest.mark.parametrize("bic", ["BNPAFRPP", "COBADEF", "COBADEFFXX", "COBAZZFF", "COBA12FF", "RBOSJESH", ""])
def test_a_bic_of_another_country_or_none(bic: str) -> None:
    iban = read_iban("DE89370400440532013000", pointer="/iban")
    with pytest.raises(ValidationFailed) as refusal:
        read_bic(bic, iban, pointer="/bic")
    assert refusal.value.pointer == "/bic"


# Numbers that banks publish on their own pages.
@pytest.mark.parametrize(
    "number", ["000000518", "021000021", "026009593", "071000013", "101000695", "121000358", "122105155", "322271627"]
)
def test_a_routing_number(number: str) -> None:
    check_routing_number(number, pointer="/routing_number")


def test_p_03_every_wrong_check_digit_is_noticed() -> None:
    for digit in "023456789":
        with pytest.raises(ValidationFailed) as refusal:
            check_routing_number(f"02100002{digit}", pointer="/routing_number")
        assert refusal.value.pointer == "/routing_number"


def with_check_digit(first: int) -> str:
    """A routing number with these first two digits, and the check digit that makes it sound."""
    digits = [int(digit) for digit in f"{first:02}100002"]
    total = sum(digit * weight for digit, weight in zip(digits, (3, 7, 1, 3, 7, 1, 3, 7), strict=True))
    return f"{first:02}100002{-total % 10}"


def test_p_03_the_first_digits_are_a_federal_reserve_district() -> None:
    allowed = set()
    for first in range(100):
        try:
            check_routing_number(with_check_digit(first), pointer="/routing_number")
        except ValidationFailed:
            continue
        allowed.add(first)
    assert allowed == {*range(13), *range(21, 33), *range(61, 73), 80}


@pytest.mark.parametrize("number", ["000000000", "02100002", "0210000211", "02100002l", "\u0660" * 9, ""])
def test_p_03_not_a_routing_number(number: str) -> None:
    with pytest.raises(ValidationFailed):
        check_routing_number(number, pointer="/routing_number")


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", "Zo\u00eb M\u00fcller", "A & B", "O'Neill-Jones (Sons), Ltd. +1/2: ok?", "x" * 70]
)
def test_a_name_that_sepa_carries(name: str) -> None:
    check_sepa_name(name, pointer="/holder_name")


@pytest.mark.parametrize("name", ["\u5bff\u53f8", "a_b", "a@b", "x" * 71, "\U0001f363"])
def test_a_name_that_sepa_does_not_carry(name: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        check_sepa_name(name, pointer="/holder_name")
    assert refusal.value.pointer == "/holder_name"


def test_a_fingerprint_outlives_new_keys_and_is_each_instances_own() -> None:
    oldest, newer, newest = (Fernet.generate_key() for _ in range(3))
    first = Sealer([oldest]).fingerprint(b"DE89370400440532013000")
    assert len(first) == 32
    assert Sealer([newest, newer, oldest]).fingerprint(b"DE89370400440532013000") == first
    assert Sealer([oldest]).fingerprint(b"DE89370400440532013001") != first
    assert Sealer([newer]).fingerprint(b"DE89370400440532013000") != first


def test_what_was_sealed_opens_with_any_key() -> None:
    oldest, newer = Fernet.generate_key(), Fernet.generate_key()
    sealed = Sealer([oldest]).seal(b"x")
    assert Sealer([newer, oldest]).open(sealed) == b"x"
    with pytest.raises(SealBroken):
        Sealer([newer]).open(sealed)
