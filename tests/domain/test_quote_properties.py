"""Quotes by walking depth: properties of any book, any terms and any amount, held against exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from app.domain.depth import Level
from app.domain.errors import AmountBelowMin, InsufficientLiquidity
from app.domain.order import Direction
from app.domain.quote import AmountSide, Priced, Terms
from tests.domain.quoting import ASKS, BIDS, BUY, COIN, DESTINATION, DEV, FREE, MODES, SELL, SOURCE, Sides, ask

calm = settings(deadline=None)  # a busy machine is not a bug
RATES = st.one_of(st.integers(0, 300), st.integers(0, 300), st.integers(0, 9_999))
Case = tuple[int, Terms, Sides]


@st.composite
def books(draw: st.DrawFn) -> Sides:
    """Any book that makes a market, at prices from a cent to a thousand million a coin."""
    best_bid = draw(st.one_of(st.integers(10**6, 10**8), st.integers(1, 10**11)))
    quantities = st.integers(1, draw(st.sampled_from([10**7, 10**10, 10**30])))
    steps = st.integers(0, max(1, best_bid // 20))
    bids, bid = [], best_bid
    for _ in range(draw(st.integers(1, 6))):
        bids.append(Level(bid, draw(quantities)))
        bid = max(1, bid - draw(steps))
    asks, level_price = [], best_bid + 1 + draw(steps)
    for _ in range(draw(st.integers(1, 6))):
        asks.append(Level(level_price, draw(quantities)))
        level_price += draw(steps)
    return tuple(asks), tuple(bids)


@st.composite
def cases(draw: st.DrawFn, direction: Direction, side: AmountSide, *, partner: bool = True) -> Case:
    """An amount that the drawn book can mostly fill, from one unit to all of it."""
    processing = draw(RATES)
    terms = Terms(
        taker_bps=draw(RATES),
        spread_bps=draw(RATES),
        processing_bps=processing,
        partner_bps=draw(st.integers(0, min(300, 9_999 - processing))) if partner else 0,
        network_fee_units=draw(st.one_of(st.just(0), st.integers(0, 1_000))),
    )
    book = draw(books())
    steps = book[0] if direction is BUY else book[1]
    all_coins = sum(step.quantity for step in steps)
    coins = draw(st.one_of(st.integers(1, all_coins), st.integers(max(1, all_coins // 2), all_coins)))
    if (direction, side) in ((BUY, DESTINATION), (SELL, SOURCE)):
        return coins, terms, book
    value = coins * steps[0].price // COIN
    if direction is SELL:
        kept_bps = 10_000 - terms.processing_bps - terms.partner_bps
        value = value * (10_000 - terms.taker_bps) * (10_000 - terms.spread_bps) * kept_bps // 10**12
    return max(1, value), terms, book


def quoted(direction: Direction, side: AmountSide, case: Case) -> Priced:
    """The quote; a case that is refused is no example."""
    amount, terms, book = case
    try:
        return ask(amount, direction, side, terms, book)
    except (AmountBelowMin, InsufficientLiquidity):
        assume(False)
        raise


def worth(levels: tuple[tuple[int, int], ...]) -> Fraction:
    """C, exactly."""
    return Fraction(sum(level_price * quantity for level_price, quantity in levels), COIN)


def exact_coins_for(value: Fraction, steps: Sequence[Level]) -> Fraction:
    """How many coins, down to any fraction of a unit, `value` is worth along these levels."""
    coins = Fraction(0)
    for step in steps:
        part = min(Fraction(step.quantity), value * COIN / step.price)
        coins, value = coins + part, value - part * step.price / COIN
    return coins


@pytest.mark.parametrize(("direction", "side"), MODES)
@calm
@given(data=st.data())
def test_the_lines_add_up_and_the_levels_are_the_books_own(
    direction: Direction, side: AmountSide, data: st.DataObject
) -> None:
    amount, terms, book = case = data.draw(cases(direction, side))
    quote = quoted(direction, side, case)
    assert min(quote.spread_units, quote.processing_units, quote.partner_units, quote.network_units) >= 0
    assert min(quote.source_units, quote.destination_units) > 0
    lines = quote.spread_units + quote.processing_units + quote.network_units + quote.partner_units
    value = worth(quote.levels)
    if direction is BUY:
        assert quote.venue_value + lines == quote.source_units
        assert quote.venue_value + quote.spread_units == quote.subtotal_units
        assert 0 <= quote.venue_value - value * (10_000 + terms.taker_bps) / 10_000 < 1
    else:
        assert quote.destination_units + lines == quote.venue_value
        assert quote.venue_value - quote.spread_units == quote.subtotal_units
        assert 0 <= value * (10_000 - terms.taker_bps) / 10_000 - quote.venue_value < 1
    assert (quote.source_units if side is SOURCE else quote.destination_units) == amount
    assert quote.total_cost_bps >= 0

    steps = book[0] if direction is BUY else book[1]
    *whole, last = quote.levels
    assert sum(quantity for _, quantity in quote.levels) == quote.coin_units
    assert whole == [(step.price, step.quantity) for step in steps[: len(whole)]]
    assert last[0] == steps[len(whole)].price
    assert 0 < last[1] <= steps[len(whole)].quantity


@calm
@given(cases(BUY, DESTINATION))
def test_receive_asks_for_the_least_exact_total(case: Case) -> None:
    _, terms, _ = case
    quote = quoted(BUY, DESTINATION, case)
    kept = Fraction(10_000 - terms.processing_bps - terms.partner_bps, 10_000)
    markup = Fraction((10_000 + terms.taker_bps) * (10_000 + terms.spread_bps), 10**8)
    assert 0 <= quote.subtotal_units - worth(quote.levels) * markup < 1
    assert 0 <= quote.source_units - (quote.subtotal_units + terms.network_fee_units) / kept < 1
    assert 0 <= quote.processing_units - Fraction(quote.source_units * terms.processing_bps, 10_000) < 2
    assert quote.partner_units == quote.source_units * terms.partner_bps // 10_000


@calm
@given(cases(BUY, SOURCE))
def test_spend_gives_the_most_coins_that_the_budget_pays_for(case: Case) -> None:
    amount, terms, book = case
    quote = quoted(BUY, SOURCE, case)
    assert 0 <= quote.processing_units - Fraction(amount * terms.processing_bps, 10_000) < 1
    assert 0 <= Fraction(amount * terms.partner_bps, 10_000) - quote.partner_units < 1
    budget = Fraction(quote.subtotal_units * 10**8, (10_000 + terms.taker_bps) * (10_000 + terms.spread_bps))
    assert 0 <= exact_coins_for(budget, book[0]) - quote.destination_units < 1


@calm
@given(cases(SELL, SOURCE))
def test_sell_pays_less_than_a_unit_below_exact_on_each_line(case: Case) -> None:
    _, terms, _ = case
    quote = quoted(SELL, SOURCE, case)
    markdown = Fraction((10_000 - terms.taker_bps) * (10_000 - terms.spread_bps), 10**8)
    assert 0 <= worth(quote.levels) * markdown - quote.subtotal_units < 1
    assert 0 <= quote.processing_units - Fraction(quote.subtotal_units * terms.processing_bps, 10_000) < 1
    assert 0 <= Fraction(quote.subtotal_units * terms.partner_bps, 10_000) - quote.partner_units < 1


@calm
@given(cases(SELL, DESTINATION))
@example((1, FREE, ((Level(5 * 10**9, 10),), (Level(4 * 10**9, 10),))))  # one satoshi is worth forty cents
@example((1, DEV, ((Level(2, 10**12),), (Level(1, 10**12),))))  # one satoshi more or less decides
def test_sell_to_receive_takes_the_least_coins_that_will_do(case: Case) -> None:
    amount, terms, _ = case
    quote = quoted(SELL, DESTINATION, case)
    kept = Fraction(10_000 - terms.processing_bps - terms.partner_bps, 10_000)
    needed = (amount + terms.network_fee_units) / kept  # a whole subtotal that reaches it reaches its ceiling too
    assert quote.subtotal_units >= needed
    assert quote.partner_units == quote.subtotal_units * terms.partner_bps // 10_000
    assert quote.processing_units >= Fraction(quote.subtotal_units * terms.processing_bps, 10_000)
    markdown = Fraction((10_000 - terms.taker_bps) * (10_000 - terms.spread_bps), 10**8)
    *whole, (last_price, last_quantity) = quote.levels
    one_less = worth((*whole, (last_price, last_quantity - 1))) * markdown
    assert one_less.numerator // one_less.denominator < needed


@calm
@given(cases(BUY, SOURCE))
def test_buying_and_selling_back_never_makes_money(case: Case) -> None:
    amount, terms, book = case
    bought = quoted(BUY, SOURCE, case)
    sold = quoted(SELL, SOURCE, (bought.destination_units, terms, book))
    assert sold.destination_units <= amount
    received = quoted(BUY, DESTINATION, (bought.destination_units, terms, book))
    assert sold.destination_units <= received.source_units


@calm
@given(cases(SELL, SOURCE))
def test_selling_and_buying_back_never_makes_coins(case: Case) -> None:
    amount, terms, book = case
    sold = quoted(SELL, SOURCE, case)
    bought = quoted(BUY, SOURCE, (sold.destination_units, terms, book))
    assert bought.destination_units <= amount


@pytest.mark.parametrize(("direction", "side"), MODES)
@calm
@given(data=st.data())
def test_more_never_gives_less(direction: Direction, side: AmountSide, data: st.DataObject) -> None:
    amount, terms, book = case = data.draw(cases(direction, side, partner=False))
    more = quoted(direction, side, case)
    less = quoted(direction, side, (data.draw(st.integers(max(1, amount - 200), amount)), terms, book))
    assert less.source_units <= more.source_units
    assert less.destination_units <= more.destination_units


@pytest.mark.parametrize("direction", [BUY, SELL])
@calm
@given(data=st.data())
def test_with_a_partner_fee_more_gives_at_most_one_unit_less(direction: Direction, data: st.DataObject) -> None:
    """The processing fee's step up and the partner fee's can fall on the same unit: the formulas allow that much."""
    amount, terms, book = case = data.draw(cases(direction, SOURCE))
    more = quoted(direction, SOURCE, case)
    less = quoted(direction, SOURCE, (data.draw(st.integers(max(1, amount - 200), amount)), terms, book))
    if direction is BUY:
        assert less.subtotal_units - 1 <= more.subtotal_units
    else:
        assert less.destination_units - 1 <= more.destination_units


def test_where_the_two_fees_step_together() -> None:
    terms = Terms(taker_bps=0, spread_bps=0, processing_bps=300, partner_bps=296)
    assert [ask(cents, BUY, SOURCE, terms).subtotal_units for cents in (33, 34, 35)] == [32, 31, 32]


@pytest.mark.parametrize(("direction", "side"), MODES)
def test_ten_thousand_of_the_smallest_amount_are_worse_than_one_large_order(
    direction: Direction, side: AmountSide
) -> None:
    flat = ((Level(61_000_00, 10**20),), (Level(60_980_00, 10**20),))
    smallest = next(amount for amount in range(1, 1_000) if _is_accepted(amount, direction, side))
    one = ask(smallest, direction, side, DEV, flat)
    all_at_once = ask(smallest * 10_000, direction, side, DEV, flat)
    if side is SOURCE:
        assert one.destination_units * 10_000 < all_at_once.destination_units
    else:
        assert one.source_units * 10_000 > all_at_once.source_units


def _is_accepted(amount: int, direction: Direction, side: AmountSide) -> bool:
    try:
        ask(amount, direction, side)
    except AmountBelowMin:
        return False
    return True


@pytest.mark.parametrize(("direction", "side"), MODES)
@calm
@given(data=st.data(), times=st.integers(2, 10_000))
def test_splitting_an_order_never_pays(direction: Direction, side: AmountSide, data: st.DataObject, times: int) -> None:
    """At one price for any amount, so that only rounding is at stake."""
    _, terms, _ = data.draw(cases(direction, side, partner=False))
    amount = data.draw(st.integers(1, 5_000))
    flat = ((Level(61_000_00, 10**30),), (Level(60_980_00, 10**30),))
    one = quoted(direction, side, (amount, terms, flat))
    whole = quoted(direction, side, (amount * times, terms, flat))
    assert one.source_units * times >= whole.source_units
    assert one.destination_units * times <= whole.destination_units


@calm
@given(st.integers(1, 5_000))
def test_splitting_under_a_partner_fee_costs_the_partner_under_a_unit_an_order_and_us_nothing(cents: int) -> None:
    terms = Terms(taker_bps=26, spread_bps=50, processing_bps=100, partner_bps=75)
    quote = quoted(BUY, SOURCE, (cents, terms, (ASKS, BIDS)))
    assert 0 <= Fraction(cents * 75, 10_000) - quote.partner_units < 1
    assert quote.processing_units >= Fraction(cents, 100)
    assert quote.spread_units >= worth(quote.levels) * Fraction(10_026 * 50, 10**8) - 1
    assert quote.subtotal_units >= worth(quote.levels) * Fraction(10_026 * 10_050, 10**8)
