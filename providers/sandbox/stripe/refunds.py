"""Refunds: money that goes back to the card, and sometimes comes back from there."""

from __future__ import annotations

from collections.abc import Mapping

from providers.sandbox.stripe.balance import Balance
from providers.sandbox.stripe.books import Books, Caller
from providers.sandbox.stripe.cards import BY_NAME, TRANSFER
from providers.sandbox.stripe.errors import Document, Refusal, invalid
from providers.sandbox.stripe.events import Events
from providers.sandbox.stripe.objects import refund


class Refunds:
    """The life of a refund."""

    def __init__(self, books: Books, events: Events, balance: Balance) -> None:
        self._books = books
        self._events = events
        self._balance = balance

    def create(
        self, caller: Caller, paid: Document, amount: int | None, reason: str | None, metadata: Mapping[str, str]
    ) -> Document:
        """Send back `amount`, or all that is left."""
        left = paid["amount_captured"] - paid["amount_refunded"]
        if not paid["captured"]:
            raise Refusal(f"Charge {paid['id']} was not captured; cancel its payment.", code="charge_not_refundable")
        if paid["disputed"]:
            raise Refusal(f"Charge {paid['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
        if left == 0:
            raise Refusal(f"Charge {paid['id']} has already been refunded.", code="charge_already_refunded")
        sent = left if amount is None else amount
        if sent < 1:
            raise invalid("This value must be greater than or equal to 1.", "amount")
        if sent > left:
            raise Refusal(
                f"Refund amount ({sent}) is greater than unrefunded amount on charge ({left})", param="amount"
            )
        if paid["status"] != "succeeded":
            raise Refusal(f"Charge {paid['id']} has not succeeded.", code="charge_not_refundable")
        card = TRANSFER if paid["_card"] == TRANSFER.name else BY_NAME[paid["_card"]]
        made = refund(paid, sent, reason=reason, metadata=dict(metadata), status=card.refund_begins)
        made["balance_transaction"] = self._balance.refund(caller, made)["id"]
        self._books.add(caller.account, made)
        self._returned(paid, sent)
        self._events.tell(caller, "refund.created", made)
        self._events.tell(caller, "charge.refunded", paid)
        answer = dict(made)
        # Stripe's two cards for refunds that change later change them at once here, after the answer was fixed.
        if card.refund_ends == "failed":
            self.fail(caller, made, "expired_or_canceled_card")
        elif card.refund_begins == "pending" and card.kind == "card":
            made["status"] = "succeeded"
            self._changed(caller, made)
        return answer

    def fail(self, caller: Caller, made: Document, reason: str) -> None:
        """Let an accepted refund fail: the money returns to our balance."""
        if made["status"] in ("failed", "canceled"):
            raise Refusal(f"Refund {made['id']} has already failed.", code="refund_failed")
        paid = self._books.get(caller.account, made["charge"], "charge")
        self._returned(paid, -made["amount"])
        made |= {"status": "failed", "failure_reason": reason}
        made["failure_balance_transaction"] = self._balance.refund_failure(caller, made)["id"]
        self._changed(caller, made)
        self._events.tell(caller, "refund.failed", made)

    def settle(self, caller: Caller, made: Document, status: str) -> None:
        """How a refund goes on: it arrives, waits for the customer, or is called off."""
        if made["status"] not in ("pending", "requires_action"):
            raise Refusal(f"Refund {made['id']} has ended.", code="refund_failed")
        if status == "canceled":
            paid = self._books.get(caller.account, made["charge"], "charge")
            self._returned(paid, -made["amount"])
            made["failure_balance_transaction"] = self._balance.refund_failure(caller, made)["id"]
        made["status"] = status
        self._changed(caller, made)

    def _changed(self, caller: Caller, made: Document) -> None:
        self._books.save(made)
        self._events.tell(caller, "refund.updated", made)
        self._events.tell(caller, "charge.refund.updated", made)

    def _returned(self, paid: Document, amount: int) -> None:
        paid["amount_refunded"] += amount
        paid["refunded"] = paid["amount_refunded"] == paid["amount_captured"]
        self._books.save(paid)
