"""Prices: what a quote costs in the domain, and what keeping the books costs."""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections.abc import Callable

from app.domain.depth import Level, Side, merge
from app.domain.order import Direction
from app.domain.quote import AmountSide, Terms, price
from bench.report import Line
from providers.rates.binance_book import BinanceBook
from providers.rates.kraken_book import KrakenBook, Places, checksum

_LEVELS, _ROUNDS = 500, 400
_QUOTE_MICROSECONDS, _MERGE_MICROSECONDS, _UPDATE_MICROSECONDS = 200.0, 2_000.0, 100.0
_TERMS = Terms(taker_bps=26, spread_bps=50, processing_bps=100)


def measure() -> list[Line]:
    """A quote that takes half of the book, one that takes all of it, the merge, and an update of each venue's."""
    sides = [_side(name, fee, up=True) for name, fee in (("kraken", 2_600), ("binance", 1_000))]
    asks = merge(sides, _TERMS.taker_ppm, buying=True)
    bids = merge([_side("kraken", 2_600, up=False)], _TERMS.taker_ppm, buying=False)
    assert len(asks) == _LEVELS
    whole = sum(level.quantity for level in asks)
    return [
        _line("quote, one level of 500", lambda: _quote(asks, bids, 100_000), _QUOTE_MICROSECONDS),
        _line("quote, half of 500 levels", lambda: _quote(asks, bids, whole // 2), _QUOTE_MICROSECONDS),
        _line("quote, all of 500 levels", lambda: _quote(asks, bids, whole), _QUOTE_MICROSECONDS),
        _line("merging two books, when one changes", lambda: _merge(sides), _MERGE_MICROSECONDS, "not in a quote"),
        _line("an update of Kraken's, checksum verified", _kraken(), _UPDATE_MICROSECONDS, "100 levels a side"),
        _line("an update of Binance's", _binance(), _UPDATE_MICROSECONDS, "1,000 levels a side"),
    ]


def _side(source: str, fee: int, *, up: bool) -> Side:
    """A side of 250 levels, ten cents apart."""
    step = 10 if up else -10
    levels = [Level(61_000_00 + step * (number + 1), 1_000_000 + number) for number in range(_LEVELS // 2)]
    return Side(source, levels, fee)


def _quote(asks: tuple[Level, ...], bids: tuple[Level, ...], coins: int) -> None:
    price(
        coins,
        direction=Direction.BUY,
        amount_side=AmountSide.DESTINATION,
        asks=asks,
        bids=bids,
        terms=_TERMS,
        base_decimals=8,
    )


def _merge(sides: list[Side]) -> None:
    merge(sides, _TERMS.taker_ppm, buying=True)


def _kraken() -> Callable[[], None]:
    """A book of a hundred levels a side whose best ask changes."""
    book = KrakenBook(Places(1, 8), 100)
    asks = [{"price": f"{61_000 + number}.0", "qty": "1.00000000"} for number in range(100)]
    bids = [{"price": f"{60_999 - number}.0", "qty": "1.00000000"} for number in range(100)]
    book.asks.fill((610_000 + 10 * number, 10**8) for number in range(100))
    book.bids.fill((609_990 - 10 * number, 10**8) for number in range(100))
    book.snapshot({"asks": asks, "bids": bids, "checksum": checksum(book.asks.best(10), book.bids.best(10))})
    texts = []
    for quantity in (2, 3):
        book.asks.put(610_000, quantity)
        data = {
            "asks": [{"price": 61000.0, "qty": f"0.0000000{quantity}"}],
            "bids": [],
            "checksum": checksum(book.asks.best(10), book.bids.best(10)),
        }
        texts.append(json.dumps(data))
    turns = itertools.cycle(texts)
    return lambda: book.update(json.loads(next(turns), parse_float=str))


def _binance() -> Callable[[], None]:
    """A book of a thousand levels a side, some of which change with every event."""
    book, number = BinanceBook(1_000), 1
    levels = [[f"{61_000 + step}.00000000", "1.00000000"] for step in range(1_000)]
    below = [[f"{60_999 - step}.00000000", "1.00000000"] for step in range(1_000)]
    book.snapshot({"lastUpdateId": 0, "asks": levels, "bids": below})

    def event() -> None:
        nonlocal number
        changes = [[f"{61_000 + (number + step) % 1_000}.00000000", f"{number % 7}.00000000"] for step in range(10)]
        book.event({"U": number, "u": number, "a": changes, "b": []})
        number += 1

    return event


def _line(what: str, act: Callable[[], None], wanted: float, detail: str = "") -> Line:
    """The median of many rounds, in microseconds."""
    took = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        act()
        took.append((time.perf_counter() - started) * 1e6)
    median = statistics.median(took)
    return Line(what, f"{median:.0f} us", f"<= {wanted:.0f} us", median <= wanted, detail)
