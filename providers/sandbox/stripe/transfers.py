"""Bank transfers: a customer's account number, the money that arrives there, and what it pays for."""

from __future__ import annotations

import time

from providers.sandbox.stripe.balance import Balance
from providers.sandbox.stripe.books import Books, Caller, new_id, token
from providers.sandbox.stripe.cards import TRANSFER
from providers.sandbox.stripe.errors import Document, Refusal, invalid, no_such
from providers.sandbox.stripe.events import Events
from providers.sandbox.stripe.objects import charge, funding_instructions, refund


class Transfers:
    """Customers, their cash balances, and the payments that are waiting for them."""

    def __init__(self, books: Books, events: Events, balance: Balance) -> None:
        self._books = books
        self._events = events
        self._balance = balance

    def customer(self, caller: Caller, metadata: dict[str, str]) -> Document:
        """POST /v1/customers: somebody who can be sent to."""
        now = int(time.time())
        made: Document = {"id": new_id("cus"), "object": "customer", "created": now, "livemode": False}
        made |= {"email": None, "name": None, "metadata": metadata}
        cash: Document = {"id": f"cash_{made['id']}", "object": "cash_balance", "created": now, "livemode": False}
        cash |= {"customer": made["id"], "available": {}}
        cash["settings"] = {"reconciliation_mode": "automatic", "using_merchant_default": True}
        self._books.add(caller.account, made)
        self._books.add(caller.account, cash)
        self._events.tell(caller, "customer.created", made)
        return made

    def cash(self, caller: Caller, customer: str) -> Document:
        """GET /v1/customers/:id/cash_balance"""
        return self._books.get(caller.account, f"cash_{customer}", "cash_balance", param="customer")

    def await_money(self, caller: Caller, intent: Document, account: str, country: str | None) -> None:
        """Confirm a payment that a transfer pays: say where to, and take what is there already."""
        intent |= {"status": "requires_action", "_funded": 0, "_account": account, "_reference": token(12).upper()}
        intent |= {"payment_method": new_id("pm"), "_country": country or "DE", "_card": TRANSFER.name}
        intent["next_action"] = funding_instructions(intent, intent["amount"])
        self._books.save(intent)
        self._events.tell(caller, "payment_intent.requires_action", intent)
        self._apply(caller, intent)

    def receive(self, caller: Caller, intent: Document, amount: int) -> None:
        """Money arrives at the account of the payment's customer."""
        if intent["customer"] is None:
            raise no_such("customer", "of this payment")
        self._move(caller, intent["customer"], intent["currency"], amount, "funded")
        self._apply(caller, intent)

    def let_go(self, caller: Caller, intent: Document) -> None:
        """A canceled payment gives back what it had taken from the balance."""
        funded = intent.get("_funded", 0)
        if funded and intent["status"] != "succeeded":
            intent["_funded"] = 0
            self._books.save(intent)
            self._move(caller, intent["customer"], intent["currency"], funded, "unapplied_from_payment")

    def refund(
        self, caller: Caller, customer: str, amount: int | None, currency: str, metadata: dict[str, str]
    ) -> Document:
        """POST /v1/refunds with origin=customer_balance: what no payment took goes back to who sent it."""
        there = self.cash(caller, customer)["available"].get(currency, 0)
        if amount is None or amount < 1:
            raise invalid("This value must be greater than or equal to 1.", "amount")
        if amount > there:
            raise Refusal("The customer's cash balance is insufficient.", code="balance_insufficient")
        paid: Document = {"id": None, "currency": currency, "payment_intent": None}
        made = refund(paid, amount, metadata=metadata, status="pending")
        made["destination_details"] = {"type": "us_bank_transfer"}
        self._books.add(caller.account, made)
        self._move(caller, customer, currency, -amount, "return_initiated")
        self._events.tell(caller, "refund.created", made)
        return made

    def _apply(self, caller: Caller, intent: Document) -> None:
        """Automatic reconciliation: the balance pays for what is open."""
        if intent["status"] != "requires_action":
            return
        there = self.cash(caller, intent["customer"])["available"].get(intent["currency"], 0)
        taken = min(there, intent["amount"] - intent["_funded"])
        if not taken:
            return
        intent["_funded"] += taken
        self._move(caller, intent["customer"], intent["currency"], -taken, "applied_to_payment")
        remaining = intent["amount"] - intent["_funded"]
        if remaining:
            intent["next_action"] = funding_instructions(intent, remaining)
            self._books.save(intent)
            self._events.tell(caller, "payment_intent.partially_funded", intent)
            return
        paid = charge(intent, TRANSFER) | {"id": new_id("py"), "captured": True, "amount_captured": intent["amount"]}
        paid["balance_transaction"] = self._balance.debit(caller, paid, TRANSFER.kind)["id"]
        intent |= {"status": "succeeded", "next_action": None, "amount_received": intent["amount"]}
        intent["latest_charge"] = paid["id"]
        self._books.add(caller.account, paid)
        self._books.save(intent)
        self._events.tell(caller, "charge.succeeded", paid)
        self._events.tell(caller, "payment_intent.succeeded", intent)

    def _move(self, caller: Caller, customer: str, currency: str, amount: int, kind: str) -> None:
        cash = self.cash(caller, customer)
        cash["available"][currency] = cash["available"].get(currency, 0) + amount
        self._books.save(cash)
        line: Document = {
            "id": new_id("ccsbtxn"),
            "object": "customer_cash_balance_transaction",
            "created": int(time.time()),
            "currency": currency,
            "customer": customer,
            "ending_balance": cash["available"][currency],
            "livemode": False,
            "net_amount": amount,
            "type": kind,
        }
        self._books.add(caller.account, line)
        self._events.tell(caller, "customer_cash_balance_transaction.created", line)
