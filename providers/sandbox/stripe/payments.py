"""Payment intents and their charges: what the API, the customer's browser and the bank do to them."""

from __future__ import annotations

import time

from providers.sandbox.stripe.balance import Balance
from providers.sandbox.stripe.books import Books, Caller, new_id
from providers.sandbox.stripe.cards import AUTHENTICATION_FAILED, BY_NAME, Card, CardDecline
from providers.sandbox.stripe.debits import Debits
from providers.sandbox.stripe.disputes import Disputes
from providers.sandbox.stripe.errors import Document, Refusal, invalid, wrong_state
from providers.sandbox.stripe.events import Events
from providers.sandbox.stripe.objects import charge, payment_intent, visible
from providers.sandbox.stripe.transfers import Transfers

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (*CONFIRMABLE, "requires_capture", "processing")


class Payments:
    """The verbs on payment intents. Each changes the books and tells the events; refusals are Stripe's own."""

    def __init__(self, books: Books, events: Events, balance: Balance, disputes: Disputes) -> None:
        self._books = books
        self._events = events
        self._balance = balance
        self._disputes = disputes
        self.debits = Debits(books, events, balance, disputes)
        self.transfers = Transfers(books, events, balance)

    def create(self, caller: Caller, amount: int, currency: str, **given: object) -> Document:
        """Open a payment intent."""
        intent = payment_intent(amount, currency, **given)
        if intent["payment_method"] is not None:
            intent["status"] = "requires_confirmation"
        self._books.add(caller.account, intent)
        self._events.tell(caller, "payment_intent.created", intent)
        return intent

    def confirm(self, caller: Caller, intent: Document, card: Card, *, return_url: str | None = None) -> None:
        """Try to pay with a card; a decline is recorded and then raised as Refusal, as the API answers it."""
        self._must_be(intent, CONFIRMABLE, "confirm")
        intent |= {"payment_method": new_id("pm"), "_card": card.name, "last_payment_error": None, "next_action": None}
        if card.three_d_secure:
            intent |= {"status": "requires_action", "next_action": _challenge(intent, return_url)}
            self._save(caller, intent, "payment_intent.requires_action")
            return
        self._charge(caller, intent, card)

    def authenticate(self, caller: Caller, intent: Document, *, succeeded: bool) -> None:
        """End the open 3-D Secure challenge as the customer did."""
        self._must_be(intent, ("requires_action",), "authenticate")
        intent["next_action"] = None
        if succeeded:
            self._charge(caller, intent, BY_NAME[intent["_card"]])
        else:
            self._fail(caller, intent, AUTHENTICATION_FAILED, None)

    def process(self, caller: Caller, intent: Document, card: Card) -> None:
        """Accept the payment without knowing yet how it ends, as bank debits do."""
        self._must_be(intent, CONFIRMABLE, "confirm")
        intent |= {"payment_method": new_id("pm"), "_card": card.name, "status": "processing", "next_action": None}
        self._save(caller, intent, "payment_intent.processing")

    def settle(self, caller: Caller, intent: Document) -> None:
        """End the processing of a payment as its card, or its bank account, says."""
        self._must_be(intent, ("processing",), "settle")
        if intent["latest_charge"] is not None and BY_NAME[intent["_card"]].kind != "card":
            self.debits.settle(caller, intent)
            return
        self._charge(caller, intent, BY_NAME[intent["_card"]])

    def capture(self, caller: Caller, intent: Document, amount: int | None) -> None:
        """Take held money; what is not taken goes back to the card without being called a refund (2025-03-31.basil)."""
        self._must_be(intent, ("requires_capture",), "capture")
        taken = intent["amount_capturable"] if amount is None else amount
        if taken > intent["amount_capturable"]:
            raise Refusal(
                f"The amount_to_capture ({taken}) is greater than the amount capturable"
                f" ({intent['amount_capturable']}).",
                code="amount_too_large",
                param="amount_to_capture",
            )
        if taken < 1:
            raise invalid("This value must be greater than or equal to 1.", "amount_to_capture")
        paid = self._books.get(caller.account, intent["latest_charge"], "charge")
        self._take(caller, intent, paid, taken)
        self._books.save(paid)
        self._events.tell(caller, "charge.captured", paid)
        self._save(caller, intent, "payment_intent.succeeded")
        self._afterwards(caller, paid)

    def expire(self, caller: Caller, intent: Document) -> None:
        """Let the issuer take an authorisation back that was held for too long, seven days as a rule."""
        self._must_be(intent, ("requires_capture",), "expire")
        self._events.tell(caller, "charge.expired", self._books.get(caller.account, intent["latest_charge"], "charge"))
        self.cancel(caller, intent, "expired")

    def cancel(self, caller: Caller, intent: Document, reason: str | None) -> None:
        """Give up an intent that took nothing; held money goes back to the card."""
        self._must_be(intent, CANCELABLE, "cancel")
        if intent["status"] == "processing" and BY_NAME[intent["_card"]].kind != "card":
            raise wrong_state("A debit that is on its way cannot be canceled.", visible(intent))
        intent |= {
            "status": "canceled",
            "amount_capturable": 0,
            "canceled_at": int(time.time()),
            "cancellation_reason": reason,
            "next_action": None,
        }
        self._save(caller, intent, "payment_intent.canceled")
        self.transfers.let_go(caller, intent)

    def _charge(self, caller: Caller, intent: Document, card: Card) -> None:
        if card.decline is not None:
            self._fail(caller, intent, card.decline, card)
        paid = charge(intent, card)
        intent["latest_charge"] = paid["id"]
        if intent["capture_method"] == "manual":
            intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
            kind = "payment_intent.amount_capturable_updated"
        else:
            self._take(caller, intent, paid, intent["amount"])
            kind = "payment_intent.succeeded"
        self._books.add(caller.account, paid)
        self._events.tell(caller, "charge.succeeded", paid)
        self._save(caller, intent, kind)
        if card.fraud_warning:
            self._disputes.warn(caller, paid)
        if paid["captured"]:
            self._afterwards(caller, paid)

    def _take(self, caller: Caller, intent: Document, paid: Document, amount: int) -> None:
        line = self._balance.charge(caller, paid, amount)
        paid |= {
            "captured": True,
            "amount_captured": amount,
            "balance_transaction": line["id"],
        }
        intent |= {"status": "succeeded", "amount_capturable": 0, "amount_received": amount}

    def _afterwards(self, caller: Caller, paid: Document) -> None:
        reason = BY_NAME[paid["_card"]].dispute
        if reason is not None:
            self._disputes.open(caller, paid, paid["amount_captured"], reason)

    def _fail(self, caller: Caller, intent: Document, why: CardDecline, card: Card | None) -> None:
        """Record a decline and raise it. Without a card no charge was even tried."""
        error: Document = {"code": why.code, "message": why.message, "type": "card_error"}
        error["payment_method"] = {"id": intent["payment_method"], "object": "payment_method", "type": "card"}
        if why.decline_code is not None:
            error["decline_code"] = why.decline_code
        if card is not None:
            tried = charge(intent, card)
            tried |= {"paid": False, "status": "failed", "failure_code": why.code, "failure_message": why.message}
            tried["outcome"] |= {
                "network_status": "declined_by_network",
                "reason": why.decline_code,
                "seller_message": why.message,
                "type": "issuer_declined",
            }
            error["charge"] = intent["latest_charge"] = tried["id"]
            self._books.add(caller.account, tried)
            self._events.tell(caller, "charge.failed", tried)
        intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": error}
        self._save(caller, intent, "payment_intent.payment_failed")
        raise Refusal(
            why.message,
            status=402,
            kind="card_error",
            keeps=True,
            code=why.code,
            decline_code=why.decline_code,
            charge=error.get("charge"),
            payment_intent=visible(intent),
        )

    def _save(self, caller: Caller, intent: Document, kind: str) -> None:
        self._books.save(intent)
        self._events.tell(caller, kind, intent)

    def _must_be(self, intent: Document, allowed: tuple[str, ...], verb: str) -> None:
        if intent["status"] not in allowed:
            raise wrong_state(
                f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. Only a"
                f" PaymentIntent with one of the following statuses may be handled so: {', '.join(allowed)}.",
                visible(intent),
            )


def _challenge(intent: Document, return_url: str | None) -> Document:
    if return_url is not None:
        target = f"https://hooks.stripe.com/redirect/authenticate/src_{intent['id'][3:]}"
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": target}}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "source": intent["id"]}}
