"""Examples of prices, comparisons and providers, for the reference."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.schemas.base import Resource
from app.schemas.providers import ProviderList
from app.schemas.quotes import ComparisonOut
from app.schemas.rates import RateList

Example = dict[str, JsonValue]

_AT: Final = "2026-11-01T12:00:00.000000Z"
_VENUES: Final[list[JsonValue]] = ["kraken", "binance"]
_RATE: Final[Example] = {
    "base": "BTC",
    "quote": "EUR",
    "mid": "60990.000",
    "bid": "60980.00",
    "ask": "61000.00",
    "sources": _VENUES,
    "as_of": _AT,
    "age_ms": 180,
    "reason": None,
}
_NO_RATE: Final[Example] = {
    "base": "BTC",
    "quote": "JPY",
    "mid": None,
    "bid": None,
    "ask": None,
    "sources": [],
    "as_of": None,
    "age_ms": None,
    "reason": "disagreement",
}
_PAIR: Final[Example] = {
    "base": "BTC", "quote": "EUR", "status": "operational", "reason": None, "since": _AT, "streaming": True,
}  # fmt: skip
_SOURCE: Final[Example] = {
    "name": "kraken",
    "kind": "prices",
    "status": "operational",
    "reason": None,
    "since": _AT,
    "capabilities": ["BTC/EUR"],
    "pairs": [_PAIR],
}
_CHAIN: Final[Example] = {
    "name": "bitcoin",
    "kind": "chain",
    "status": "degraded",
    "reason": "no_answer",
    "since": _AT,
    "capabilities": ["BTC.bitcoin"],
    "pairs": [],
}
_FEES: Final[list[JsonValue]] = [
    {"type": "processing", "amount": "1.00", "asset": "EUR", "payer": "customer", "recipient": "operator"},
    {"type": "network", "amount": "0.00", "asset": "EUR", "payer": "customer", "recipient": "network"},
]
_OFFER: Final[Example] = {
    "rank": 1,
    "venues": _VENUES,
    "payment_method": "card",
    "available": True,
    "source": {"asset": "EUR", "amount": "100.00"},
    "destination": {"asset": "BTC", "network": "bitcoin", "amount": "0.00161068"},
    "rate": "61000.00",
    "fees": _FEES,
    "total_cost_bps": 180,
    "behind_bps": 0,
    "code": None,
    "reason": "The best price.",
}
_NO_OFFER: Final[Example] = {
    "rank": None,
    "venues": ["binance"],
    "payment_method": "card",
    "available": False,
    "source": None,
    "destination": None,
    "rate": None,
    "fees": [],
    "total_cost_bps": None,
    "behind_bps": None,
    "code": "route_unavailable",
    "reason": "There is no fresh price for this pair now.",
}

RESOURCES: Final[dict[type[Resource], Example]] = {
    RateList: {"data": [_RATE, _NO_RATE]},
    ProviderList: {"data": [_SOURCE, _CHAIN]},
    ComparisonOut: {
        "direction": "buy",
        "amount_side": "source",
        "offers": [_OFFER, _NO_OFFER],
        "as_of": _AT,
        "livemode": False,
    },
}
