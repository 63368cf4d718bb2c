"""Books that are kept update by update: the same as books built whole, the venues' own checks, and what breaks them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.rates.binance_book import BinanceBook, Gap
from providers.rates.kraken_book import KrakenBook, OutOfStep, Places, checksum
from providers.rates.ladder import Ladder
from providers.rates.numbers import Unusable

# docs.kraken.com, "Book checksum (WebSocket v2)": the guide's own snapshot and the checksum that it comes to.
GUIDE = """{"symbol": "BTC/USD", "checksum": 3310070434, "timestamp": "2023-10-06T17:35:55.440295Z",
"bids": [{"price": 45283.5, "qty": 0.10000000}, {"price": 45283.4, "qty": 1.54582015},
 {"price": 45282.1, "qty": 0.10000000}, {"price": 45281.0, "qty": 0.10000000}, {"price": 45280.3, "qty": 1.54592586},
 {"price": 45279.0, "qty": 0.07990000}, {"price": 45277.6, "qty": 0.03310103}, {"price": 45277.5, "qty": 0.30000000},
 {"price": 45277.3, "qty": 1.54602737}, {"price": 45276.6, "qty": 0.15445238}],
"asks": [{"price": 45285.2, "qty": 0.00100000}, {"price": 45286.4, "qty": 1.54571953},
 {"price": 45286.6, "qty": 1.54571109}, {"price": 45289.6, "qty": 1.54560911}, {"price": 45290.2, "qty": 0.15890660},
 {"price": 45291.8, "qty": 1.54553491}, {"price": 45294.7, "qty": 0.04454749}, {"price": 45296.1, "qty": 0.35380000},
 {"price": 45297.5, "qty": 0.09945542}, {"price": 45299.5, "qty": 0.18772827}]}"""
PLACES = Places(price=1, volume=8)
Data = dict[str, object]


def guide(**changes: object) -> Data:
    """The guide's book as it comes over the wire, numbers as they are written."""
    data: Data = json.loads(GUIDE, parse_float=str)
    return data | changes


def kraken(depth: int = 10) -> KrakenBook:
    """A book that holds the guide's snapshot."""
    book = KrakenBook(PLACES, depth)
    book.snapshot(guide())
    return book


def update(book: KrakenBook, checksum_of: KrakenBook | None = None, **sides: list[Data]) -> Data:
    """An update; its checksum is that of another book, or one that is certainly wrong."""
    known = 1 if checksum_of is None else checksum(checksum_of.asks.best(10), checksum_of.bids.best(10))
    return {"asks": [], "bids": [], "checksum": known} | sides


def test_the_checksum_of_the_guide() -> None:
    book = kraken()
    assert book.is_filled
    assert checksum(book.asks.best(), book.bids.best()) == 3310070434
    assert (book.asks.best(1), book.bids.best(1)) == ([(452852, 100000)], [(452835, 10000000)])


@pytest.mark.parametrize("digits", [("45285.2", "0.001"), ("45285.20", "0.0010")])
def test_the_checksum_is_over_the_pairs_decimals_however_a_number_is_written(digits: tuple[str, str]) -> None:
    data = guide()
    asks = data["asks"]
    assert isinstance(asks, list)
    asks[0] = {"price": digits[0], "qty": digits[1]}
    book = KrakenBook(PLACES, 10)
    book.snapshot(data)
    assert book.is_filled


@pytest.mark.parametrize(
    "wrong",
    [
        guide(checksum=3310070435),
        guide(checksum=None),
        guide(checksum="3310070434"),
        guide(asks=guide()["bids"]),
        guide(bids=[*json.loads(GUIDE, parse_float=str)["bids"][:9], {"price": "45276.6", "qty": "0.15445239"}]),
    ],
)
def test_a_snapshot_with_another_checksum_is_no_book(wrong: Data) -> None:
    book = KrakenBook(PLACES, 10)
    with pytest.raises(OutOfStep):
        book.snapshot(wrong)
    assert not book.is_filled


def test_an_update_changes_adds_and_removes_and_is_cut_to_the_depth() -> None:
    book, expected = kraken(), kraken()
    expected.asks.put(452852, 0)
    expected.asks.put(452864, 5)
    expected.bids.put(452836, 70000000)
    expected.bids.trim()
    change = update(
        book,
        expected,
        asks=[{"price": "45285.2", "qty": 0}, {"price": "45286.4", "qty": "0.00000005"}],
        bids=[{"price": "45283.6", "qty": "0.7"}],
    )
    book.update(change)
    assert book.asks.best() == expected.asks.best()
    assert book.bids.best(2) == [(452836, 70000000), (452835, 10000000)]
    assert (len(book.asks), len(book.bids)) == (9, 10)  # the eleventh bid is forgotten


def test_an_update_that_was_lost_shows_at_the_next_one() -> None:
    book, theirs = kraken(), kraken()
    theirs.bids.put(452836, 1)
    theirs.asks.put(452853, 1)
    with pytest.raises(OutOfStep):  # the bid of the lost message is missing here
        book.update(update(book, theirs, asks=[{"price": "45285.3", "qty": "0.00000001"}]))
    assert not book.is_filled
    with pytest.raises(OutOfStep):
        book.update(update(book, book))
    book.snapshot(guide())
    assert book.is_filled


@pytest.mark.parametrize(
    "level",
    [
        {"price": "45285.25", "qty": "1"},
        {"price": "45285.2", "qty": "0.000000001"},
        {"price": "-1", "qty": "1"},
        {"price": "1e5", "qty": "1"},
        {"price": "0", "qty": "1"},
        {"price": None, "qty": "1"},
        {"qty": "1"},
        ["45285.2", "1"],
    ],
)
def test_a_level_that_cannot_be_read_voids_the_book(level: object) -> None:
    book = kraken()
    with pytest.raises(Unusable):
        book.update({"asks": [level], "bids": [], "checksum": 1})
    assert not book.is_filled


PRICES = st.integers(1, 60)
CHANGES = st.lists(st.tuples(PRICES, st.integers(0, 3)), max_size=80)


@given(st.booleans(), CHANGES)
def test_a_ladder_kept_step_by_step_is_the_ladder_built_whole(rising: bool, changes: list[tuple[int, int]]) -> None:
    kept, plain = Ladder(rising=rising, deepest=1000), dict[int, int]()
    for price, quantity in changes:
        kept.put(price, quantity)
        plain[price] = quantity
    whole = Ladder(rising=rising, deepest=1000)
    whole.fill(plain.items())
    expected = sorted(((p, q) for p, q in plain.items() if q), reverse=not rising)
    assert kept.best() == whole.best() == expected
    assert kept.best(3) == expected[:3]
    assert kept.best_price() == (expected[0][0] if expected else None)


@given(st.booleans(), st.lists(CHANGES, max_size=8), st.integers(1, 12))
def test_a_ladder_cut_after_every_update_is_a_plain_list_cut_so(
    rising: bool, updates: list[list[tuple[int, int]]], deepest: int
) -> None:
    kept, plain = Ladder(rising=rising, deepest=deepest), dict[int, int]()
    for changes in updates:
        for price, quantity in changes:
            kept.put(price, quantity)
            plain[price] = quantity
        kept.trim()
        left = sorted(((p, q) for p, q in plain.items() if q), reverse=not rising)[:deepest]
        plain = dict(left)
        assert kept.best() == left
        assert len(kept) == len(left)


def event(first: int, last: int, bids: Sequence[object] = (), asks: Sequence[object] = ()) -> Data:
    """An event of the diff depth stream."""
    return {"e": "depthUpdate", "s": "BNBBTC", "U": first, "u": last, "b": list(bids), "a": list(asks)}


SNAPSHOT: Data = {"lastUpdateId": 160, "bids": [["0.0024", "10"]], "asks": [["0.0026", "100"], ["0.0027", "5"]]}


def binance(*waiting: Data) -> BinanceBook:
    """A book whose stream said these things before its snapshot came."""
    book = BinanceBook(1000)
    for each in waiting:
        book.event(each)
    book.snapshot(SNAPSHOT)
    return book


@pytest.mark.parametrize(("first", "last"), [(157, 161), (161, 161), (161, 170), (100, 1000)])
def test_the_first_event_must_span_the_update_after_the_snapshot(first: int, last: int) -> None:
    book = binance(event(150, 156), event(157, 160), event(first, last, bids=[["0.0025", "1"]]))
    assert book.is_filled
    assert book.bids.best() == [(250_000, 100_000_000), (240_000, 1_000_000_000)]


@pytest.mark.parametrize(("first", "last"), [(162, 165), (1000, 1001)])
def test_a_first_event_beyond_the_snapshot_is_a_gap(first: int, last: int) -> None:
    with pytest.raises(Gap, match="update 161 is missing"):
        binance(event(first, last))
    book = binance()
    with pytest.raises(Gap):
        book.event(event(first, last))
    assert not book.is_filled


def test_what_the_snapshot_has_already_is_dropped() -> None:
    book = binance(event(150, 155, asks=[["0.0026", "0"]]), event(156, 160, asks=[["0.0027", "0"]]))
    assert len(book.asks) == 2
    book.event(event(159, 160, asks=[["0.0026", "0"]]))
    assert len(book.asks) == 2


@pytest.mark.parametrize(("first", "last"), [(163, 164), (160, 165), (161, 161), (162, 161), (1, 2)])
def test_each_next_event_begins_where_the_one_before_ended(first: int, last: int) -> None:
    book = binance(event(161, 161))
    with pytest.raises(Gap):
        book.event(event(first, last))
    assert not book.is_filled
    again = binance(event(161, 161))
    again.event(event(162, 170))
    again.event(event(171, 171))
    assert again.is_filled


def test_quantities_are_absolute_and_removing_what_is_not_there_is_normal() -> None:
    book = binance()
    book.event(event(161, 162, bids=[["0.0024", "3"], ["0.0010", "0"]], asks=[["0.0026", "0.00000000"]]))
    assert book.bids.best() == [(240_000, 300_000_000)]
    assert book.asks.best() == [(270_000, 500_000_000)]


def test_events_that_wait_too_long_are_given_up() -> None:
    book = BinanceBook(1000)
    for number in range(1_000):
        book.event(event(number, number))
    with pytest.raises(Gap, match="no snapshot"):
        book.event(event(1_000, 1_000))


@pytest.mark.parametrize(
    "wrong",
    [
        {"U": None}, {"u": "161"}, {"U": True}, {"U": -1}, {"b": None}, {"a": {}}, {"b": [["1"]]}, {"b": ["1"]},
        {"b": [["1.000000001", "1"]]}, {"a": [["0", "1"]]}, {"a": [[1.5, "1"]]}, {"a": [["NaN", "1"]]},
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_read_voids_the_book(wrong: Data) -> None:
    book = binance(event(161, 161))
    with pytest.raises(Unusable):
        book.event(event(162, 162) | wrong)


@given(st.lists(st.lists(st.tuples(st.booleans(), PRICES, st.integers(0, 3)), max_size=6), max_size=12), st.data())
def test_a_stream_joined_anywhere_is_the_venues_own_book(
    batches: list[list[tuple[bool, int, int]]], data: st.DataObject
) -> None:
    """Whatever event the snapshot falls behind, and wherever the stream begins, the end is the same."""
    theirs = (dict[int, int](), dict[int, int]())
    books, events = [(dict[int, int](), dict[int, int]())], list[Data]()
    for number, batch in enumerate(batches, start=1):
        for is_ask, price, quantity in batch:
            theirs[is_ask][price] = quantity
        sides = [[[f"0.{price:08d}", f"0.{quantity:08d}"] for ask, price, quantity in batch if ask is side]
                 for side in (False, True)]  # fmt: skip
        events.append(event(number, number, bids=sides[0], asks=sides[1]))
        books.append((dict(theirs[0]), dict(theirs[1])))
    taken = data.draw(st.integers(0, len(batches)))
    begun = data.draw(st.integers(0, taken))
    came = data.draw(st.integers(taken, len(batches)))
    book = BinanceBook(1000)
    for each in events[begun:came]:
        book.event(each)
    sides = [[[f"0.{p:08d}", f"0.{q:08d}"] for p, q in books[taken][side].items() if q] for side in (0, 1)]
    book.snapshot({"lastUpdateId": taken, "bids": sides[0], "asks": sides[1]})
    for each in events[came:]:
        book.event(each)
    assert book.bids.best() == sorted(((p, q) for p, q in theirs[0].items() if q), reverse=True)
    assert book.asks.best() == sorted((p, q) for p, q in theirs[1].items() if q)
