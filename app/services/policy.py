"""What the operator decides: prices, limits, time windows. Built from the settings, handed to the services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.domain.quote import Terms


@dataclass(frozen=True, slots=True)
class Limits:
    """What one order may exchange, in whole units of its fiat side."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules for quoting. `limits` is by fiat asset code."""

    terms: Terms
    quote_lifetime: timedelta
    payment_window: timedelta
    limits: Mapping[str, Limits]
