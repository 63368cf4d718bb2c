"""Why the signer refuses: each rule with a code, and whether asking again later can help."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final


class Rule(StrEnum):
    """The rules; the value is the code that callers see."""

    MALFORMED = "malformed"
    NETWORK_UNKNOWN = "network_unknown"
    ASSET_UNKNOWN = "asset_unknown"
    CHANGE_FOREIGN = "change_foreign"
    INTENT_MISSING = "intent_missing"
    INTENT_INVALID = "intent_invalid"
    INTENT_TWICE = "intent_twice"
    SEND_TOO_LARGE = "send_too_large"
    FEE_TOO_HIGH = "fee_too_high"
    AMOUNT_CHANGED = "amount_changed"
    SIGNED_BEFORE = "signed_before"
    LIMIT_HOUR = "limit_hour"
    LIMIT_DAY = "limit_day"
    COINS_PROMISED = "coins_promised"
    STOPPED = "stopped"


# What passes by itself, or when a person sees to it: the same may be asked again.
PASSING: Final = frozenset({Rule.LIMIT_HOUR, Rule.LIMIT_DAY, Rule.COINS_PROMISED, Rule.STOPPED})


class Refused(Exception):
    """The signer will not sign this."""

    def __init__(
        self, rule: Rule, message: str, *, subjects: Sequence[str] = (), coins: Sequence[tuple[str, int]] = ()
    ) -> None:
        """Name the rule; `subjects` are the orders and payouts that broke it, `coins` the coins that it is about."""
        self.rule = rule
        self.subjects = tuple(subjects)
        self.coins = tuple(coins)
        super().__init__(message)
