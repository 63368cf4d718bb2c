"""How customers can pay: which currencies each way takes, how long its money needs, and how long it can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class PayinMethod:
    """A way to pay. `settlement` is from the customer's consent to the provider's word, as a rule, in its worst week.

    `reversal` is how long the customer, or a bank, can take the money back without our consent. A `pushed` payment
    is one that the customer sends; all others are taken.
    """

    name: str
    currencies: frozenset[str]
    settlement: timedelta
    reversal: timedelta
    pushed: bool = False


# Settlement and disputes: https://docs.stripe.com/payments/ach-direct-debit and /payments/sepa-debit; for cards
# the networks' usual limit. A bank transfer that was received is not taken back.
PAYIN_METHODS: Final = {
    method.name: method
    for method in (
        PayinMethod("card", frozenset({"EUR", "USD", "GBP", "JPY"}), timedelta(), timedelta(days=120)),
        PayinMethod("ach_debit", frozenset({"USD"}), timedelta(days=4), timedelta(days=60)),
        PayinMethod("sepa_debit", frozenset({"EUR"}), timedelta(days=6), timedelta(days=396)),
        PayinMethod(
            "bank_transfer", frozenset({"EUR", "USD", "GBP", "JPY"}), timedelta(days=5), timedelta(), pushed=True
        ),
    )
}


@dataclass(frozen=True, slots=True)
class HoldStep:
    """Payments below so many units (any, when None) wait so long between being ours and being delivered for."""

    below_units: int | None
    hold: timedelta


_UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_LONGEST_COUNT: Final = 12
_LONGEST_HOLD: Final = timedelta(days=400)


def read_hold(text: str) -> tuple[HoldStep, ...]:
    """A hold as the operator writes it, `50000:4d,*:10d`: payments below so many units, so long; `d`, `h`, `m`, `s`.

    Raises ValueError unless the amounts ascend, every amount is covered, and a larger one waits as long at least.
    """
    steps = [_step(part) for part in text.split(",")]
    amounts = [step.below_units for step in steps[:-1]]
    whole = [amount for amount in amounts if amount is not None]
    holds = [step.hold for step in steps]
    if steps[-1].below_units is not None or len(whole) != len(amounts) or whole != sorted(set(whole)):
        raise ValueError("the amounts of a hold ascend, and the last step is for `*`")
    if holds != sorted(holds) or holds[-1] > _LONGEST_HOLD:
        raise ValueError(f"the times of a hold do not go down, and end at {_LONGEST_HOLD.days} days")
    return tuple(steps)


def _step(part: str) -> HoldStep:
    below, colon, wait = part.strip().partition(":")
    count, unit = wait[:-1], wait[-1:]
    if not colon or unit not in _UNITS or not _is_count(count) or not (below == "*" or _is_count(below)):
        raise ValueError("a step of a hold is written `units:time`, with a time such as `4d` or `12h`")
    return HoldStep(None if below == "*" else int(below), int(count) * _UNITS[unit])


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_COUNT


def hold_for(units: int, steps: Sequence[HoldStep]) -> timedelta:
    """How long a payment of so many units waits before it is delivered for; not at all without steps."""
    for step in steps:
        if step.below_units is None or units < step.below_units:
            return step.hold
    return timedelta()
