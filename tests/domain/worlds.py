"""Worlds to walk through at random: what can happen to an order next, and what the outside holds by then.

A world proposes facts that the services could really see, keeps its own count of what moved, and leaves it to the
table whether the order takes them. It knows nothing of entries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain import chart
from app.domain.assets import BTC, EUR
from app.domain.bookkeeping_out import coins_delivered, coins_prepared
from app.domain.deposit_shares import WAITING, Share, covered_by_order, shares_of
from app.domain.money import Money
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from tests.domain.books import Walk, buying, selling

S, T = OrderState, OrderTrigger
Step = tuple[OrderTrigger, Moved]
NOTHING = Moved("none")
RECEIVED = frozenset(
    {T.DEPOSIT_UNDERPAID, T.DEPOSIT_CONFIRMED, T.DEPOSIT_OVERPAID, T.SURPLUS_RECEIVED, T.DEPOSIT_RESTORED}
)


class BuyWorld:
    """A customer with a card that may be charged back, and a wallet."""

    def __init__(self) -> None:
        self.walk: Walk = buying()
        self.captured = 0
        self.sent: Moved | None = None
        self.first_fee = 0
        self.refunds: dict[str, int] = {}  # accepted and not bounced
        self.tried = 0
        self.dispute: Moved | None = None
        self.closed = False
        self.left_wallet = 0

    def steps(self, amount: int) -> list[Step]:
        """Everything that may happen now; `amount` is a number to take amounts from."""
        return [step for step in self._proposals(amount) if step[0] in self.walk.allowed]

    def _proposals(self, amount: int) -> list[Step]:
        total, held = self.walk.terms.source.units, self.walk.held
        steps: list[Step] = [(T.CANCELED, NOTHING), (T.EXPIRED, NOTHING)]
        if not self.captured:
            received = total if amount % 4 else amount % total + 1
            steps += [(T.PAYMENT_CAPTURED, Moved("pi_1", amount=received))] * 2
            steps += [(trigger, NOTHING) for trigger in (
                T.AUTHENTICATION_REQUIRED, T.AUTHENTICATION_FAILED, T.PAYMENT_DECLINED, T.PAYMENT_PENDING,
                T.PAYMENT_AUTHORISED, T.PAYMENT_FAILED,
            )]  # fmt: skip
        send = self.sent or Moved("sn_1", amount=self.walk.terms.destination.units, fee=amount % 5_000)
        if self.captured == total or self.sent:
            steps += [(t, send) for t in (T.SEND_PREPARED, T.SEND_BROADCAST, T.SEND_CONFIRMED)]
            steps += [(T.SEND_ABANDONED, self._abandoned(send))]
        if self.sent:
            steps.append((T.SEND_REPLACED, Moved(f"rp_{self.tried}", fee=amount % 3_000 + 1)))
            # The first attempt can be mined after all.
            spare = self.sent.fee - self.first_fee
            steps.append((T.SEND_CONFIRMED, replace(self.sent, fee=self.first_fee, spare=spare)))
        if held or not self.captured:
            steps.append((T.REFUND_REQUESTED, NOTHING))
        if held and not amount % 7:
            steps.append((T.BLOCKED, Moved("sc_1", amount=held)))
        self.tried += 1
        if held:
            part = held if amount % 2 else amount % held + 1
            steps += [(T.REFUND_ACCEPTED, Moved(f"rf_{self.tried}", amount=part))] * 2
            steps.append((T.REFUND_FAILED, Moved(f"rf_{self.tried}")))
        steps += [(T.REFUND_FAILED, Moved(name, amount=units)) for name, units in self.refunds.items()]
        if not held:
            steps.append((T.REFUND_COMPLETED, NOTHING))
        return steps + self._dispute_steps(amount)

    def _abandoned(self, send: Moved) -> Moved:
        """What a dispute took while the coins were leaving, the order bears once they are not sent."""
        lost = self.walk.books.of(chart.LOSS_DISPUTE, EUR)
        return replace(send, disputed=lost, from_order=min(lost, self.walk.held))

    def _dispute_steps(self, amount: int) -> list[Step]:
        if self.captured and self.dispute is None:
            whole = amount % 3 != 0 or self.walk.state is S.PAID  # a part of a paid order is refunded first
            taken = self.captured if whole else amount % self.captured + 1
            from_order = min(taken, self.walk.held)
            return [(T.DISPUTE_OPENED, Moved("du_1", taken, amount % 2_000, from_order, opened_in=self.walk.state))]
        if self.dispute is not None and not self.closed:
            return [(T.DISPUTE_WON, self.dispute), (T.DISPUTE_LOST, self.dispute)]
        return []

    def take(self, step: Step) -> None:
        """Let it happen."""
        trigger, moved = step
        self.walk.take(trigger, moved)
        match trigger:
            case T.PAYMENT_CAPTURED:
                self.captured = moved.amount
            case T.SEND_PREPARED:
                self.sent, self.first_fee = moved, moved.fee
            case T.SEND_REPLACED if self.left_wallet:
                self.left_wallet += moved.fee
            case T.SEND_REPLACED if self.sent is not None:
                self.sent = replace(self.sent, fee=self.sent.fee + moved.fee)
            case T.SEND_CONFIRMED:
                self.left_wallet = moved.amount + moved.fee
            case T.REFUND_ACCEPTED:
                self.refunds[moved.reference] = moved.amount
            case T.REFUND_FAILED:
                self.refunds.pop(moved.reference, None)
            case T.SEND_ABANDONED if moved.disputed and self.dispute is not None:
                self.dispute = replace(self.dispute, from_order=moved.from_order, opened_in=S.REFUNDING)
            case _:
                self._take_dispute(trigger, moved)

    def _take_dispute(self, trigger: T, moved: Moved) -> None:
        match trigger:
            case T.DISPUTE_OPENED:
                self.dispute = moved
            case T.DISPUTE_WON:
                self.dispute, self.closed = Moved("won", fee=moved.fee), True
            case T.DISPUTE_LOST:
                self.closed = True

    def check(self) -> None:
        """The books agree with what moved outside."""
        books = self.walk.books
        taken = 0 if self.dispute is None else self.dispute.amount + self.dispute.fee
        assert books.of(chart.psp("stripe"), EUR) == self.captured - sum(self.refunds.values()) - taken
        hot, transit = books.of(chart.wallet_hot("bitcoin"), BTC), books.of(chart.wallet_transit("bitcoin"), BTC)
        assert hot + transit == 100_000_000 - self.left_wallet
        assert bool(transit) == (self.walk.state in {S.SENDING, S.SENT})
        if self.walk.state in {S.REFUNDING, S.REFUNDED}:
            assert books.of(chart.LOSS_DISPUTE, EUR) == 0
        if self.dispute is not None and self.dispute.reference == "won":
            assert books.of(chart.LOSS_DISPUTE, EUR) == books.of(chart.RECEIVABLE_RECOVERY, EUR) == 0


@dataclass(frozen=True)
class Counted:
    """A deposit that counts: its units, and how many of them stayed on the order's account."""

    units: int
    kept: int


class SellWorld:
    """A customer with a wallet on a chain that reorganises, and a bank that sends money back."""

    def __init__(self) -> None:
        self.walk: Walk = selling()
        self.walk.books.fund(chart.wallet_hot("bitcoin"), Money(999_000_000, BTC))
        self.count = 0
        self.deposits: dict[str, Counted] = {}
        self.payouts: dict[str, int] = {}  # coins promised to the customer, and not gone yet
        self.partner = 0
        self.left_wallet = 0
        self.paid_out = 0
        self.lost = 0

    def steps(self, amount: int) -> list[Step]:
        """Everything that may happen now; `amount` is a number to take amounts from."""
        return [step for step in self._proposals(amount) if step[0] in self.walk.allowed]

    def _proposals(self, amount: int) -> list[Step]:
        self.count += 1
        agreed, held, state = self.walk.terms.source.units, self.walk.held, self.walk.state
        steps = [(T.DEPOSIT_DETECTED, NOTHING), (T.DEPOSIT_VANISHED, NOTHING)]
        given_up = (T.UNDERPAYMENT_EXPIRED, T.REFUND_REQUESTED) if held else (T.CANCELED, T.EXPIRED)
        steps += [(trigger, NOTHING) for trigger in given_up]
        missing = agreed - held if state in WAITING else agreed
        steps += [self._deposit(units) for units in (amount % agreed + 1, missing + amount % 9_000_000, missing)]
        for name, coins in self.deposits.items():
            spared = state is S.DEPOSIT_CONFIRMED and not coins.kept
            gone = Moved(name, coins.units, from_order=covered_by_order(state, coins.kept, held))
            steps.append((T.SURPLUS_REORGED if spared else T.DEPOSIT_REORGED, gone))
        payout = Moved("po_1", amount=self.walk.terms.destination.units, from_partner=amount % 30_01)
        if held == agreed:
            steps += [(T.PAYOUT_SUBMITTED, payout), (T.PAYOUT_SETTLED, payout)]
        steps += [(T.PAYOUT_FAILED, payout), (T.PAYOUT_RETURNED, payout), (T.REFUND_FAILED, NOTHING)]
        if held:
            steps += [(T.REFUND_ACCEPTED, Moved(f"po_{self.count}", amount=held))] * 2
        for name, units in self.payouts.items():
            steps += [(T.REFUND_CONFIRMED, Moved(name, amount=units))]
            steps += [(T.REFUND_FAILED, Moved(name, amount=units))]
        if min(held, self.lost):
            steps += [(T.LOSS_COVERED, Moved(f"lc_{self.count}", amount=min(held, self.lost)))] * 2
        if not held and not self.payouts:
            steps.append((T.REFUND_COMPLETED, NOTHING))
        return steps

    def _deposit(self, units: int) -> Step:
        first, *_ = self._shares(units)
        return first.trigger, Moved(f"dp_{self.count}", amount=units, surplus=first.surplus)

    def _shares(self, units: int) -> list[Share]:
        walk = self.walk
        return shares_of(walk.state, units, held=walk.held, wanted=walk.terms.source.units, lost=self.lost)

    def take(self, step: Step) -> None:
        """Let it happen."""
        trigger, moved = step
        if trigger in RECEIVED:
            self._receive(moved.reference, moved.amount)
            return
        self.walk.take(trigger, moved)
        match trigger:
            case T.DEPOSIT_REORGED | T.SURPLUS_REORGED:
                del self.deposits[moved.reference]
                self.lost += moved.amount - moved.from_order
            case T.LOSS_COVERED:
                self.lost -= moved.amount
            case T.REFUND_ACCEPTED:
                self.payouts[moved.reference] = moved.amount
            case T.REFUND_FAILED:
                self.payouts.pop(moved.reference, None)
            case T.REFUND_CONFIRMED:
                self._send(moved.reference)
            case T.PAYOUT_SETTLED:
                self.paid_out = moved.amount
            case T.PAYOUT_RETURNED:
                self.paid_out = 0

    def _receive(self, name: str, units: int) -> None:
        shares = self._shares(units)
        for place, share in enumerate(shares):
            surplus_to = chart.LOSS_REORG if share.makes_good else chart.partner_available("pt_1")
            self.walk.take(
                share.trigger,
                Moved(f"{name}:{place}", share.amount, 0, share.kept, 0, share.surplus, surplus_to),
            )
            self.partner += 0 if share.makes_good else share.surplus
        self.lost -= sum(share.restored for share in shares)
        self.deposits[name] = Counted(units, sum(share.kept for share in shares))

    def _send(self, name: str) -> None:
        units = self.payouts.pop(name)
        self.walk.books.post(coins_prepared(f"ln_{name}", BTC, units, 900))
        self.walk.books.post(coins_delivered(f"ln_{name}", BTC, {name: units}, 900))
        self.left_wallet += units + 900

    def check(self) -> None:
        """The books agree with what moved outside."""
        books = self.walk.books
        hot, transit = books.of(chart.wallet_hot("bitcoin"), BTC), books.of(chart.wallet_transit("bitcoin"), BTC)
        came = sum(coins.units for coins in self.deposits.values())
        assert (hot, transit) == (1_000_000_000 + came - self.left_wallet, 0)
        assert books.of(chart.bank("increase"), EUR) == 50_000_00 - self.paid_out
        assert books.of(chart.LOSS_REORG, BTC) == self.lost
        assert books.of(chart.partner_available("pt_1"), BTC) == -self.partner
        for name, units in self.payouts.items():
            assert books.of(chart.payout(name), BTC) == -units
