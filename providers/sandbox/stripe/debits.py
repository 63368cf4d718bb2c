"""Debits: a mandate, days in which nobody knows, and a bank that pays, or returns the payment, sooner or later."""

from __future__ import annotations

import time

from providers.sandbox.stripe.accounts_to_debit import DISPUTE_REASONS, BankAccount, why
from providers.sandbox.stripe.balance import Balance
from providers.sandbox.stripe.books import Books, Caller, new_id
from providers.sandbox.stripe.cards import BY_NAME, CardDecline
from providers.sandbox.stripe.disputes import Disputes
from providers.sandbox.stripe.errors import Document, Refusal, wrong_state
from providers.sandbox.stripe.events import Events
from providers.sandbox.stripe.objects import charge, mandate, visible

_CURRENCIES = {"us_bank_account": "usd", "sepa_debit": "eur"}


class Debits:
    """The life of a debit, from the mandate on."""

    def __init__(self, books: Books, events: Events, balance: Balance, disputes: Disputes) -> None:
        self._books = books
        self._events = events
        self._balance = balance
        self._disputes = disputes

    def authorise(self, caller: Caller, intent: Document, account: BankAccount) -> None:
        """The customer gives a mandate in the browser: the payment is on its way, and counted already."""
        if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
            raise wrong_state("This PaymentIntent cannot be confirmed.", visible(intent))
        if account.kind not in intent["payment_method_types"] or intent["currency"] != _CURRENCIES[account.kind]:
            raise Refusal("This PaymentIntent takes no such bank account.", code="payment_method_unsupported_type")
        given = mandate(account, new_id("pm"))
        paid = charge(intent, account) | {"paid": False, "status": "pending", "captured": True}
        paid |= {"id": new_id("py"), "amount_captured": intent["amount"], "payment_method": given["payment_method"]}
        paid["payment_method_details"][account.kind]["mandate"] = given["id"]
        paid["balance_transaction"] = self._balance.debit(caller, paid, account.kind)["id"]
        intent |= {
            "payment_method": given["payment_method"],
            "_card": account.name,
            "status": "processing",
            "next_action": None,
            "last_payment_error": None,
            "latest_charge": paid["id"],
        }
        self._books.add(caller.account, given)
        self._books.add(caller.account, paid)
        self._events.tell(caller, "charge.pending", paid)
        self._save(caller, intent, "payment_intent.processing")

    def settle(self, caller: Caller, intent: Document) -> None:
        """The bank answers: as the account does, which may be that it returns the payment at once."""
        account = BY_NAME[intent["_card"]]
        if account.decline is not None:
            self._fail(caller, intent, account.decline)
            return
        paid = self._books.get(caller.account, intent["latest_charge"], "charge")
        paid |= {"paid": True, "status": "succeeded"}
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        self._books.save(paid)
        self._events.tell(caller, "charge.succeeded", paid)
        self._save(caller, intent, "payment_intent.succeeded")
        if account.dispute is not None:
            self._take_back(caller, intent, paid, account.dispute)

    def give_back(self, caller: Caller, intent: Document, code: str) -> None:
        """The bank returns the payment under a code: before it has succeeded it fails, afterwards it is disputed."""
        reason = why(code)
        if intent["status"] == "processing":
            self._fail(caller, intent, reason)
        elif intent["status"] == "succeeded":
            paid = self._books.get(caller.account, intent["latest_charge"], "charge")
            self._take_back(caller, intent, paid, DISPUTE_REASONS.get(reason.code, "bank_cannot_process"))
        else:
            raise wrong_state("There is nothing to return.", visible(intent))
        if reason.code == "debit_not_authorized":
            self._end_mandate(caller, intent)

    def _fail(self, caller: Caller, intent: Document, reason: CardDecline) -> None:
        paid = self._books.get(caller.account, intent["latest_charge"], "charge")
        back = self._balance.debit_failed(caller, paid)
        paid |= {
            "status": "failed",
            "captured": False,
            "amount_captured": 0,
            "failure_code": reason.code,
            "failure_message": reason.message,
            "failure_balance_transaction": back["id"],
        }
        kind = BY_NAME[intent["_card"]].kind
        error: Document = {"code": reason.code, "message": reason.message, "type": "invalid_request_error"}
        error |= {"charge": paid["id"], "payment_method": {"id": intent["payment_method"], "type": kind}}
        intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": error}
        self._books.save(paid)
        self._events.tell(caller, "charge.failed", paid)
        self._save(caller, intent, "payment_intent.payment_failed")

    def _take_back(self, caller: Caller, intent: Document, paid: Document, reason: str) -> None:
        """There is nothing to contest: a dispute of a debit is lost when it is opened."""
        opened = self._disputes.open(caller, paid, paid["amount_captured"], reason)
        self._disputes.close(caller, opened, "lost")

    def _end_mandate(self, caller: Caller, intent: Document) -> None:
        for given in self._books.all(caller.account, "mandate"):
            paid = self._books.get(caller.account, intent["latest_charge"], "charge")
            if given["payment_method"] == paid["payment_method"]:
                given["status"] = "inactive"
                self._books.save(given)
                self._events.tell(caller, "mandate.updated", given)

    def _save(self, caller: Caller, intent: Document, kind: str) -> None:
        intent["_changed"] = int(time.time())
        self._books.save(intent)
        self._events.tell(caller, kind, intent)
