"""Reading bank account numbers: what can be known of one without asking a bank."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from app.domain.errors import ValidationFailed
from app.domain.sepa_text import spelled_name

# Where SEPA credit transfers go, by the country in the IBAN: EPC409-09, "EPC List of SEPA Scheme Countries". French
# and British territories have IBANs of their country. Albania, Moldova, Montenegro, North Macedonia and Serbia joined
# in 2025 and 2026.
SEPA_COUNTRIES: Final = frozenset(
    {
        "AD", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR",
        "GB", "GI", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MD",
        "ME", "MK", "MT", "NL", "NO", "PL", "PT", "RO", "RS", "SE", "SI", "SK", "SM", "VA",
    }
)  # fmt: skip
# The BICs of such territories have their own country all the same (the same list).
_BIC_COUNTRIES: Final = {
    "FR": frozenset({"FR", "BL", "GF", "GP", "MF", "MQ", "PM", "RE", "YT"}),
    "GB": frozenset({"GB", "GG", "IM", "JE"}),
}

# ISO 9362: business party prefix, country, business party suffix, and perhaps a branch. The library's own check loads
# the names of all countries and their parts, a third of a second for one that the IBAN has told us already.
_BIC: Final = re.compile(r"[0-9A-Z]{4}(?P<country>[A-Z]{2})[0-9A-Z]{2}(?:[0-9A-Z]{3})?", re.ASCII)

# The first two digits of routing numbers that are in use: the American Bankers Association's routing number policy.
_ROUTING_PREFIXES: Final = frozenset({*range(13), *range(21, 33), *range(61, 73), 80})
_ROUTING_WEIGHTS: Final = (3, 7, 1, 3, 7, 1, 3, 7, 1)
_ROUTING: Final = re.compile(r"[0-9]{9}", re.ASCII)
_NOBODYS_ROUTING: Final = "000000000"

# EPC132-08, SEPA Credit Transfer Customer-to-PSP Implementation Guidelines, 1.4 and the creditor's name.


@dataclass(frozen=True, slots=True)
class Iban:
    """An IBAN in its electronic form, and what it tells of itself."""

    text: str = field(repr=False)
    country: str
    bank_name: str | None


def check_routing_number(number: str, *, pointer: str) -> None:
    """Refuse what is no ABA routing number: wrong check digit, or first digits that nobody was given."""
    if not _ROUTING.fullmatch(number) or int(number[:2]) not in _ROUTING_PREFIXES or number == _NOBODYS_ROUTING:
        raise ValidationFailed("There is no such routing number.", pointer=pointer)
    if sum(int(digit) * weight for digit, weight in zip(number, _ROUTING_WEIGHTS, strict=True)) % 10:
        raise ValidationFailed("The routing number's check digit is wrong.", pointer=pointer)


def read_iban(text: str, *, pointer: str) -> Iban:
    """Read an IBAN however it is spaced and cased.

    Its length and structure are those of its country (ISO 13616), its check digits are right (ISO 7064, mod 97-10), and
    SEPA reaches it; raises ValidationFailed. The number itself is in no message.
    """
    normal = text.replace(" ", "").upper()
    if normal[:2] not in SEPA_COUNTRIES:
        raise ValidationFailed("This is no IBAN of a country that SEPA reaches.", pointer=pointer)
    try:
        iban = IBAN(normal)
    except SchwiftyException:
        raise ValidationFailed("This is not an IBAN.", pointer=pointer) from None
    return Iban(str(iban), iban.country_code, iban.bank_name or None)


def read_bic(text: str, iban: Iban, *, pointer: str) -> str:
    """Read the BIC of an IBAN's bank, whatever its case; raises ValidationFailed, also for one of another country."""
    found = _BIC.fullmatch(text.upper())
    if found is None:
        raise ValidationFailed("This is not a BIC.", pointer=pointer)
    if found["country"] not in _BIC_COUNTRIES.get(iban.country, {iban.country}):
        raise ValidationFailed("The BIC is of another country than the IBAN.", pointer=pointer)
    return found[0]


def check_sepa_name(name: str, *, pointer: str) -> None:
    """Refuse a name that SEPA cannot carry; accents are taken off when it is paid, as banks do, and kept here."""
    try:
        spelled_name(name)
    except ValueError as refused:
        raise ValidationFailed(f"For SEPA, {refused}.", pointer=pointer) from None
