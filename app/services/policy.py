"""What the operator decides: prices, limits, time windows. Built from the settings, handed to the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from app.domain.assets import BITCOIN_DEPTH, DepthStep
from app.domain.money import Money
from app.domain.payin_methods import PAYIN_METHODS, HoldStep, hold_for
from app.domain.quote import Terms
from app.services.floats import FloatWatch


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

    # By payment method: how long its money is waited for, how long an order then waits to be delivered, and the most
    # that one order may be of, by fiat asset code.
    windows: Mapping[str, timedelta] = field(default_factory=dict)
    holds: Mapping[str, Sequence[HoldStep]] = field(default_factory=dict)
    most: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    floats: FloatWatch | None = None  # None: more may be promised than the wallets hold

    def window_of(self, method: str) -> timedelta:
        """How long a customer has to pay in this way; the price holds as long."""
        return self.windows.get(method, self.payment_window)

    def hold_of(self, method: str, units: int) -> timedelta:
        """How long an order waits, once so many units were paid in this way, before it is delivered."""
        return hold_for(units, self.holds.get(method, ()))

    def limits_of(self, method: str, code: str) -> Limits | None:
        """What one order may be of when it is paid in this way; None when that way does not take the currency."""
        known, limits = PAYIN_METHODS.get(method), self.limits.get(code)
        if limits is None or (known is not None and code not in known.currencies):
            return None
        return Limits(limits.least, min(limits.most, self.most.get(method, {}).get(code, limits.most)))

    def needs_approval(self, amount: Money) -> bool:
        """Whether a payout of this amount waits for another key."""
        limit = self.approval_above.get(amount.asset.id)
        return limit is not None and amount.units > limit

    def ladder(self, network: str) -> Sequence[DepthStep]:
        """How deep payments on a network must be buried, by their amount."""
        return self.ladders.get(network, BITCOIN_DEPTH)
