"""What the operator decides: prices, limits, time windows. Built from the settings, handed to the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from app.domain.assets import BITCOIN_DEPTH, DepthStep
from app.domain.money import Money
from app.domain.quote import Terms


@dataclass(frozen=True, slots=True)
class Limits:
    """What one order may exchange, in whole units of its fiat side."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules. `limits` is by fiat asset code."""

    terms: Terms
    quote_lifetime: timedelta
    payment_window: timedelta
    limits: Mapping[str, Limits]
    accounts_verified_by_checks: bool = True  # else a person looks at every external account first
    deposit_grace: timedelta = timedelta(hours=1)  # how long after its window a sale's price still holds
    approval_above: Mapping[str, int] = field(default_factory=dict)  # by asset id, in its units; else nobody is asked
    ladders: Mapping[str, Sequence[DepthStep]] = field(default_factory=dict)  # by network; see `ladder`

    def needs_approval(self, amount: Money) -> bool:
        """Whether a payout of this amount waits for another key."""
        limit = self.approval_above.get(amount.asset.id)
        return limit is not None and amount.units > limit

    def ladder(self, network: str) -> Sequence[DepthStep]:
        """How deep payments on a network must be buried, by their amount."""
        return self.ladders.get(network, BITCOIN_DEPTH)
