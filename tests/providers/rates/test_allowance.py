"""The venues' limits: what their documentation allows, and that we wait rather than ask too often."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from providers.rates import binance, kraken
from providers.rates.allowance import Allowance
from providers.rates.binance import BinanceRates, depth_weight


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.now += seconds
        await asyncio.sleep(0)


async def test_no_more_than_the_rate_goes_out_over_any_time() -> None:
    time = Time()
    allowance = Allowance(per_second=2.0, burst=5.0, clock=time, sleep=time.sleep)
    went: list[float] = []

    async def ask() -> None:
        await allowance.take(1.0)
        went.append(time.now)

    await asyncio.gather(*(ask() for _ in range(25)))
    assert went[:5] == [100.0] * 5
    assert went[-1] == pytest.approx(110.0)
    for start in range(25):
        for end in range(start, 25):
            assert end - start + 1 <= 5.0 + 2.0 * (went[end] - went[start]) + 1e-6


async def test_a_bucket_does_not_overflow_and_never_holds_more_than_it_can() -> None:
    time = Time()
    allowance = Allowance(per_second=2.0, burst=5.0, clock=time, sleep=time.sleep)
    time.now += 1_000
    for _ in range(5):
        await allowance.take(1.0)
    assert time.now == 1_100.0
    await allowance.take(1.0)
    assert time.now == pytest.approx(1_100.5)
    with pytest.raises(ValueError, match="more than"):
        await allowance.take(5.1)


async def test_who_gives_up_waiting_takes_nothing() -> None:
    allowance = Allowance(per_second=0.001, burst=1.0)
    await allowance.take(1.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await allowance.take(1.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):  # and the turn has passed on
            await allowance.take(1.0)


# Binance, "REST API", "Order book": the weight by limit.
@pytest.mark.parametrize(
    ("limit", "weight"),
    [(1, 5), (100, 5), (101, 25), (500, 25), (501, 50), (1000, 50), (1001, 250), (5000, 250)],
)
def test_binances_documented_weights(limit: int, weight: int) -> None:
    assert depth_weight(limit) == weight


@pytest.mark.parametrize("limit", [0, 5001, -1])
async def test_a_limit_beyond_what_binance_serves_is_refused_at_once(limit: int) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(ValueError, match="1 to 5000"):
            BinanceRates(client, base_url="https://venue.test", limit=limit)


def test_what_we_allow_ourselves_is_within_the_documented_limits() -> None:
    """Kraken: public endpoints once a second. Binance: a weight of 6,000 a minute for one address."""
    assert kraken.PER_SECOND <= 1.0
    assert binance.WEIGHT_PER_MINUTE <= 6_000
    pairs, a_minute = 16, 60
    assert pairs * a_minute * depth_weight(100) <= binance.WEIGHT_PER_MINUTE


def test_no_address_of_a_venue_is_written_into_an_adapter() -> None:
    """They speak to the addresses that they are given."""
    for module in Path(kraken.__file__).parent.glob("*.py"):
        code = module.read_text()
        assert not [word for word in ('"https://', '"wss://', '"ws://', '"http://') if word in code], module
