"""Which sources an instance has: by their configuration, and never a live venue's stream beside another address."""

from __future__ import annotations

import httpx
import pytest
from pydantic import ValidationError

from app.settings import RatesSettings, Settings
from app.wiring.prices import price_board, source
from providers.rates.binance import BinanceRates
from providers.rates.kraken import KrakenRates


def configured(**rates: object) -> Settings:
    """Settings with these price sources."""
    return Settings(rates=RatesSettings.model_validate(rates))


async def test_a_name_says_which_protocol_is_spoken() -> None:
    names = {"kraken": "https://a.test", "binance": "https://b.test", "binance_us": "https://c.test", "x": "https://d"}
    settings = configured(rate_sources=names)
    async with httpx.AsyncClient() as http:
        found = {name: source(settings, http, name) for name in names}
    assert {name: type(each) for name, each in found.items()} == {
        "kraken": KrakenRates, "binance": BinanceRates, "binance_us": BinanceRates, "x": KrakenRates,
    }  # fmt: skip
    assert [each.name for each in found.values()] == list(names)


@pytest.mark.parametrize(
    ("address", "streams", "expected"),
    [
        ("https://api.kraken.com", {}, "wss://ws.kraken.com/v2"),
        ("https://api.kraken.com/", {}, "wss://ws.kraken.com/v2"),
        ("https://venue.test", {}, None),
        ("https://venue.test", {"kraken": "wss://stream.test/v2"}, "wss://stream.test/v2"),
        ("https://api.kraken.com", {"kraken": "wss://stream.test/v2"}, "wss://stream.test/v2"),
    ],
)
async def test_a_venue_elsewhere_never_streams_from_the_real_one(
    address: str, streams: dict[str, str], expected: str | None
) -> None:
    settings = configured(rate_sources={"kraken": address}, rate_streams=streams)
    async with httpx.AsyncClient() as http:
        found = source(settings, http, "kraken")
    assert isinstance(found, KrakenRates)
    assert (None if found.feed is None else found.feed.address()) == expected


async def test_a_venue_may_be_asked_less_often_than_one_that_fails() -> None:
    async with httpx.AsyncClient() as http:
        board = price_board(configured(poll_seconds=30.0, stale_seconds=60.0), http, ["bitcoin"])
    assert (board.rules.poll_every, board.rules.slowest_poll) == (30.0, 30.0)


async def test_the_pairs_are_those_of_the_coins_that_a_rail_serves() -> None:
    settings = Settings()
    async with httpx.AsyncClient() as http:
        board = price_board(settings, http, ["bitcoin"])
        more = price_board(settings, http, ["bitcoin", "ethereum", "base"])
    assert board.pairs == tuple(("BTC", code) for code in settings.pricing.fiat)
    assert {base for base, _ in more.pairs} == {"BTC", "ETH", "USDC"}
    assert len(more.pairs) == 3 * len(settings.pricing.fiat)  # a coin on two networks has one price
    assert board.source_names == ("kraken", "binance")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("rate_sources", {"kraken": "http://api.kraken.com"}), ("rate_streams", {"kraken": "ws://ws.kraken.com/v2"})],
)
def test_live_mode_takes_no_price_that_came_unencrypted(
    setting: str, value: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAMPWRIGHT_MODE", "live")
    with pytest.raises(ValidationError) as refused:
        configured(**{setting: value})
    assert f"RAMPWRIGHT_{setting.upper()} without TLS" in str(refused.value)
    with pytest.raises(ValidationError) as others:
        configured()
    assert "without TLS" not in str(others.value)
    monkeypatch.setenv("RAMPWRIGHT_MODE", "test")
    assert configured().required_sources == 1
