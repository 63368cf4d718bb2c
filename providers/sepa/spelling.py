"""What may be written in a SEPA message beside texts: our ids and amounts.

The rules are the European Payments Council's: EPC132-08, SEPA Credit Transfer Customer-to-PSP Implementation
Guidelines (lengths, amounts).
"""

from __future__ import annotations

import re

from app.domain.assets import EUR
from app.domain.money import Money

MAX_ID = 35
MAX_UNITS = 99_999_999_999  # 999,999,999.99 euros, the most that one transfer can carry

# Ours never hold a hyphen, so that the way back is unambiguous.
_OUR_ID = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", re.ASCII)
_PAYOUT_ON_THE_WIRE = re.compile(r"[a-z]{2,4}-[0-7][0-9A-HJKMNP-TV-Z]{25}", re.ASCII)


def to_wire(our_id: str) -> str:
    """Our id with `-` for `_`, which SEPA's character set lacks; raises ValueError for what could not be read back."""
    if not _OUR_ID.fullmatch(our_id) or len(our_id) > MAX_ID:
        raise ValueError(f"an id in a SEPA file is letters, digits and underscores, at most {MAX_ID} of them")
    return our_id.replace("_", "-")


def from_wire(written: str) -> str:
    """The way back of to_wire()."""
    return written.replace("-", "_")


def payout_of(end_to_end_id: str) -> str | None:
    """The payout that an EndToEndId names; None for `NOTPROVIDED` and whatever else is not of our making."""
    return from_wire(end_to_end_id) if _PAYOUT_ON_THE_WIRE.fullmatch(end_to_end_id) else None


def checked_cents(amount: Money) -> int:
    """An amount's cents; raises ValueError unless it is in euros and between 0.01 and 999,999,999.99."""
    if amount.asset != EUR:
        raise ValueError("SEPA carries euros only")
    if not 0 < amount.units <= MAX_UNITS:
        raise ValueError("a SEPA transfer is of 0.01 to 999999999.99 euros")
    return amount.units
