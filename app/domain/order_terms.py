"""What was agreed for an order, and what a fact has moved: the bookkeeping's two inputs, in whole units."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain import chart
from app.domain.money import Asset, Money
from app.domain.order import Direction, OrderState


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What was agreed: amounts in whole units, fee lines in units of the fiat side.

    On a buy, venue + spread + processing + partner + network is what the customer pays; on a sell,
    venue - spread - processing - partner - network is what the customer gets.
    """

    order_id: str
    partner_id: str
    direction: Direction
    provider: str
    source: Money
    destination: Money
    venue: int
    spread: int
    processing: int
    partner: int
    network: int

    @property
    def account(self) -> str:
        """The order's own account."""
        return chart.order(self.order_id)

    @property
    def coins(self) -> Money:
        """The crypto side."""
        return self.destination if self.direction is Direction.BUY else self.source

    @property
    def fiat(self) -> Asset:
        """The fiat side's asset."""
        return self.source.asset if self.direction is Direction.BUY else self.destination.asset

    @property
    def chain(self) -> str:
        """The network of the crypto side."""
        network = self.coins.asset.network
        assert network is not None  # noqa: S101 - coins have one
        return network

    def reference(self, kind: str, moved: Moved) -> str:
        """The name of an entry of this order: no two facts of one kind share it."""
        return f"{self.order_id}:{kind}:{moved.reference}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a fact moved.

    `amount` is in units of the asset that moved; `fee` is the network's or the provider's own; `from_order` is the
    part of a dispute, or of a deposit that was reorged or restored, that the order's account can still cover, or is
    given: what it holds and has not promised to a refund. `from_partner` is the part of our partner's fee that its
    balance can give back. `surplus` of an amount goes to the account `surplus_to`, not to the order. `opened_in` is
    the state that a dispute met when it was opened, where its loss was booked. `spare` was set aside for the network's
    fee and is not needed. `disputed` is what a dispute has taken while coins were leaving that are now not sent.
    `reference` tells facts of one kind apart.
    """

    reference: str
    amount: int = 0
    fee: int = 0
    from_order: int = 0
    from_partner: int = 0
    surplus: int = 0
    surplus_to: str = ""
    opened_in: OrderState | None = None
    spare: int = 0
    disputed: int = 0
