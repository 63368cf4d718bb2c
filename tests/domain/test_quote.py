"""Quotes by walking depth: the published vectors, and what is refused."""

from __future__ import annotations

import pytest

from app.domain.errors import AmountBelowMin, InsufficientLiquidity, ValidationFailed
from app.domain.order import Direction
from app.domain.quote import AmountSide, Terms
from app.ports.rates import Level
from tests.domain.quoting import ASKS, BIDS, BUY, COIN, DESTINATION, DEV, FREE, MODES, SELL, SOURCE, Sides, ask

# --- the published vectors


def test_receive_half_a_coin() -> None:
    quote = ask(50_000_000, BUY, DESTINATION)
    assert quote.levels == ((61_000_00, 20_000_000), (61_010_00, 30_000_000))
    assert quote.rate == 61_006_00
    assert (quote.subtotal_units, quote.processing_units, quote.source_units) == (30_735_22, 310_46, 31_045_68)
    assert (quote.venue_value, quote.spread_units) == (30_582_31, 152_91)
    assert (quote.network_units, quote.partner_units) == (0, 0)
    assert quote.destination_units == 50_000_000
    assert quote.mid == 60_990_00


def test_spend_ten_thousand() -> None:
    quote = ask(10_000_00, BUY, SOURCE)
    assert (quote.processing_units, quote.destination_units) == (100_00, 16_106_886)
    assert quote.levels == ((61_000_00, 16_106_886),)
    assert quote.source_units == 10_000_00


def test_spend_one_hundred_as_the_api_shows_it() -> None:
    assert ask(100_00, BUY, SOURCE).destination_units == 161_068


def test_sell_three_tenths() -> None:
    quote = ask(30_000_000, SELL, SOURCE)
    assert quote.levels == ((60_980_00, 15_000_000), (60_965_00, 15_000_000))
    assert (quote.subtotal_units, quote.processing_units, quote.destination_units) == (18_152_97, 181_53, 17_971_44)


def test_sell_to_receive_what_selling_three_tenths_pays() -> None:
    """The least amount that pays 17971.44: three tenths pay it too, one satoshi less than the answer does not."""
    quote = ask(17_971_44, SELL, DESTINATION)
    assert quote.destination_units == 17_971_44
    assert quote.source_units <= 30_000_000
    assert quote.subtotal_units - quote.processing_units == 17_971_44
    needed = -(-17_971_44 * 10_000 // 9_900)
    assert quote.subtotal_units >= needed
    assert ask(quote.source_units - 1, SELL, SOURCE).subtotal_units < needed


def test_the_network_and_partner_lines() -> None:
    terms = Terms(taker_bps=26, spread_bps=50, processing_bps=100, partner_bps=75, network_fee_units=123)
    quote = ask(50_000_000, BUY, DESTINATION, terms)
    total = -(-(30_735_22 + 123) * 10_000 // (10_000 - 175))
    assert quote.source_units == total
    assert quote.partner_units == total * 75 // 10_000
    assert quote.network_units == 123
    spent = ask(10_000_01, BUY, SOURCE, terms)
    assert (spent.processing_units, spent.partner_units) == (100_01, 75_00)
    assert spent.subtotal_units == 10_000_01 - 100_01 - 75_00 - 123


def test_the_rate_and_the_cost_never_look_better_than_they_are() -> None:
    third = ((Level(100, 1 * COIN), Level(101, 2 * COIN)), (Level(99, 1 * COIN), Level(98, 2 * COIN)))
    assert ask(3 * COIN, BUY, DESTINATION, FREE, third).rate_units == 101  # 100.67 cents
    assert ask(3 * COIN, SELL, SOURCE, FREE, third).rate_units == 98  # 98.33 cents
    assert ask(3 * COIN, BUY, DESTINATION, FREE, third).total_cost_bps == 118  # 302 for 298.50: 117.3
    assert ask(3 * COIN, SELL, SOURCE, FREE, third).total_cost_bps == 118  # 295 for 298.50: 117.3
    assert ask(50_000_000, BUY, DESTINATION).total_cost_bps == 181  # 31045.68 for 30495.00: 180.6


# --- refusals


@pytest.mark.parametrize(
    "terms",
    [
        (0, 0, 5_000, 5_000, 0),
        (0, 0, 10_100, 0, 0),
        (0, 0, 0, 10_100, 0),
        (-1, 0, 0, 0, 0),
        (0, -1, 0, 0, 0),
        (0, 0, -1, 0, 0),
        (0, 0, 0, -1, 0),
        (0, 0, 0, 0, -1),
        (10_000, 0, 0, 0, 0),
        (0, 10_000, 0, 0, 0),
    ],
)
def test_terms_that_cannot_be_met_are_refused_at_once(terms: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"must|may"):
        Terms(*terms)


def test_terms_just_short_of_everything_are_accepted() -> None:
    assert ask(1_000_000_00, BUY, SOURCE, Terms(0, 0, 5_000, 4_999)).subtotal_units == 10_000


@pytest.mark.parametrize(("direction", "side"), MODES)
@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_must_be_above_zero(direction: Direction, side: AmountSide, amount: int) -> None:
    with pytest.raises(ValidationFailed) as refused:
        ask(amount, direction, side)
    assert refused.value.code == "validation_failed"


@pytest.mark.parametrize(
    ("amount", "direction", "terms"),
    [
        (1, BUY, DEV),  # one cent, all of it fee
        (5, BUY, Terms(0, 0, 0, 0, 5)),  # the network fee takes exactly everything
        (4, BUY, Terms(0, 0, 0, 0, 5)),
        (1, SELL, DEV),  # one satoshi is worth less than a cent
        (33, SELL, DEV),  # two cents, one of spread and rounding, one of fee
        (100_000, SELL, Terms(0, 0, 0, 0, 60_98)),
    ],
)
def test_fees_that_eat_everything_are_refused(amount: int, direction: Direction, terms: Terms) -> None:
    with pytest.raises(AmountBelowMin):
        ask(amount, direction, SOURCE, terms)


def test_a_sum_too_small_for_one_unit_of_the_coin_is_refused() -> None:
    dear = ((Level(200_000_000, COIN),), (Level(100_000_000, COIN),))  # two cents for one satoshi
    with pytest.raises(AmountBelowMin):
        ask(1, BUY, SOURCE, FREE, dear)
    assert ask(2, BUY, SOURCE, FREE, dear).destination_units == 1
    assert ask(3, BUY, SOURCE, FREE, dear).spread_units == 1  # what buys no coin is ours, and is on the bill


def test_the_book_to_its_last_unit_and_not_one_more() -> None:
    every_ask, every_bid = sum(step.quantity for step in ASKS), sum(step.quantity for step in BIDS)
    assert len(ask(every_ask, BUY, DESTINATION).levels) == 4
    whole = ask(every_bid, SELL, SOURCE)
    assert len(whole.levels) == 3
    for amount, direction, side in [(every_ask + 1, BUY, DESTINATION), (every_bid + 1, SELL, SOURCE)]:
        with pytest.raises(InsufficientLiquidity):
            ask(amount, direction, side)
    all_it_costs = ask(every_ask, BUY, DESTINATION, FREE).source_units
    assert ask(all_it_costs, BUY, SOURCE, FREE).destination_units == every_ask
    with pytest.raises(InsufficientLiquidity):
        ask(all_it_costs + 1, BUY, SOURCE, FREE)
    all_it_pays = ask(every_bid, SELL, SOURCE, FREE).destination_units
    assert ask(all_it_pays, SELL, DESTINATION, FREE).source_units <= every_bid
    with pytest.raises(InsufficientLiquidity):
        ask(all_it_pays + 1, SELL, DESTINATION, FREE)


def test_a_sum_that_ends_with_a_level_names_no_empty_level() -> None:
    assert ask(12_200_00, BUY, SOURCE, FREE).levels == ((61_000_00, 20_000_000),)


def test_a_sum_that_would_buy_one_unit_more_than_the_book_holds_is_refused() -> None:
    dear = ((Level(200_000_000, 10),), (Level(100_000_000, 10),))  # two cents for one satoshi
    assert ask(21, BUY, SOURCE, FREE, dear).destination_units == 10
    with pytest.raises(InsufficientLiquidity):
        ask(22, BUY, SOURCE, FREE, dear)


@pytest.mark.parametrize(("direction", "side"), MODES)
def test_huge_amounts_find_no_book_deep_enough(direction: Direction, side: AmountSide) -> None:
    with pytest.raises(InsufficientLiquidity):
        ask(10**60, direction, side)


@pytest.mark.parametrize(("direction", "side"), MODES)
@pytest.mark.parametrize("book", [((), BIDS), (ASKS, ()), ((), ())])
def test_a_book_without_a_side_prices_nothing(direction: Direction, side: AmountSide, book: Sides) -> None:
    with pytest.raises(InsufficientLiquidity):
        ask(1_000_000, direction, side, DEV, book)
