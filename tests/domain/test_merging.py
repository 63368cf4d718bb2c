"""Several books as one: in which order, and that a price from it is never worse than from any of them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.depth import Level, Side, after_fee, merge
from app.domain.errors import AmountBelowMin, InsufficientLiquidity
from app.domain.order import Direction
from app.domain.quote import AmountSide, Priced, Terms, price

FEES = st.one_of(st.none(), st.integers(0, 20_000))
DEFAULT_BPS = 26
TERMS = Terms(taker_bps=DEFAULT_BPS, spread_bps=50, processing_bps=100)
PPM = TERMS.taker_ppm


@st.composite
def sides(draw: st.DrawFn, *, rising: bool) -> list[Side]:
    """The same side of one to three books, each sorted from its best price on."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        prices = sorted(draw(st.lists(st.integers(1_000, 9_000), min_size=1, max_size=6)), reverse=not rising)
        levels = tuple(Level(each, draw(st.integers(1, 10**9))) for each in prices)
        found.append(Side(f"venue{number}", levels, draw(FEES)))
    return found


@given(sides(rising=True))
def test_asks_are_ranked_by_what_they_cost_with_the_fee_and_none_is_lost(books: list[Side]) -> None:
    merged = merge(books, PPM, buying=True)
    costs = [after_fee(level, PPM, buying=True) for level in merged]
    assert costs == sorted(costs)
    for book in books:
        mine = [level for level in merged if level.source == book.source]
        assert [(level.price, level.quantity) for level in mine] == [(o.price, o.quantity) for o in book.levels]
        assert {level.taker_ppm for level in mine} == {book.taker_ppm}
    assert len(merged) == sum(len(book.levels) for book in books)


@given(sides(rising=False))
def test_bids_are_ranked_by_what_they_bring_after_the_fee(books: list[Side]) -> None:
    merged = merge(books, PPM, buying=False)
    brought = [after_fee(level, PPM, buying=False) for level in merged]
    assert brought == sorted(brought, reverse=True)


def test_a_dearer_venue_comes_first_when_its_fee_is_lower() -> None:
    cheap, dear = Level(100_00, 5), Level(100_10, 5)
    merged = merge([Side("a", [cheap], 2_600), Side("b", [dear], 1_000)], 0, buying=True)
    assert [level.source for level in merged] == ["b", "a"]
    assert [level.source for level in merge([Side("a", [cheap], 2_600), Side("b", [dear], 1_700)], 0, buying=True)] == [
        "a",
        "b",
    ]


def priced(amount: int, direction: Direction, side: AmountSide, asks: list[Side], bids: list[Side]) -> Priced | None:
    """The price from these books merged; None where they do not suffice."""
    try:
        return price(
            amount,
            direction=direction,
            amount_side=side,
            asks=merge(asks, PPM, buying=True),
            bids=merge(bids, PPM, buying=False),
            terms=TERMS,
            base_decimals=8,
        )
    except (InsufficientLiquidity, AmountBelowMin):
        return None


@given(sides(rising=True), sides(rising=False), st.integers(1, 10**9), st.sampled_from(Direction), st.data())
def test_all_venues_together_are_never_worse_than_any_by_itself(
    asks: list[Side], bids: list[Side], amount: int, direction: Direction, data: st.DataObject
) -> None:
    side = data.draw(st.sampled_from(AmountSide))
    together = priced(amount, direction, side, asks, bids)
    for ask in asks:
        alone = priced(amount, direction, side, [ask] if direction is Direction.BUY else asks, bids)
        if alone is not None:
            assert together is not None
            assert together.destination_units >= alone.destination_units
            assert together.source_units <= alone.source_units


@given(sides(rising=True), st.integers(1, 10**9))
def test_the_venues_value_is_the_exact_sum_of_every_level_with_its_own_fee(asks: list[Side], coins: int) -> None:
    bids = [Side("x", [Level(1, 10**12)], 0)]
    made = priced(coins, Direction.BUY, AmountSide.DESTINATION, asks, bids)
    assume(made is not None)
    assert made is not None
    left, exact = coins, Fraction(0)
    for level in merge(asks, PPM, buying=True):
        taken = min(left, level.quantity)
        fee = PPM if level.taker_ppm is None else level.taker_ppm
        exact += Fraction(level.price * taken, 10**8) * (1 + Fraction(fee, 10**6))
        left -= taken
    assert made.venue_value == -(-exact.numerator // exact.denominator)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("side", AmountSide)
def test_finer_prices_come_to_the_same_money(direction: Direction, side: AmountSide) -> None:
    """A price of 0.8634 is 8634 with four places more than whole euros have cents, and says so in the rate."""
    made = [
        price(
            1_000_000,
            direction=direction,
            amount_side=side,
            asks=[Level(90 * 10**places, 10**12)],
            bids=[Level(80 * 10**places, 10**12)],
            terms=TERMS,
            base_decimals=6,
            price_places=places,
        )
        for places in (0, 4)
    ]
    assert [each.source_units for each in made] == [made[0].source_units] * 2
    assert [each.destination_units for each in made] == [made[0].destination_units] * 2
    assert (made[0].rate, made[0].mid) == (made[1].rate, made[1].mid)
    assert made[1].rate_units == made[0].rate_units * 10**4
