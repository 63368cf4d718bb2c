"""Market prices for partners: every pair that is offered, as the board believes it now."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from app.domain.assets import asset_of
from app.domain.depth import finer_places
from app.domain.money import format_units
from app.schemas.rates import RateList, RateOut
from app.services.prices import Doubtful, Merged, PriceBoard


def rates(board: PriceBoard, at: datetime) -> RateList:
    """Every pair; `at` is the database's clock, from which a book's moment is reckoned back."""
    now = time.monotonic()
    return RateList(data=[_rate(board, base, quote, at, now) for base, quote in board.pairs])


def _rate(board: PriceBoard, base: str, quote: str, at: datetime, now: float) -> RateOut:
    try:
        book = board.merged(base, quote, now=now)
    except Doubtful as refusal:
        return RateOut(
            base=base, quote=quote, mid=None, bid=None, ask=None, sources=[], as_of=None, age_ms=None,
            reason=refusal.doubt.value,
        )  # fmt: skip
    return _shown(book, at, age=max(0.0, now - book.taken_at))


def _shown(book: Merged, at: datetime, *, age: float) -> RateOut:
    places = asset_of(book.quote, None).decimals + finer_places(book.base)
    bid, ask = book.bids[0].price, book.asks[0].price
    return RateOut(
        base=book.base,
        quote=book.quote,
        # The middle of two whole prices may end in half a unit: one more decimal writes it exactly.
        mid=format_units((bid + ask) * 5, places + 1),
        bid=format_units(bid, places),
        ask=format_units(ask, places),
        sources=list(book.sources),
        as_of=at - timedelta(seconds=age),
        age_ms=round(age * 1000),
        reason=None,
    )
