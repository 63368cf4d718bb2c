"""A ledger in memory that believes nobody, and the two agreed orders that the bookkeeping tests keep books for."""

from __future__ import annotations

from collections import defaultdict

from app.domain import chart
from app.domain.assets import BTC, EUR
from app.domain.bookkeeping import entries_for
from app.domain.chart import AccountKind, kind_of
from app.domain.ledger import Entry
from app.domain.money import Asset, Money
from app.domain.order import MACHINES, Direction, OrderState, OrderTrigger
from app.domain.order_terms import Moved, OrderTerms

COIN = 10**8

# The published quote: 0.5 BTC for 31045.68 EUR, with a partner's share taken out of the fee line.
BUY = OrderTerms(
    order_id="or_1",
    partner_id="pt_1",
    direction=Direction.BUY,
    provider="stripe",
    source=Money(31_045_68, EUR),
    destination=Money(50_000_000, BTC),
    venue=30_582_31,
    spread=152_91,
    processing=310_46,
    partner=0,
    network=0,
)
# The published sale: 0.3 BTC for 17971.44 EUR, of which the partner and the network have a share here.
SELL = OrderTerms(
    order_id="or_2",
    partner_id="pt_1",
    direction=Direction.SELL,
    provider="increase",
    source=Money(30_000_000, BTC),
    destination=Money(17_971_44, EUR),
    venue=18_244_19,
    spread=91_22,
    processing=150_00,
    partner=30_00,
    network=1_53,
)


class Books:
    """Balances by (account, asset), checked after every entry: zero-sum, unique references, no forbidden sign."""

    def __init__(self) -> None:
        self.balances: dict[tuple[str, Asset], int] = defaultdict(int)
        self.references: set[str] = set()

    def fund(self, account: str, amount: Money) -> None:
        """What the operator puts in before anything happens."""
        self.balances[account, amount.asset] += amount.units
        self.balances[chart.EQUITY_OPERATOR, amount.asset] -= amount.units

    def post(self, entry: Entry) -> None:
        """Book an entry."""
        assert entry.reference not in self.references, entry.reference
        self.references.add(entry.reference)
        for posting in entry.postings:
            assert posting.units
            self.balances[posting.account, posting.asset] += posting.units
        sums: dict[Asset, int] = defaultdict(int)
        for (account, asset), units in self.balances.items():
            sums[asset] += units
            kind = kind_of(account)
            assert not (kind is AccountKind.ASSET and units < 0), (entry.reference, account, units)
            assert not (kind is AccountKind.LIABILITY and units > 0), (entry.reference, account, units)
        assert not any(sums.values()), entry.reference

    def of(self, account: str, asset: Asset) -> int:
        """What stands on an account."""
        return self.balances[account, asset]

    def standing(self) -> dict[tuple[str, str], int]:
        """Everything that is not zero."""
        return {(account, asset.id): units for (account, asset), units in self.balances.items() if units}


class Walk:
    """One order moved through its table with its entries booked."""

    def __init__(self, terms: OrderTerms) -> None:
        self.terms = terms
        self.state = OrderState.CREATED
        self.books = Books()
        self.take(OrderTrigger.PLACED)

    def take(self, trigger: OrderTrigger, moved: Moved | None = None) -> list[Entry]:
        """Let a fact move the order; the entries that it wrote."""
        target = MACHINES[self.terms.direction].target(self.state, trigger)
        written = entries_for(trigger, self.state, self.terms, moved or Moved("none"))
        for entry in written:
            self.books.post(entry)
        self.state = target
        return written

    @property
    def allowed(self) -> frozenset[OrderTrigger]:
        """Every fact that the order takes now."""
        return MACHINES[self.terms.direction].allowed(self.state)

    @property
    def held(self) -> int:
        """What the order's account holds of what the customer gives."""
        return -self.books.of(self.terms.account, self.terms.source.asset)

    @property
    def empty(self) -> bool:
        """Whether nothing stands on the order's account."""
        return not any(units for (account, _), units in self.books.balances.items() if account == self.terms.account)


def lines(entry: Entry) -> dict[tuple[str, str], int]:
    """An entry as {(account, asset): units}."""
    return {(posting.account, posting.asset.id): posting.units for posting in entry.postings}


def buying() -> Walk:
    """A buy order just placed, with enough coins in the wallet."""
    walk = Walk(BUY)
    walk.books.fund(chart.wallet_hot("bitcoin"), Money(100_000_000, BTC))
    return walk


def selling() -> Walk:
    """A sell order just placed, with enough money at the bank."""
    walk = Walk(SELL)
    walk.books.fund(chart.bank("increase"), Money(50_000_00, EUR))
    walk.books.fund(chart.wallet_hot("bitcoin"), Money(1_000_000, BTC))
    return walk
