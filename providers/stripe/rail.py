"""The rail over PaymentIntents: cards authorised first and captured later, debits and transfers as they come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

import stripe

from app.domain.money import Money
from app.ports.errors import ProviderRejected
from app.ports.payin import (
    DisputeReceipt,
    FraudWarning,
    PaymentReceipt,
    PaymentRequest,
    RefundReceipt,
    ReviewReceipt,
)
from providers.stripe.calls import StripeCalls, json_object_in, read
from providers.stripe.errors import PROVIDER, Malformed, translated
from providers.stripe.fields import Json, json_object, reference_in
from providers.stripe.lookup import Lookup
from providers.stripe.opening import TRANSFER, WHOLE, parameters
from providers.stripe.receipts import (
    dispute_receipt,
    payment_receipt,
    refund_receipt,
    review_receipt,
    surplus_in,
    warning_receipt,
)
from providers.stripe.vocabulary import currency_of


class StripeRail:
    """Implements PayinProvider and every other protocol of `app.ports.payin`."""

    provider = PROVIDER

    def __init__(
        self,
        api_key: str,
        *,
        livemode: bool,
        api_base: str = "https://api.stripe.com",
        account: str | None = None,
        transfer_country: str = "DE",
        timeout: float = 20.0,
    ) -> None:
        """`timeout` is in seconds; `transfer_country` is where euros are sent to: DE, FR, IE or NL.

        `account` is a connected account for which every call is made. Raises ValueError when the key belongs to the
        other mode.
        """
        calls = StripeCalls(api_key, livemode=livemode, api_base=api_base, account=account, timeout=timeout)
        self._calls = calls
        self._livemode = livemode
        self._country = transfer_country
        self._lookup = Lookup(calls)
        client = calls.v1
        self._payments = client.payment_intents
        self._customers = client.customers
        self._refunds = client.refunds
        self._disputes = client.disputes
        self._warnings = client.radar.early_fraud_warnings
        self._reviews = client.reviews

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    def resumes_in(self) -> float:
        """For how many seconds Stripe is left alone after failing again and again; zero when it is not."""
        return self._calls.resumes_in()

    async def start(self, request: PaymentRequest) -> PaymentReceipt:
        """Open a payment that the customer completes, in the browser or at a bank; nothing is charged yet."""
        key, customer = request.idempotency_key, None
        if request.method == TRANSFER:
            # One customer for each payment: whatever is sent to its account can pay for nothing else.
            customer = await self._customer(request, f"{key}:customer")
        asked = parameters(request, customer, self._country)
        answer = await self._calls.ask(lambda: self._payments.create_async(asked, {"idempotency_key": key}))
        receipt = await self._payment_from(answer.document)
        if receipt.payment_id != request.payment_id or receipt.amount != request.amount:
            raise translated(Malformed("another payment than the one asked for"), reading=False)
        return await self.fetch(receipt.reference) if answer.replayed else receipt

    async def _customer(self, request: PaymentRequest, key: str) -> str:
        metadata = {"order_id": request.order_id, "payment_id": request.payment_id}
        answer = await self._calls.ask(
            lambda: self._customers.create_async({"metadata": metadata}, {"idempotency_key": key})
        )
        found = reference_in(json_object_in(answer, "customer"))
        if found is None:
            raise translated(Malformed("a customer without an id"), reading=False)
        return found

    async def capture(self, reference: str, amount: Money, *, key: str) -> PaymentReceipt:
        """Take the authorised money; a payment that cannot be captured now is returned as it is."""
        return await self._moved(
            reference,
            lambda: self._payments.capture_async(
                reference, {"amount_to_capture": amount.units, "expand": WHOLE}, {"idempotency_key": key}
            ),
        )

    async def cancel(self, reference: str, *, key: str) -> PaymentReceipt:
        """Give up a payment that was not captured; one that cannot be cancelled any more is returned as it is."""
        return await self._moved(
            reference, lambda: self._payments.cancel_async(reference, {"expand": WHOLE}, {"idempotency_key": key})
        )

    async def refund(
        self, reference: str, amount: Money, *, refund_id: str, order_id: str, key: str | None = None
    ) -> RefundReceipt:
        """Send captured money back; Stripe keeps its fee."""
        answer = await self._calls.ask(
            lambda: self._refunds.create_async(
                {
                    "payment_intent": reference,
                    "amount": amount.units,
                    "metadata": {"refund_id": refund_id, "order_id": order_id},
                },
                {"idempotency_key": key or refund_id},
            )
        )
        receipt = read(answer, "refund", refund_receipt)
        if receipt.payment_reference != reference or receipt.refund_id != refund_id or receipt.amount != amount:
            raise translated(Malformed("another refund than the one asked for"), reading=False)
        return await self.fetch_refund(receipt.reference) if answer.replayed else receipt

    async def return_surplus(self, reference: str, amount: Money, *, key: str) -> str:
        """Send back what stands on the balance of the payment's customer; Stripe's id of that."""
        payment = await self._document(reference)
        customer = reference_in(payment.get("customer"))
        if customer is None:
            raise ProviderRejected(PROVIDER, "this payment has no customer's balance", code="no_surplus")
        answer = await self._calls.ask(
            lambda: self._refunds.create_async(
                {
                    "origin": "customer_balance",
                    "customer": customer,
                    "amount": amount.units,
                    "currency": currency_of(amount.asset),
                    "metadata": {"return_id": key},
                },
                {"idempotency_key": key},
            )
        )
        return str(json_object_in(answer, "refund").get("id"))

    async def fetch(self, reference: str) -> PaymentReceipt:
        """Read the payment as it is now; it is known by its customer's id, too, where it has one to itself."""
        if reference.startswith("cus_"):
            reference = await self._lookup.of_customer(reference)
        receipt = await self._payment_from(await self._document(reference))
        if receipt.reference != reference:
            raise translated(Malformed("another payment than the one asked for"), reading=False)
        return receipt

    async def fetch_refund(self, reference: str) -> RefundReceipt:
        """Read a refund as it is now."""
        answer = await self._calls.ask(lambda: self._refunds.retrieve_async(reference), reading=True)
        return read(answer, "refund", refund_receipt)

    async def fetch_dispute(self, reference: str) -> DisputeReceipt:
        """Read a dispute as it is now."""
        answer = await self._calls.ask(lambda: self._disputes.retrieve_async(reference), reading=True)
        return read(answer, "dispute", dispute_receipt)

    async def fetch_warning(self, reference: str) -> FraudWarning:
        """Read an early fraud warning."""
        answer = await self._calls.ask(lambda: self._warnings.retrieve_async(reference), reading=True)
        return read(answer, "radar.early_fraud_warning", warning_receipt)

    async def fetch_review(self, reference: str) -> ReviewReceipt:
        """Read a review as it is now."""
        answer = await self._calls.ask(lambda: self._reviews.retrieve_async(reference), reading=True)
        return read(answer, "review", review_receipt)

    async def find_payment(self, payment_id: str, order_id: str) -> PaymentReceipt | None:
        """Look for the payment in Stripe's own list: its search is fast too, but up to a minute behind the truth."""
        reference = await self._lookup.payment(payment_id, order_id)
        return None if reference is None else await self.fetch(reference)

    async def find_refund(self, reference: str, refund_id: str) -> RefundReceipt | None:
        """Look through the payment's refunds."""
        found = await self._lookup.refund(reference, refund_id)
        return None if found is None else await self.fetch_refund(found)

    async def opened_since(self, moment: datetime) -> Sequence[tuple[str, str]]:
        """Every payment that carries an id of ours, as (Stripe's id, our payment id), newest first."""
        return await self._lookup.opened_since(moment)

    async def _moved(self, reference: str, call: Callable[[], Awaitable[stripe.StripeObject]]) -> PaymentReceipt:
        """The payment after a capture or a cancellation, or as it is when Stripe says that it cannot move so."""
        try:
            answer = await self._calls.ask(call)
        except ProviderRejected as error:
            if not _cannot_move(error):
                raise
            return await self.fetch(reference)
        receipt = await self._payment_from(answer.document)
        if receipt.reference != reference:
            raise translated(Malformed("another payment than the one asked for"), reading=False)
        return await self.fetch(reference) if answer.replayed else receipt

    async def _document(self, reference: str) -> Json:
        answer = await self._calls.ask(
            lambda: self._payments.retrieve_async(reference, {"expand": WHOLE}), reading=True
        )
        return json_object_in(answer, "payment_intent")

    async def _payment_from(self, document: object) -> PaymentReceipt:
        """The receipt, with what stands on the customer's balance where a transfer pays."""
        try:
            whole = json_object(document, "payment_intent")
            receipt = payment_receipt(whole)
            if receipt.livemode is not self._livemode:
                raise Malformed("a payment of the other mode")
            customer = reference_in(whole.get("customer"))
        except Malformed as error:
            raise translated(error, reading=False) from error
        return receipt if customer is None else await self._with_surplus(receipt, customer)

    async def _with_surplus(self, receipt: PaymentReceipt, customer: str) -> PaymentReceipt:
        answer = await self._calls.ask(lambda: self._customers.cash_balance.retrieve_async(customer), reading=True)
        try:
            balance = json_object(answer.document, "cash_balance")
            return replace(receipt, surplus=surplus_in(balance, receipt.amount.asset))
        except Malformed as error:
            raise translated(error, reading=False) from error


def _cannot_move(error: ProviderRejected) -> bool:
    """Whether Stripe says that the payment is in another state, or that the card no longer gives the money."""
    codes = ("payment_intent_unexpected_state", "charge_already_captured", "charge_expired_for_capture")
    return error.code in codes or isinstance(error.__cause__, stripe.CardError)
