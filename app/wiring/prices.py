"""Wiring of the price sources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import httpx
from pydantic import SecretStr

from app.domain.assets import CATALOGUE
from app.ports.rates import RateSource
from app.services.prices import PriceBoard, PriceRules
from app.settings import Settings
from providers.rates.binance import BinanceRates
from providers.rates.kraken import KrakenRates

# Where the venues stream what they serve at these addresses.
_STREAMS: Final = {
    "https://api.kraken.com": "wss://ws.kraken.com/v2",
    "https://api.binance.com": "wss://stream.binance.com:9443",
}

_SLOWEST_POLL: Final = 5.0  # seconds between two questions to a venue that fails, unless we ask less often anyway


def price_board(settings: Settings, http: httpx.AsyncClient, networks: Iterable[str]) -> PriceBoard:
    """The books in memory, one source for each configured venue; of every coin of these networks, in every currency."""
    rates, served = settings.rates, frozenset(networks)
    sources = [source(settings, http, name) for name in rates.rate_sources]
    rules = PriceRules(
        required_sources=settings.required_sources,
        stale_after=rates.stale_seconds,
        apart_bps=rates.apart_bps,
        poll_every=rates.poll_seconds,
        slowest_poll=max(_SLOWEST_POLL, rates.poll_seconds),
        taker_bps=settings.pricing.taker_bps,
        jump_bps=rates.jump_bps,
    )
    coins = dict.fromkeys(asset.code for asset in CATALOGUE if asset.network in served)
    return PriceBoard(sources, [(coin, code) for coin in coins for code in settings.pricing.fiat], rules)


def source(settings: Settings, http: httpx.AsyncClient, name: str) -> RateSource:
    """One venue: a name that begins with `binance` speaks Binance's protocol, any other Kraken's."""
    rates = settings.rates
    address = rates.rate_sources[name].rstrip("/")
    stream = rates.rate_streams.get(name, _STREAMS.get(address))
    if name.startswith("binance"):
        key = _key(rates.binance_api_key, rates.binance_api_secret) if name == "binance" else None
        return BinanceRates(http, base_url=address, stream_url=stream, name=name, key=key)
    key = _key(rates.kraken_api_key, rates.kraken_api_secret) if name == "kraken" else None
    return KrakenRates(http, base_url=address, stream_url=stream, name=name, key=key)


def _key(key: SecretStr | None, secret: SecretStr | None) -> tuple[str, str] | None:
    """A key with its secret, when both are there."""
    return None if key is None or secret is None else (key.get_secret_value(), secret.get_secret_value())
