"""What the operator's monitoring reads, in Prometheus' text form."""

from __future__ import annotations

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.services.prices import Doubt, PriceBoard

_REGISTRY: Final = CollectorRegistry()
_REQUESTS: Final = Counter(
    "rampwright_http_requests", "Requests answered", ("method", "route", "status"), registry=_REGISTRY
)
_SECONDS: Final = Histogram(
    "rampwright_http_request_seconds",
    "Time from a request to the end of its answer",
    ("route",),
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
    registry=_REGISTRY,
)
_PRICE_FRESH: Final = Gauge(
    "rampwright_price_fresh", "1 while a source's price may be used", ("source", "base", "quote"), registry=_REGISTRY
)
_PRICE_AGE: Final = Gauge(
    "rampwright_price_age_seconds", "Age of a source's newest price", ("source", "base", "quote"), registry=_REGISTRY
)
_PRICE_LIVE: Final = Gauge(
    "rampwright_price_streaming",
    "1 while a stream keeps a source's book",
    ("source", "base", "quote"),
    registry=_REGISTRY,
)
_PAIR_QUOTABLE: Final = Gauge(
    "rampwright_pair_quotable", "1 while a pair can be quoted", ("base", "quote"), registry=_REGISTRY
)
_PAIR_DOUBT: Final = Gauge(
    "rampwright_pair_doubt",
    "1 for the reason why a pair is not quoted",
    ("base", "quote", "reason"),
    registry=_REGISTRY,
)
_CSP_REPORTS: Final = Counter(
    "rampwright_csp_reports", "Reports of a page that tried what its policy forbids", ("directive",), registry=_REGISTRY
)
_METHODS: Final = frozenset({"GET", "POST", "PATCH", "DELETE"})


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request. `route` is the pattern, so that the number of series stays small."""
    _REQUESTS.labels(method if method in _METHODS else "other", route, str(status)).inc()
    _SECONDS.labels(route).observe(seconds)


def count_csp_report(directive: str) -> None:
    """Count one report. `directive` is one of a closed list."""
    _CSP_REPORTS.labels(directive).inc()


def render(board: PriceBoard) -> bytes:
    """Everything, as of now."""
    now = time.monotonic()
    for pair in board.pair_states(now=now):
        _PAIR_QUOTABLE.labels(pair.base, pair.quote).set(1 if pair.doubt is None else 0)
        for doubt in Doubt:
            _PAIR_DOUBT.labels(pair.base, pair.quote, doubt.value).set(1 if pair.doubt is doubt else 0)
    for state in board.states(now=now):
        labels = (state.source, state.base, state.quote)
        _PRICE_FRESH.labels(*labels).set(1 if state.ok else 0)
        _PRICE_LIVE.labels(*labels).set(1 if state.live else 0)
        if state.age_seconds is not None:
            _PRICE_AGE.labels(*labels).set(state.age_seconds)
    return generate_latest(_REGISTRY)
