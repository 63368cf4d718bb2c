"""What one payout may be, whoever asks for it: its amount, its reference, and the way it goes."""

from __future__ import annotations

import re
from typing import Final

from app.domain import sepa_text
from app.domain.assets import asset_of, dust_of
from app.domain.errors import AmountAboveMax, AmountBelowMin, RouteUnsupported, ValidationFailed
from app.domain.money import Asset, Money, parse_units
from app.domain.payout import PayoutMethod
from app.schemas.payouts import MoneyIn
from app.services.rails import Rails

# The most that one payment can carry. ACH: the amount field has ten digits (Nacha Operating Rules, appendix three).
# RTP: The Clearing House's limit since February 2025. Wire: twelve digits in a Fedwire message. SEPA: EPC132-08.
_MOST_UNITS: Final = {
    PayoutMethod.ACH: 9_999_999_999,
    PayoutMethod.RTP: 1_000_000_000,
    PayoutMethod.WIRE: 999_999_999_999,
    PayoutMethod.SEPA: 99_999_999_999,
}
_MOST_COINS: Final = {
    "BTC": 21_000_000 * 10**8,
    "LTC": 84_000_000 * 10**8,
    "ETH": 10**9 * 10**18,  # there is no limit; more than a billion has never been near
    "USDC": 10**12 * 10**6,
}

# How long the text that the receiver reads may be, and of what: an ACH addenda record has 80 characters, the others
# carry 140. What an American bank takes is printable ASCII.
_LONGEST: Final = {PayoutMethod.ACH: 80}
_LONGEST_ELSEWHERE: Final = 140
_SEPA: Final = re.compile(f"[{sepa_text.CHARACTERS}]*", re.ASCII)
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*", re.ASCII)
_ALPHABETS: Final = {
    PayoutMethod.ACH: _PRINTABLE,
    PayoutMethod.RTP: _PRINTABLE,
    PayoutMethod.WIRE: _PRINTABLE,
    PayoutMethod.SEPA: _SEPA,
}


def read_amount(amount: MoneyIn, *, pointer: str = "/amount") -> Money:
    """An amount that can be paid out at all; `pointer` is where it stands.

    Raises ValidationFailed, AmountBelowMin for nothing and for dust, AmountAboveMax for more than exists.
    """
    asset = asset_of(amount.asset, amount.network, pointer=f"{pointer}/asset")
    units = parse_units(amount.amount, asset.decimals, pointer=f"{pointer}/amount")
    if units < least_units(asset):
        raise AmountBelowMin("This is too little to be paid out.", pointer=f"{pointer}/amount")
    if units > _MOST_COINS.get(asset.code, units):
        raise AmountAboveMax("There is not so much of it.", pointer=f"{pointer}/amount")
    return Money(units, asset)


def least_units(asset: Asset) -> int:
    """The least that can be paid out: one unit, or what a network does not take for dust."""
    return dust_of(asset)


def check_size(amount: Money, method: PayoutMethod, *, pointer: str = "/amount") -> None:
    """Raise AmountAboveMax for more than one payment of this method can carry."""
    if amount.units > _MOST_UNITS.get(method, amount.units):
        raise AmountAboveMax("One payment of this method cannot carry so much.", pointer=f"{pointer}/amount")


def check_reference(reference: str | None, method: PayoutMethod, *, pointer: str = "/reference") -> None:
    """Refuse a text that the method cannot carry as it is: nothing is cut or respelled. Raises ValidationFailed."""
    if reference is None:
        return
    longest = _LONGEST.get(method, _LONGEST_ELSEWHERE)
    if len(reference) > longest:
        raise ValidationFailed(f"A reference here has at most {longest} characters.", pointer=pointer)
    alphabet = _ALPHABETS.get(method)
    if alphabet is not None and not alphabet.fullmatch(reference):
        raise ValidationFailed("The reference has characters that this method cannot carry.", pointer=pointer)


def way_out(
    rails: Rails, asset: Asset, scheme: str | None, wanted: str | None, *, pointer: str = "/method"
) -> tuple[PayoutMethod, str]:
    """By which method, and through whom, an account of this scheme is paid; coins go through their network's rail.

    Raises RouteUnsupported for a method that does not lead there, and where nobody pays out in this way.
    """
    try:
        method = rails.payout_method(scheme, wanted)
        return method, provider_of(rails, asset, method)
    except RouteUnsupported as refusal:
        refusal.pointer = pointer
        raise


def provider_of(rails: Rails, asset: Asset, method: PayoutMethod) -> str:
    """Through whom a payout goes; raises RouteUnsupported when nobody pays out in this way."""
    return rails.payout_provider(method) if asset.network is None else rails.chain(asset.network).network
