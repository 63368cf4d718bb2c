"""What the quote tests share: the published book and terms, and one short way to ask for a price."""

from __future__ import annotations

from app.domain.order import Direction
from app.domain.quote import AmountSide, Priced, Terms, price
from app.ports.rates import Level

COIN = 10**8
DEV = Terms(taker_bps=26, spread_bps=50, processing_bps=100)
FREE = Terms(taker_bps=0, spread_bps=0, processing_bps=0)
BUY, SELL = Direction.BUY, Direction.SELL
SOURCE, DESTINATION = AmountSide.SOURCE, AmountSide.DESTINATION
MODES = [(BUY, SOURCE), (BUY, DESTINATION), (SELL, SOURCE), (SELL, DESTINATION)]

ASKS = (
    Level(61_000_00, 20_000_000),
    Level(61_010_00, 35_000_000),
    Level(61_050_00, 60_000_000),
    Level(61_200_00, 150_000_000),
)
BIDS = (Level(60_980_00, 15_000_000), Level(60_965_00, 40_000_000), Level(60_900_00, 80_000_000))

Sides = tuple[tuple[Level, ...], tuple[Level, ...]]


def ask(
    amount: int,
    direction: Direction,
    side: AmountSide,
    terms: Terms = DEV,
    book: Sides = (ASKS, BIDS),
) -> Priced:
    """Price against one book; the amount is in units of the asset on `side`."""
    asks, bids = book
    return price(amount, direction=direction, amount_side=side, asks=asks, bids=bids, terms=terms, base_decimals=8)
