"""Orders: their states, what moves them, and the two tables that say how."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.domain.machine import Machine


class Direction(StrEnum):
    """Which way an order exchanges."""

    BUY = "buy"  # fiat in, coins out
    SELL = "sell"  # coins in, fiat out


class OrderState(StrEnum):
    """Where an order stands. What the public sees of it is in `order_public.py`."""

    CREATED = "created"  # only inside the placing transaction
    AWAITING_PAYMENT = "awaiting_payment"
    AUTHENTICATING = "authenticating"
    AUTHORISED = "authorised"
    PAYMENT_PENDING = "payment_pending"
    PAID = "paid"
    SENDING = "sending"
    SENT = "sent"
    AWAITING_DEPOSIT = "awaiting_deposit"
    DEPOSIT_DETECTED = "deposit_detected"
    DEPOSIT_CONFIRMED = "deposit_confirmed"
    PAYING_OUT = "paying_out"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class OrderTrigger(StrEnum):
    """A fact that moves an order, or is recorded on it."""

    PLACED = "placed"
    AUTHENTICATION_REQUIRED = "authentication_required"
    AUTHENTICATION_FAILED = "authentication_failed"
    PAYMENT_DECLINED = "payment_declined"  # this attempt; the customer may try again
    PAYMENT_PENDING = "payment_pending"  # a bank debit was accepted and may still fail
    PAYMENT_AUTHORISED = "payment_authorised"
    PAYMENT_CAPTURED = "payment_captured"
    PAYMENT_FAILED = "payment_failed"  # for good, with nothing taken
    SEND_PREPARED = "send_prepared"
    SEND_BROADCAST = "send_broadcast"
    SEND_REPLACED = "send_replaced"  # another transaction of ours does the same: it pays a higher fee, or was mined
    SEND_CONFIRMED = "send_confirmed"
    SEND_ABANDONED = "send_abandoned"  # given up for good: no transaction of it can ever be mined
    DEPOSIT_DETECTED = "deposit_detected"
    DEPOSIT_VANISHED = "deposit_vanished"  # replaced or reorged before it counted
    DEPOSIT_UNDERPAID = "deposit_underpaid"  # it counts, and more is needed
    DEPOSIT_CONFIRMED = "deposit_confirmed"
    DEPOSIT_OVERPAID = "deposit_overpaid"  # what is too much goes back
    SURPLUS_RECEIVED = "surplus_received"  # paid again: all of it goes back
    DEPOSIT_REORGED = "deposit_reorged"  # reorged after it had counted
    SURPLUS_REORGED = "surplus_reorged"  # so was what had been paid again: the sale stands as it did
    LOSS_COVERED = "loss_covered"  # coins that are gone are not given back: what is held makes their loss good
    DEPOSIT_RESTORED = "deposit_restored"  # mined again after its loss was booked
    PAYOUT_SUBMITTED = "payout_submitted"
    PAYOUT_SETTLED = "payout_settled"
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_RETURNED = "payout_returned"
    CANCELED = "canceled"
    EXPIRED = "expired"
    UNDERPAYMENT_EXPIRED = "underpayment_expired"  # the window closed on a part of what was agreed
    REFUND_REQUESTED = "refund_requested"
    REFUND_ACCEPTED = "refund_accepted"  # the provider took it on, or the coins left: the money is on its way back
    REFUND_CONFIRMED = "refund_confirmed"  # coins going back are final; a card's refund needs no such moment
    REFUND_COMPLETED = "refund_completed"  # nothing of the customer's money is left with us
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    BLOCKED = "blocked"  # a person found its address to be on a sanctions list: its money stays with us
    HELD = "held"
    RELEASED = "released"


S = OrderState
T = OrderTrigger
Table = dict[tuple[OrderState, OrderTrigger], OrderState]

TERMINAL: Final = frozenset({S.COMPLETED, S.FAILED, S.CANCELED, S.EXPIRED, S.REFUNDED})

_BUY_EDGES: Table = {
    (S.CREATED, T.PLACED): S.AWAITING_PAYMENT,
    # The customer pays. A provider may tell us of a later step before an earlier one, so each state takes them all.
    (S.AWAITING_PAYMENT, T.AUTHENTICATION_REQUIRED): S.AUTHENTICATING,
    (S.AWAITING_PAYMENT, T.PAYMENT_DECLINED): S.AWAITING_PAYMENT,
    (S.AWAITING_PAYMENT, T.PAYMENT_PENDING): S.PAYMENT_PENDING,
    (S.AWAITING_PAYMENT, T.PAYMENT_AUTHORISED): S.AUTHORISED,
    (S.AWAITING_PAYMENT, T.PAYMENT_CAPTURED): S.PAID,
    (S.AWAITING_PAYMENT, T.PAYMENT_FAILED): S.FAILED,
    (S.AWAITING_PAYMENT, T.CANCELED): S.CANCELED,
    (S.AWAITING_PAYMENT, T.EXPIRED): S.EXPIRED,
    (S.AUTHENTICATING, T.AUTHENTICATION_FAILED): S.AWAITING_PAYMENT,
    (S.AUTHENTICATING, T.PAYMENT_DECLINED): S.AWAITING_PAYMENT,
    (S.AUTHENTICATING, T.PAYMENT_PENDING): S.PAYMENT_PENDING,
    (S.AUTHENTICATING, T.PAYMENT_AUTHORISED): S.AUTHORISED,
    (S.AUTHENTICATING, T.PAYMENT_CAPTURED): S.PAID,
    (S.AUTHENTICATING, T.PAYMENT_FAILED): S.FAILED,
    (S.AUTHENTICATING, T.CANCELED): S.CANCELED,
    (S.AUTHENTICATING, T.EXPIRED): S.EXPIRED,
    # Nothing is delivered before the money is ours.
    (S.AUTHORISED, T.PAYMENT_CAPTURED): S.PAID,
    (S.AUTHORISED, T.PAYMENT_FAILED): S.FAILED,
    (S.AUTHORISED, T.REFUND_REQUESTED): S.REFUNDING,
    # A card, too, can be pending for a while before it is authorised.
    (S.PAYMENT_PENDING, T.PAYMENT_AUTHORISED): S.AUTHORISED,
    (S.PAYMENT_PENDING, T.PAYMENT_CAPTURED): S.PAID,
    (S.PAYMENT_PENDING, T.PAYMENT_DECLINED): S.FAILED,
    (S.PAYMENT_PENDING, T.PAYMENT_FAILED): S.FAILED,
    # Delivery.
    (S.PAID, T.SEND_PREPARED): S.SENDING,
    (S.PAID, T.SEND_ABANDONED): S.REFUNDING,
    (S.PAID, T.REFUND_REQUESTED): S.REFUNDING,
    (S.PAID, T.BLOCKED): S.FAILED,
    (S.SENDING, T.SEND_BROADCAST): S.SENT,
    # Our own crash can hide the broadcast from us until the chain shows it.
    (S.SENDING, T.SEND_CONFIRMED): S.COMPLETED,
    (S.SENDING, T.SEND_ABANDONED): S.REFUNDING,
    (S.SENT, T.SEND_CONFIRMED): S.COMPLETED,
    (S.SENDING, T.SEND_REPLACED): S.SENDING,
    (S.SENT, T.SEND_REPLACED): S.SENT,
    # A reorganisation deeper than what the send waited for, and another attempt at it is mined.
    (S.COMPLETED, T.SEND_REPLACED): S.COMPLETED,
    (S.SENT, T.SEND_ABANDONED): S.REFUNDING,
    # Money taken back by the customer's bank. Before delivery nothing is held any more; after it the coins stay
    # delivered, so the order keeps its state and carries the dispute.
    (S.PAID, T.DISPUTE_OPENED): S.FAILED,
    (S.SENDING, T.DISPUTE_OPENED): S.SENDING,
    (S.SENDING, T.DISPUTE_WON): S.SENDING,
    (S.SENDING, T.DISPUTE_LOST): S.SENDING,
    (S.SENT, T.DISPUTE_OPENED): S.SENT,
    (S.SENT, T.DISPUTE_WON): S.SENT,
    (S.SENT, T.DISPUTE_LOST): S.SENT,
    (S.COMPLETED, T.DISPUTE_OPENED): S.COMPLETED,
    (S.COMPLETED, T.DISPUTE_WON): S.COMPLETED,
    (S.COMPLETED, T.DISPUTE_LOST): S.COMPLETED,
    (S.FAILED, T.DISPUTE_WON): S.REFUNDING,
    (S.FAILED, T.DISPUTE_LOST): S.FAILED,
    (S.REFUNDING, T.DISPUTE_OPENED): S.REFUNDING,
    (S.REFUNDING, T.DISPUTE_WON): S.REFUNDING,
    (S.REFUNDING, T.DISPUTE_LOST): S.REFUNDING,
    (S.REFUNDED, T.DISPUTE_OPENED): S.REFUNDED,
    # It was opened while the order still held money: that money is back with us, and goes back.
    (S.REFUNDED, T.DISPUTE_WON): S.REFUNDING,
    (S.REFUNDED, T.DISPUTE_LOST): S.REFUNDED,
    # Late money. An authorisation that comes after we gave up is let go; money taken after we gave up is sent back.
    (S.EXPIRED, T.PAYMENT_AUTHORISED): S.EXPIRED,
    (S.CANCELED, T.PAYMENT_AUTHORISED): S.CANCELED,
    (S.FAILED, T.PAYMENT_AUTHORISED): S.FAILED,
    (S.EXPIRED, T.PAYMENT_CAPTURED): S.REFUNDING,
    (S.CANCELED, T.PAYMENT_CAPTURED): S.REFUNDING,
    (S.FAILED, T.PAYMENT_CAPTURED): S.REFUNDING,
    (S.REFUNDED, T.PAYMENT_CAPTURED): S.REFUNDING,
    # The capture that we had asked for before the refund was requested.
    (S.REFUNDING, T.PAYMENT_CAPTURED): S.REFUNDING,
}

_SELL_EDGES: Table = {
    (S.CREATED, T.PLACED): S.AWAITING_DEPOSIT,
    # A part of the coins is kept and the rest awaited, as long as the window is open.
    (S.AWAITING_DEPOSIT, T.DEPOSIT_DETECTED): S.DEPOSIT_DETECTED,
    (S.AWAITING_DEPOSIT, T.DEPOSIT_VANISHED): S.AWAITING_DEPOSIT,
    (S.AWAITING_DEPOSIT, T.DEPOSIT_UNDERPAID): S.AWAITING_DEPOSIT,
    (S.AWAITING_DEPOSIT, T.DEPOSIT_CONFIRMED): S.DEPOSIT_CONFIRMED,
    (S.AWAITING_DEPOSIT, T.DEPOSIT_OVERPAID): S.DEPOSIT_CONFIRMED,
    (S.AWAITING_DEPOSIT, T.DEPOSIT_REORGED): S.AWAITING_DEPOSIT,
    (S.AWAITING_DEPOSIT, T.CANCELED): S.CANCELED,
    (S.AWAITING_DEPOSIT, T.EXPIRED): S.EXPIRED,
    (S.AWAITING_DEPOSIT, T.UNDERPAYMENT_EXPIRED): S.REFUNDING,
    (S.AWAITING_DEPOSIT, T.REFUND_REQUESTED): S.REFUNDING,
    (S.DEPOSIT_DETECTED, T.DEPOSIT_DETECTED): S.DEPOSIT_DETECTED,
    (S.DEPOSIT_DETECTED, T.DEPOSIT_VANISHED): S.AWAITING_DEPOSIT,
    (S.DEPOSIT_DETECTED, T.DEPOSIT_UNDERPAID): S.AWAITING_DEPOSIT,
    (S.DEPOSIT_DETECTED, T.DEPOSIT_CONFIRMED): S.DEPOSIT_CONFIRMED,
    (S.DEPOSIT_DETECTED, T.DEPOSIT_OVERPAID): S.DEPOSIT_CONFIRMED,
    (S.DEPOSIT_DETECTED, T.DEPOSIT_REORGED): S.DEPOSIT_DETECTED,
    (S.DEPOSIT_CONFIRMED, T.DEPOSIT_REORGED): S.DEPOSIT_DETECTED,
    (S.DEPOSIT_CONFIRMED, T.PAYOUT_SUBMITTED): S.PAYING_OUT,
    # The bank may refuse outright, and its acceptance may be lost on the way to us.
    (S.DEPOSIT_CONFIRMED, T.PAYOUT_SETTLED): S.COMPLETED,
    (S.DEPOSIT_CONFIRMED, T.PAYOUT_FAILED): S.REFUNDING,
    (S.DEPOSIT_CONFIRMED, T.REFUND_REQUESTED): S.REFUNDING,
    (S.PAYING_OUT, T.PAYOUT_SETTLED): S.COMPLETED,
    (S.PAYING_OUT, T.PAYOUT_FAILED): S.REFUNDING,
    # The delivery itself came back: the only way out of `completed`.
    (S.COMPLETED, T.PAYOUT_RETURNED): S.REFUNDING,
    # Paid again, or too much: the customer's, whatever has become of the order.
    (S.DEPOSIT_CONFIRMED, T.SURPLUS_RECEIVED): S.DEPOSIT_CONFIRMED,
    (S.PAYING_OUT, T.SURPLUS_RECEIVED): S.PAYING_OUT,
    (S.COMPLETED, T.SURPLUS_RECEIVED): S.COMPLETED,
    (S.DEPOSIT_CONFIRMED, T.SURPLUS_REORGED): S.DEPOSIT_CONFIRMED,
    # A reorganisation deeper than what we waited for, and the same transaction mined again.
    (S.PAYING_OUT, T.DEPOSIT_REORGED): S.PAYING_OUT,
    (S.COMPLETED, T.DEPOSIT_REORGED): S.COMPLETED,
    (S.REFUNDING, T.DEPOSIT_REORGED): S.REFUNDING,
    (S.REFUNDED, T.DEPOSIT_REORGED): S.REFUNDED,
    (S.EXPIRED, T.DEPOSIT_REORGED): S.EXPIRED,
    (S.CANCELED, T.DEPOSIT_REORGED): S.CANCELED,
    (S.REFUNDING, T.LOSS_COVERED): S.REFUNDING,
    (S.PAYING_OUT, T.DEPOSIT_RESTORED): S.PAYING_OUT,
    (S.COMPLETED, T.DEPOSIT_RESTORED): S.COMPLETED,
    (S.REFUNDING, T.DEPOSIT_RESTORED): S.REFUNDING,
    (S.REFUNDED, T.DEPOSIT_RESTORED): S.REFUNDING,
    # Coins that arrive after we gave up are seen, wait for their depth, and are sent back.
    (S.EXPIRED, T.DEPOSIT_DETECTED): S.EXPIRED,
    (S.CANCELED, T.DEPOSIT_DETECTED): S.CANCELED,
    (S.EXPIRED, T.DEPOSIT_VANISHED): S.EXPIRED,
    (S.CANCELED, T.DEPOSIT_VANISHED): S.CANCELED,
    (S.EXPIRED, T.DEPOSIT_CONFIRMED): S.REFUNDING,
    (S.CANCELED, T.DEPOSIT_CONFIRMED): S.REFUNDING,
    (S.REFUNDING, T.DEPOSIT_CONFIRMED): S.REFUNDING,
    (S.REFUNDED, T.DEPOSIT_CONFIRMED): S.REFUNDING,
    # Each payout of coins back is recorded when it is final; the order ends when nothing is left.
    (S.REFUNDING, T.REFUND_CONFIRMED): S.REFUNDING,
}


def _shared_edges(working: tuple[OrderState, ...]) -> Table:
    """What both directions have in common: refunds, and holds on every state that is not an end."""
    table: Table = {
        (S.REFUNDING, T.REFUND_REQUESTED): S.REFUNDING,
        (S.REFUNDING, T.REFUND_ACCEPTED): S.REFUNDING,
        (S.REFUNDING, T.REFUND_COMPLETED): S.REFUNDED,
        (S.REFUNDING, T.REFUND_FAILED): S.REFUNDING,
        # A refund that was accepted can still bounce, days later.
        (S.REFUNDED, T.REFUND_FAILED): S.REFUNDING,
    }
    for state in (*working, S.REFUNDING):
        table[state, T.HELD] = state
        table[state, T.RELEASED] = state
    return table


_BUY_WORKING = (
    S.AWAITING_PAYMENT,
    S.AUTHENTICATING,
    S.AUTHORISED,
    S.PAYMENT_PENDING,
    S.PAID,
    S.SENDING,
    S.SENT,
)
_SELL_WORKING = (S.AWAITING_DEPOSIT, S.DEPOSIT_DETECTED, S.DEPOSIT_CONFIRMED, S.PAYING_OUT)

BUY: Machine[OrderState, OrderTrigger] = Machine("buy", _BUY_EDGES | _shared_edges(_BUY_WORKING))
SELL: Machine[OrderState, OrderTrigger] = Machine("sell", _SELL_EDGES | _shared_edges(_SELL_WORKING))
MACHINES: Final = {Direction.BUY: BUY, Direction.SELL: SELL}
