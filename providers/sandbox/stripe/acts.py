"""What happens at Stripe without our asking: the customer pays, the bank disputes, a refund bounces."""

from __future__ import annotations

import time
from collections.abc import Callable

from providers.sandbox.stripe.accounts_to_debit import BANK_ACCOUNTS
from providers.sandbox.stripe.balance import Balance
from providers.sandbox.stripe.books import Books, Caller, new_id
from providers.sandbox.stripe.cards import BY_NUMBER
from providers.sandbox.stripe.disputes import Disputes
from providers.sandbox.stripe.endpoints import Endpoints
from providers.sandbox.stripe.errors import Document, Refusal, no_such
from providers.sandbox.stripe.events import Events
from providers.sandbox.stripe.idempotency import Idempotency
from providers.sandbox.stripe.objects import visible
from providers.sandbox.stripe.payments import Payments
from providers.sandbox.stripe.refunds import Refunds

Act = Callable[[], Document]


class Acts:
    """Each act names only the object; the account is the one in whose books it stands. Refusals are raised."""

    def __init__(
        self,
        books: Books,
        payments: Payments,
        refunds: Refunds,
        disputes: Disputes,
        endpoints: Endpoints,
        idempotency: Idempotency,
        balance: Balance,
        events: Events,
    ) -> None:
        self._books = books
        self._payments = payments
        self._refunds = refunds
        self._disputes = disputes
        self._endpoints = endpoints
        self._idempotency = idempotency
        self._balance = balance
        self._events = events

    def pay(self, payment_intent: str, number: str, *, hold: bool) -> Document:
        """Confirm with a test card; any other number is refused with 400."""
        caller, intent = self._find(payment_intent, "payment_intent")
        card = BY_NUMBER.get(number.replace(" ", ""))
        if card is None:
            raise Refusal("This is not one of the published test cards.", code="invalid_number", param="card")
        if hold:
            self._payments.process(caller, intent, card)
        else:
            self._payments.confirm(caller, intent, card)
        return visible(intent)

    def authenticate(self, payment_intent: str, *, succeeded: bool) -> Document:
        """Pass or fail the open challenge."""
        caller, intent = self._find(payment_intent, "payment_intent")
        self._payments.authenticate(caller, intent, succeeded=succeeded)
        return visible(intent)

    def settle(self, payment_intent: str) -> Document:
        """End the processing of a payment as its card says."""
        caller, intent = self._find(payment_intent, "payment_intent")
        self._payments.settle(caller, intent)
        return visible(intent)

    def debit(self, payment_intent: str, number: str) -> Document:
        """Give a mandate for a test bank account; any other number is refused with 400."""
        caller, intent = self._find(payment_intent, "payment_intent")
        account = BANK_ACCOUNTS.get(number.replace(" ", ""))
        if account is None:
            raise Refusal("This is not one of the published test accounts.", code="account_number_invalid")
        self._payments.debits.authorise(caller, intent, account)
        return visible(intent)

    def give_back(self, payment_intent: str, code: str) -> Document:
        """Let the customer's bank return a debit under one of its scheme's codes, at any time."""
        caller, intent = self._find(payment_intent, "payment_intent")
        self._payments.debits.give_back(caller, intent, code)
        return visible(intent)

    def transfer(self, payment_intent: str, amount: int) -> Document:
        """Let money arrive where the payment's instructions say."""
        caller, intent = self._find(payment_intent, "payment_intent")
        self._payments.transfers.receive(caller, intent, amount)
        return visible(intent)

    def review(self, payment_intent: str, reason: str | None) -> Document:
        """Open a review of a payment, or close the open one."""
        caller, intent = self._find(payment_intent, "payment_intent")
        if reason is None:
            return visible(self._disputes.review(caller, intent))
        opened = self._books.get(caller.account, intent["review"] or "", "review", status=400)
        self._disputes.end_review(caller, opened, reason)
        return visible(opened)

    def warn(self, payment_intent: str) -> Document:
        """Pass on an issuer's suspicion."""
        caller, intent = self._find(payment_intent, "payment_intent")
        self._disputes.warn(caller, self._books.get(caller.account, intent["latest_charge"] or "", "charge"))
        return visible(intent)

    def duplicate(self, payment_intent: str, number: str) -> Document:
        """Carry out a request twice, as only a broken processor would: a second payment, paid as well."""
        caller, intent = self._find(payment_intent, "payment_intent")
        same = {name: intent[name] for name in ("capture_method", "metadata", "payment_method_types", "description")}
        twin = self._payments.create(caller, intent["amount"], intent["currency"], **same)
        self._payments.confirm(caller, twin, BY_NUMBER[number])
        if twin["status"] == "requires_capture":
            self._payments.capture(caller, twin, None)
        return visible(twin)

    def settle_refund(self, refund: str, status: str) -> Document:
        """Let a refund that waits go on."""
        caller, made = self._find(refund, "refund")
        self._refunds.settle(caller, made, status)
        return visible(made)

    def line(self, account: str, kind: str, amount: int, currency: str, fee: int) -> Document:
        """Change the account's balance for a reason that is no payment's: a payout, a fee, a reserve."""
        caller = Caller(account)
        source: Document = {"id": new_id("po" if kind.startswith("payout") else "src"), "currency": currency}
        if kind == "payout":
            source |= {"object": "payout", "created": int(time.time()), "amount": -amount, "status": "paid"}
            self._books.add(account, source)
            self._events.tell(caller, "payout.paid", source)
        return visible(self._balance.other(caller, source, kind, amount, fee, kind))

    def expire(self, payment_intent: str) -> Document:
        """Let an uncaptured authorisation run out."""
        caller, intent = self._find(payment_intent, "payment_intent")
        self._payments.expire(caller, intent)
        return visible(intent)

    def open_dispute(self, payment_intent: str, amount: int | None, reason: str, *, inquiry: bool) -> Document:
        """Charge a captured payment back, wholly or in part; or only ask about it."""
        caller, intent = self._find(payment_intent, "payment_intent")
        paid = self._books.get(caller.account, intent["latest_charge"] or "", "charge", status=400)
        open_it = self._disputes.inquire if inquiry else self._disputes.open
        return visible(open_it(caller, paid, amount or paid["amount_captured"], reason))

    def close_dispute(self, payment_intent: str, outcome: str) -> Document:
        """End the payment's newest dispute."""
        caller, _ = self._find(payment_intent, "payment_intent")
        opened = self._books.of_payment(payment_intent, "dispute")
        if not opened:
            raise no_such("dispute", payment_intent)
        self._disputes.close(caller, opened[-1], outcome)
        return visible(opened[-1])

    def fail_refund(self, refund: str, reason: str) -> Document:
        """Let an accepted refund fail."""
        caller, made = self._find(refund, "refund")
        self._refunds.fail(caller, made, reason)
        return visible(made)

    def roll_secret(self, endpoint: str) -> Document:
        """Replace a webhook secret."""
        caller, _ = self._find(endpoint, "webhook_endpoint")
        return {"secret": self._endpoints.roll(caller, endpoint)}

    def forget_keys(self, account: str) -> int:
        """Forget an account's idempotency keys, as if a day had passed."""
        return self._idempotency.forget(account)

    def _find(self, reference: str, noun: str) -> tuple[Caller, Document]:
        account = self._books.owner_of(reference)
        if account is None:
            raise no_such(noun, reference, status=404)
        return Caller(account), self._books.get(account, reference, noun)
