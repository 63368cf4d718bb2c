"""Wiring of the price sources."""

from __future__ import annotations

import httpx

from app.services.prices import PriceBoard, PriceRules
from app.settings import Settings
from providers.rates.kraken import KrakenRates


def price_board(settings: Settings, http: httpx.AsyncClient) -> PriceBoard:
    """The books in memory, one source for each configured venue."""
    rates = settings.rates
    sources = [KrakenRates(http, base_url=url, name=name) for name, url in rates.rate_sources.items()]
    rules = PriceRules(
        required_sources=settings.required_sources,
        stale_after=rates.stale_seconds,
        apart_bps=rates.apart_bps,
        poll_every=rates.poll_seconds,
    )
    return PriceBoard(sources, [("BTC", code) for code in settings.pricing.fiat], rules)
