"""The contract of `app.ports.rates`: a book is sorted, uncrossed, in whole units, rounded against us, and fresh."""

from __future__ import annotations

import itertools
import time
from abc import ABC, abstractmethod

import pytest

from app.ports.errors import ProviderError
from app.ports.rates import RateSource


class RatesHarness(ABC):
    """A venue's adapter for one pair, and the hands of the venue."""

    source: RateSource
    base: str = "BTC"
    quote: str = "EUR"

    @abstractmethod
    async def be_away(self) -> None:
        """The venue answers nobody until the test ends."""

    @abstractmethod
    async def answer_nonsense(self) -> None:
        """The venue answers with something that is no book."""


class RatesContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> RatesHarness:
        """Your adapter with its far side."""
        raise NotImplementedError

    async def test_a_book_can_be_priced_from(self, harness: RatesHarness) -> None:
        """Both sides have levels above zero, in order, and do not cross."""
        before = time.monotonic()
        book = await harness.source.depth(harness.base, harness.quote)
        assert (book.source, book.base, book.quote) == (harness.source.name, harness.base, harness.quote)
        assert book.asks
        assert book.bids
        assert all(level.price > 0 and level.quantity > 0 for level in (*book.asks, *book.bids))
        assert all(low.price <= high.price for low, high in itertools.pairwise(book.asks))
        assert all(high.price >= low.price for high, low in itertools.pairwise(book.bids))
        assert book.bids[0].price < book.asks[0].price
        assert before - 60 <= book.taken_at <= time.monotonic()

    async def test_a_pair_that_is_not_traded_is_refused(self, harness: RatesHarness) -> None:
        """It is no empty book."""
        with pytest.raises(ProviderError):
            await harness.source.depth("NOSUCH", harness.quote)

    async def test_a_venue_that_is_away_gives_no_price(self, harness: RatesHarness) -> None:
        """Nor an old one under a new time."""
        await harness.be_away()
        with pytest.raises(ProviderError):
            await harness.source.depth(harness.base, harness.quote)

    async def test_nonsense_gives_no_price(self, harness: RatesHarness) -> None:
        """It ends in our own words for it."""
        await harness.answer_nonsense()
        with pytest.raises(ProviderError):
            await harness.source.depth(harness.base, harness.quote)
