"""What happens at Stripe without our asking: the customer pays, the bank disputes, a refund bounces."""

from __future__ import annotations

from collections.abc import Callable

from providers.sandbox.stripe.books import Books, Caller
from providers.sandbox.stripe.cards import BY_NUMBER
from providers.sandbox.stripe.disputes import Disputes
from providers.sandbox.stripe.endpoints import Endpoints
from providers.sandbox.stripe.errors import Document, Refusal, no_such
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
    ) -> None:
        self._books = books
        self._payments = payments
        self._refunds = refunds
        self._disputes = disputes
        self._endpoints = endpoints
        self._idempotency = idempotency

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

    def expire(self, payment_intent: str) -> Document:
        """Let an uncaptured authorisation run out."""
        caller, intent = self._find(payment_intent, "payment_intent")
        self._payments.expire(caller, intent)
        return visible(intent)

    def open_dispute(self, payment_intent: str, amount: int | None, reason: str) -> Document:
        """Charge a captured payment back, wholly or in part."""
        caller, intent = self._find(payment_intent, "payment_intent")
        paid = self._books.get(caller.account, intent["latest_charge"] or "", "charge", status=400)
        return visible(self._disputes.open(caller, paid, amount or paid["amount_captured"], reason))

    def close_dispute(self, payment_intent: str, *, won: bool) -> Document:
        """End the payment's newest dispute."""
        caller, _ = self._find(payment_intent, "payment_intent")
        opened = self._books.of_payment(payment_intent, "dispute")
        if not opened:
            raise no_such("dispute", payment_intent)
        self._disputes.close(caller, opened[-1], won=won)
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
