"""Chargebacks and early fraud warnings, which banks raise and the sandbox raises when it is told to."""

from __future__ import annotations

import time

from providers.sandbox.stripe.balance import Balance
from providers.sandbox.stripe.books import Books, Caller, new_id
from providers.sandbox.stripe.errors import Document, Refusal
from providers.sandbox.stripe.events import Events
from providers.sandbox.stripe.objects import dispute, review


class Disputes:
    """The life of a dispute."""

    def __init__(self, books: Books, events: Events, balance: Balance) -> None:
        self._books = books
        self._events = events
        self._balance = balance

    def inquire(self, caller: Caller, paid: Document, amount: int, reason: str) -> Document:
        """The bank only asks; no money moves."""
        opened = dispute(paid, amount, reason) | {"status": "warning_needs_response", "is_charge_refundable": True}
        self._books.add(caller.account, opened)
        self._events.tell(caller, "charge.dispute.created", opened)
        return opened

    def open(self, caller: Caller, paid: Document, amount: int, reason: str) -> Document:
        """Open a dispute over a captured charge and take the money with the fee."""
        if not paid["captured"] or paid["disputed"]:
            raise Refusal(f"Charge {paid['id']} cannot be disputed.", code="charge_not_disputable")
        opened = dispute(paid, amount, reason)
        opened["balance_transactions"] = [self._balance.dispute(caller, opened)]
        paid["disputed"] = True
        self._books.save(paid)
        self._books.add(caller.account, opened)
        self._events.tell(caller, "charge.dispute.created", opened)
        self._events.tell(caller, "charge.dispute.funds_withdrawn", opened)
        return opened

    def close(self, caller: Caller, opened: Document, outcome: str) -> None:
        """End a dispute; a won one gives the money back. An inquiry ends as `warning_closed` or `prevented`."""
        if opened["status"] not in ("needs_response", "warning_needs_response"):
            raise Refusal(f"Dispute {opened['id']} is already closed.", code="dispute_closed")
        opened["status"], won = outcome, outcome == "won"
        if won:
            opened["balance_transactions"].append(self._balance.dispute_reversal(caller, opened))
        self._books.save(opened)
        self._events.tell(caller, "charge.dispute.closed", opened)
        if won:
            self._events.tell(caller, "charge.dispute.funds_reinstated", opened)

    def warn(self, caller: Caller, paid: Document) -> None:
        """Pass on the issuer's suspicion of fraud."""
        warning: Document = {
            "id": new_id("issfr"),
            "object": "radar.early_fraud_warning",
            "actionable": True,
            "charge": paid["id"],
            "created": int(time.time()),
            "fraud_type": "misc",
            "livemode": False,
            "payment_intent": paid["payment_intent"],
        }
        self._books.add(caller.account, warning)
        self._events.tell(caller, "radar.early_fraud_warning.created", warning)

    def review(self, caller: Caller, intent: Document) -> Document:
        """A rule of the account's wants a person to look at the payment."""
        opened = review(intent)
        intent["review"] = opened["id"]
        self._books.save(intent)
        self._books.add(caller.account, opened)
        self._events.tell(caller, "review.opened", opened)
        return opened

    def end_review(self, caller: Caller, opened: Document, reason: str) -> None:
        """Somebody has looked."""
        opened |= {"open": False, "closed_reason": reason, "reason": reason}
        self._books.save(opened)
        self._events.tell(caller, "review.closed", opened)
