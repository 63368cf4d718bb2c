"""Price one exchange by walking a venue's depth, in exact whole numbers.

Four ways to ask, two per direction. `C` is what the levels taken are worth at the venue's own prices:

    buy, amount_side destination   the customer receives exactly q coins; what do they pay?
    buy, amount_side source        the customer spends exactly s; how many coins?
    sell, amount_side source       the customer gives exactly q coins; what are they paid?
    sell, amount_side destination  the customer is paid exactly r; how many coins must they give?

Every line is rounded once. Coins and totals round against the customer, the processing fee up, the partner's
fee down; where the total follows from the fees, the processing fee is the remainder, so the lines always add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final, assert_never

from app.domain.depth import MILLION, Fill, Level, earn, round_up, something_left, spend, take_coins
from app.domain.errors import InsufficientLiquidity, ValidationFailed
from app.domain.money import ceil_div, floor_div
from app.domain.order import Direction

_WHOLE: Final = 10_000  # basis points in one


class AmountSide(StrEnum):
    """Which of the two amounts the caller fixed; the other one follows from the price."""

    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an exchange costs on top of the venue's prices: four rates in basis points and one fixed amount.

    `taker_bps` is the fee of a venue that does not name its own; `network_fee_units` is in units of the quote asset.
    Raises ValueError when the terms could not be met: a negative term, a venue fee or spread of everything, or fees
    that together take everything.
    """

    taker_bps: int
    spread_bps: int
    processing_bps: int
    partner_bps: int = 0
    network_fee_units: int = 0

    def __post_init__(self) -> None:
        rates = (self.taker_bps, self.spread_bps, self.processing_bps, self.partner_bps)
        if min(*rates, self.network_fee_units) < 0:
            raise ValueError("no term may be negative")
        if max(self.taker_bps, self.spread_bps) >= _WHOLE:
            raise ValueError("the venue's fee and the spread must each be below 100 %")
        if self.processing_bps + self.partner_bps >= _WHOLE:
            raise ValueError("the processing and partner fees together must be below 100 %")

    @property
    def taker_ppm(self) -> int:
        """The venue's fee in millionths."""
        return self.taker_bps * (MILLION // _WHOLE)


@dataclass(frozen=True, slots=True)
class Priced:
    """The answer. Coins are in base units, everything else in units of the quote asset (cents).

    A buy's total is what the customer pays, `source_units`; it is venue_value + spread + processing + network +
    partner. A sell's total is what the venue pays, `venue_value`; it is spread + processing + network + partner +
    what the customer is paid, `destination_units`. `subtotal_units` is `venue_value` with the spread in it.
    """

    direction: Direction
    amount_side: AmountSide
    source_units: int
    destination_units: int
    levels: tuple[tuple[int, int], ...]
    rate: Fraction
    mid: Fraction
    subtotal_units: int
    venue_value: int
    spread_units: int
    processing_units: int
    partner_units: int
    network_units: int
    base_decimals: int

    price_places: int = 0  # decimals that the levels' prices have beyond the quote asset's

    @property
    def coin_units(self) -> int:
        """The coins that change hands, in base units."""
        return self.destination_units if self.direction is Direction.BUY else self.source_units

    @property
    def fiat_units(self) -> int:
        """What the customer pays on a buy or is paid on a sell, in units of the quote asset."""
        return self.source_units if self.direction is Direction.BUY else self.destination_units

    @property
    def rate_units(self) -> int:
        """The volume-weighted price of the levels taken, as fine as theirs: rounded up on a buy, down on a sell."""
        rate = self.rate * 10**self.price_places
        return ceil_div(rate) if self.direction is Direction.BUY else floor_div(rate)

    @property
    def total_cost_bps(self) -> int:
        """What the customer loses against the middle price, in basis points of the coins' value there, rounded up."""
        value_at_mid = self.mid * self.coin_units / 10**self.base_decimals
        loss = self.fiat_units - value_at_mid
        return ceil_div((loss if self.direction is Direction.BUY else -loss) / value_at_mid * _WHOLE)


@dataclass(frozen=True, slots=True)
class _Bill:
    """A fill and the lines that stand on it."""

    fill: Fill
    fiat: int
    subtotal: int
    processing: int
    partner: int


def price(
    amount_units: int,
    *,
    direction: Direction,
    amount_side: AmountSide,
    asks: Sequence[Level],
    bids: Sequence[Level],
    terms: Terms,
    base_decimals: int,
    price_places: int = 0,
) -> Priced:
    """Price `amount_units` of the asset on `amount_side` against a book whose asks ascend and whose bids descend.

    `price_places` are the decimals that the levels' prices have beyond the quote asset's.
    Raises ValidationFailed when the amount is not above zero, AmountBelowMin when nothing would be left to give,
    and InsufficientLiquidity when the book ends first.
    """
    _something_to_price(amount_units, asks, bids)
    scale = 10 ** (base_decimals + price_places)
    buying = direction is Direction.BUY
    book, bill_of = (asks, _buy) if buying else (bids, _sell)
    bill = bill_of(amount_units, amount_side, book, terms, scale)
    source, destination = (bill.fiat, bill.fill.coins) if buying else (bill.fill.coins, bill.fiat)
    whole = scale * MILLION
    venue_value = round_up(bill.fill.charged, whole) if buying else bill.fill.charged // whole
    return Priced(
        direction=direction,
        amount_side=amount_side,
        source_units=source,
        destination_units=destination,
        levels=tuple(bill.fill.levels),
        rate=Fraction(bill.fill.value, bill.fill.coins * 10**price_places),
        mid=Fraction(asks[0].price + bids[0].price, 2 * 10**price_places),
        subtotal_units=bill.subtotal,
        venue_value=venue_value,
        spread_units=abs(bill.subtotal - venue_value),
        processing_units=bill.processing,
        partner_units=bill.partner,
        network_units=terms.network_fee_units,
        base_decimals=base_decimals,
        price_places=price_places,
    )


def _something_to_price(amount: int, asks: Sequence[Level], bids: Sequence[Level]) -> None:
    if amount <= 0:
        raise ValidationFailed("The amount must be above zero.")
    if not asks or not bids:
        raise InsufficientLiquidity


def _buy(amount: int, side: AmountSide, asks: Sequence[Level], terms: Terms, scale: int) -> _Bill:
    """Receive exactly `amount` coins, or spend exactly `amount`."""
    markup, whole = _WHOLE + terms.spread_bps, scale * MILLION * _WHOLE
    if side is AmountSide.DESTINATION:
        fill = take_coins(asks, amount, terms.taker_ppm, buying=True)
        subtotal = round_up(fill.charged * markup, whole)
        total = _before_fees(subtotal, terms)
        partner = total * terms.partner_bps // _WHOLE
        return _Bill(fill, total, subtotal, total - subtotal - terms.network_fee_units - partner, partner)
    if side is AmountSide.SOURCE:
        processing, partner = _fees_on(amount, terms)
        subtotal = something_left(amount - processing - partner - terms.network_fee_units)
        fill = spend(asks, subtotal * whole // markup, terms.taker_ppm)
        return _Bill(fill, amount, subtotal, processing, partner)
    assert_never(side)


def _sell(amount: int, side: AmountSide, bids: Sequence[Level], terms: Terms, scale: int) -> _Bill:
    """Give exactly `amount` coins, or be paid exactly `amount`."""
    markdown, whole = _WHOLE - terms.spread_bps, scale * MILLION * _WHOLE
    if side is AmountSide.SOURCE:
        fill = take_coins(bids, amount, terms.taker_ppm, buying=False)
        subtotal = fill.charged * markdown // whole
        processing, partner = _fees_on(subtotal, terms)
        paid = something_left(subtotal - processing - partner - terms.network_fee_units)
        return _Bill(fill, paid, subtotal, processing, partner)
    if side is AmountSide.DESTINATION:
        needed = _before_fees(amount, terms)
        # floor(x) >= needed exactly when x >= needed, so the least value that will do has a closed form.
        fill = earn(bids, round_up(needed * whole, markdown), terms.taker_ppm)
        subtotal = fill.charged * markdown // whole
        partner = subtotal * terms.partner_bps // _WHOLE
        return _Bill(fill, amount, subtotal, subtotal - amount - terms.network_fee_units - partner, partner)
    assert_never(side)


def _fees_on(amount: int, terms: Terms) -> tuple[int, int]:
    """The processing fee, rounded up, and the partner's, rounded down."""
    return round_up(amount * terms.processing_bps, _WHOLE), amount * terms.partner_bps // _WHOLE


def _before_fees(net: int, terms: Terms) -> int:
    """The least amount from which `net` is left after the network fee and both proportional fees."""
    kept_bps = _WHOLE - terms.processing_bps - terms.partner_bps
    return round_up((net + terms.network_fee_units) * _WHOLE, kept_bps)
