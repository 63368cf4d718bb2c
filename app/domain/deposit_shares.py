"""What coins that count do to their sell order: which facts follow, and who gets what of each deposit."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.order import OrderState, OrderTrigger

S = OrderState
T = OrderTrigger

WAITING = frozenset({S.AWAITING_DEPOSIT, S.DEPOSIT_DETECTED})
_SERVED = frozenset({S.DEPOSIT_CONFIRMED, S.PAYING_OUT, S.COMPLETED})
_GIVING_BACK = frozenset({S.REFUNDING, S.REFUNDED})
_PAID_OUT = frozenset({S.PAYING_OUT, S.COMPLETED})


@dataclass(frozen=True, slots=True)
class Share:
    """One fact about `amount` units of a deposit; those of a deposit add up to it.

    `surplus` of them does not stay on the order's account: it makes an earlier loss good where `makes_good` says so,
    else it goes back. `repaid` makes good a loss of a restored deposit.
    """

    trigger: OrderTrigger
    amount: int
    surplus: int = 0
    makes_good: bool = False
    repaid: int = 0

    @property
    def kept(self) -> int:
        """What of it the order's account holds afterwards."""
        return self.amount - self.surplus - self.repaid

    @property
    def restored(self) -> int:
        """What of it makes an earlier loss good."""
        return self.repaid + (self.surplus if self.makes_good else 0)


def shares_of(state: OrderState, amount: int, *, held: int, wanted: int, lost: int) -> list[Share]:
    """The facts that follow when a deposit of `amount` units counts for an order in `state`.

    `held` is what the order's account holds, `wanted` what was agreed, `lost` what reorganisations have cost us on
    this order and nobody has made good. First the sale gets what it needs, then the loss, then the customer.
    """
    if state in WAITING:
        return _shares_of_waiting(amount, wanted - held, lost)
    repaid = min(amount, lost)
    if state in _SERVED:
        return _repaying(state, repaid) + _going_back(amount - repaid)
    if state in _GIVING_BACK and repaid:
        return [Share(T.DEPOSIT_RESTORED, amount, repaid=repaid)]
    return [Share(T.DEPOSIT_CONFIRMED, amount, surplus=repaid, makes_good=bool(repaid))]


def _shares_of_waiting(amount: int, missing: int, lost: int) -> list[Share]:
    if amount < missing:
        return [Share(T.DEPOSIT_UNDERPAID, amount)]
    if amount == missing:
        return [Share(T.DEPOSIT_CONFIRMED, amount)]
    repaid = min(amount - missing, lost)
    if repaid:
        first = Share(T.DEPOSIT_OVERPAID, missing + repaid, surplus=repaid, makes_good=True)
        return [first, *_going_back(amount - first.amount)]
    return [Share(T.DEPOSIT_OVERPAID, amount, surplus=amount - missing)]


def _repaying(state: OrderState, units: int) -> list[Share]:
    if not units:
        return []
    if state in _PAID_OUT:
        return [Share(T.DEPOSIT_RESTORED, units, repaid=units)]
    return [Share(T.SURPLUS_RECEIVED, units, surplus=units, makes_good=True)]


def _going_back(units: int) -> list[Share]:
    return [Share(T.SURPLUS_RECEIVED, units, surplus=units)] if units else []


def covered_by_order(state: OrderState, kept: int, held: int) -> int:
    """What the order's account can still cover of a deposit that is gone again; the rest is lost.

    `kept` of the deposit had stayed on the account, which now holds `held`. Once the fiat is on its way nothing of
    it is left, whatever the account says.
    """
    return 0 if state in _PAID_OUT else min(kept, held)
