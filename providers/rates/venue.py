"""What all venues do alike: books from the stream while it is in step, else by asking; our fees beside them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final, Protocol

from app.domain.assets import CATALOGUE
from app.ports.errors import ProviderUnavailable
from app.ports.rates import Book
from providers.rates.fees import FeeTable
from providers.rates.stream import Feed, Stream

_BASES: Final = frozenset(asset.code for asset in CATALOGUE if not asset.is_fiat)
_QUOTES: Final = frozenset(asset.code for asset in CATALOGUE if asset.is_fiat)


class BookFeed(Feed, Protocol):
    """A stream's books."""

    def follow(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Keep these pairs' books from the next connection on."""
        ...

    def is_live(self, base: str, quote: str) -> bool:
        """Whether the pair's book is in step and the stream not silent."""
        ...

    def book(self, base: str, quote: str, taker_ppm: int | None) -> Book | None:
        """The pair's book, None while there is none."""
        ...


class Venue(ABC):
    """A `LiveRateSource`; how its depth is asked for over HTTP is the adapter's own."""

    def __init__(self, name: str, fees: FeeTable, feed: BookFeed | None, *, silence_seconds: float) -> None:
        """`name` tells two venues of one shape apart; a stream that says nothing for so long is opened anew."""
        self._name = name
        self._silence_seconds = silence_seconds
        self.fees = fees
        self.feed = feed

    @property
    def name(self) -> str:
        """The venue's name."""
        return self._name

    async def run(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Keep the books and our fees until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.fees.run(pairs))
            if self.feed is not None:
                self.feed.follow(pairs)
                tasks.create_task(Stream(self.feed, self._name, deadline=self._silence_seconds).run())

    def is_live(self, base: str, quote: str) -> bool:
        """Whether the pair's book is in memory and in step."""
        return self.feed is not None and self.feed.is_live(base, quote)

    async def depth(self, base: str, quote: str) -> Book:
        """The book now: as old as the last word of the stream, else as the moment we asked.

        Raises ProviderUnavailable for anything we cannot use.
        """
        if base not in _BASES or quote not in _QUOTES:
            raise ProviderUnavailable(self._name, f"no pair {base}/{quote}")
        fee = self.fees.taker_ppm(base, quote)
        if self.feed is not None and (book := self.feed.book(base, quote, fee)) is not None:
            return book
        return await self._ask(base, quote, fee)

    @abstractmethod
    async def _ask(self, base: str, quote: str, fee: int | None) -> Book:
        """Ask for the book over HTTP; raises ProviderUnavailable."""
