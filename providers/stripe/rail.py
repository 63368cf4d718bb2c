"""The card rail over Stripe's PaymentIntents: authorise first, capture later, every request under a key of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import stripe
from stripe.params import PaymentIntentListParams, PaymentIntentListParamsCreated, RefundListParams
from ulid import ULID

from app.domain.money import Money
from app.ports.errors import ProviderRejected
from app.ports.payin import DisputeReceipt, PaymentReceipt, PaymentRequest, RefundReceipt
from providers.stripe.errors import PROVIDER, Malformed, translated
from providers.stripe.receipts import (
    dispute_receipt,
    json_object,
    payment_receipt,
    reference_and_metadata,
    refund_receipt,
)
from providers.stripe.transport import HttpxTransport
from providers.stripe.vocabulary import API_VERSION, currency_of

METHODS: dict[str, Literal["card"]] = {"card": "card"}  # our payment method -> Stripe's payment method type
PAGE = 100

# With every answer comes the newest charge and the line it made on our Stripe balance, which alone knows the fee.
_WHOLE = "latest_charge.balance_transaction"

# How far Stripe's clock and a late job may put a payment from the moment in its id: first where it nearly always is,
# then as far as it can be, for no request is repeated under its key after 23 hours.
_WINDOWS = (
    (timedelta(minutes=-5), timedelta(minutes=10)),
    (timedelta(hours=-24), timedelta(hours=48)),
)


@dataclass(frozen=True, slots=True)
class _Answer:
    document: object
    replayed: bool  # Stripe gave the answer that it had stored under the key, which may be old


class StripeRail:
    """Implements PayinProvider and PayinDisputes."""

    provider = PROVIDER

    def __init__(
        self, api_key: str, *, livemode: bool, api_base: str = "https://api.stripe.com", timeout: float = 20.0
    ) -> None:
        """`timeout` is in seconds. Raises ValueError when the key belongs to the other mode.

        The SDK's own retries are off: one call is one request, so that our jobs alone decide when to ask again, the
        time of a call is bounded by one timeout, and an error that Stripe stored under the key is not asked for twice.
        """
        if not api_key.startswith(("sk_live_", "rk_live_") if livemode else ("sk_test_", "rk_test_")):
            raise ValueError(f"the Stripe key is not one for {'live' if livemode else 'test'} mode")
        self._livemode = livemode
        self._http = HttpxTransport(timeout=timeout)
        client = stripe.StripeClient(
            api_key,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base},
            http_client=self._http,
            max_network_retries=0,
        )
        self._payments = client.v1.payment_intents
        self._refunds = client.v1.refunds
        self._disputes = client.v1.disputes

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close_async()

    async def start(self, request: PaymentRequest) -> PaymentReceipt:
        """Open a payment that the customer's browser completes; nothing is charged yet."""
        if request.method not in METHODS:
            raise ProviderRejected(PROVIDER, f"no payment method {request.method}", code="method_unsupported")
        answer = await self._ask(
            self._payments.create_async(
                {
                    "amount": request.amount.units,
                    "currency": _currency(request.amount),
                    "capture_method": "manual",
                    "allowed_payment_method_types": [METHODS[request.method]],
                    "metadata": {
                        **request.metadata,
                        "order_id": request.order_id,
                        "payment_id": request.payment_id,
                    },
                    "expand": [_WHOLE],
                },
                {"idempotency_key": request.payment_id},
            )
        )
        receipt = self._payment_from(answer.document)
        if receipt.payment_id != request.payment_id or receipt.amount != request.amount:
            raise translated(Malformed("another payment than the one asked for"), reading=False)
        return await self.fetch(receipt.reference) if answer.replayed else receipt

    async def capture(self, reference: str, amount: Money, *, key: str) -> PaymentReceipt:
        """Take the authorised money; a payment that cannot be captured now is returned as it is."""
        call = self._payments.capture_async(
            reference, {"amount_to_capture": amount.units, "expand": [_WHOLE]}, {"idempotency_key": key}
        )
        return await self._moved(reference, call)

    async def cancel(self, reference: str, *, key: str) -> PaymentReceipt:
        """Give up a payment that was not captured; one that cannot be cancelled any more is returned as it is."""
        call = self._payments.cancel_async(reference, {"expand": [_WHOLE]}, {"idempotency_key": key})
        return await self._moved(reference, call)

    async def refund(self, reference: str, amount: Money, *, refund_id: str, order_id: str) -> RefundReceipt:
        """Send captured money back; Stripe keeps its fee."""
        answer = await self._ask(
            self._refunds.create_async(
                {
                    "payment_intent": reference,
                    "amount": amount.units,
                    "metadata": {"refund_id": refund_id, "order_id": order_id},
                },
                {"idempotency_key": refund_id},
            )
        )
        receipt = self._refund_from(answer.document)
        if receipt.payment_reference != reference or receipt.refund_id != refund_id or receipt.amount != amount:
            raise translated(Malformed("another refund than the one asked for"), reading=False)
        return await self._fetch_refund(receipt.reference) if answer.replayed else receipt

    async def fetch(self, reference: str) -> PaymentReceipt:
        """Read the payment as it is now."""
        answer = await self._ask(self._payments.retrieve_async(reference, {"expand": [_WHOLE]}), reading=True)
        receipt = self._payment_from(answer.document)
        if receipt.reference != reference:
            raise translated(Malformed("another payment than the one asked for"), reading=False)
        return receipt

    async def fetch_dispute(self, reference: str) -> DisputeReceipt:
        """Read a dispute as it is now."""
        answer = await self._ask(self._disputes.retrieve_async(reference), reading=True)
        try:
            return dispute_receipt(json_object(answer.document, "dispute"))
        except Malformed as error:
            raise translated(error, reading=False) from error

    async def find_payment(self, payment_id: str, order_id: str) -> PaymentReceipt | None:
        """Look for the payment in Stripe's own list: its search is fast too, but up to a minute behind the truth."""
        for created in _windows(payment_id):
            cursor: str | None = None
            while True:
                params: PaymentIntentListParams = {"limit": PAGE}
                if created is not None:
                    params["created"] = created
                if cursor is not None:
                    params["starting_after"] = cursor
                items, more = await self._page(self._payments.list_async(params), "payment_intent")
                for reference, metadata in items:
                    if metadata.get("payment_id") == payment_id and metadata.get("order_id") == order_id:
                        return await self.fetch(reference)
                if not more:
                    break
                cursor = items[-1][0]
        return None

    async def find_refund(self, reference: str, refund_id: str) -> RefundReceipt | None:
        """Look through the payment's refunds."""
        cursor: str | None = None
        while True:
            params: RefundListParams = {"payment_intent": reference, "limit": PAGE}
            if cursor is not None:
                params["starting_after"] = cursor
            items, more = await self._page(self._refunds.list_async(params), "refund")
            for found, metadata in items:
                if metadata.get("refund_id") == refund_id:
                    return await self._fetch_refund(found)
            if not more:
                return None
            cursor = items[-1][0]

    async def _moved(self, reference: str, call: Awaitable[stripe.StripeObject]) -> PaymentReceipt:
        """The payment after a capture or a cancellation, or as it is when Stripe says that it cannot move so."""
        try:
            answer = await self._ask(call)
        except ProviderRejected as error:
            if not _cannot_move(error):
                raise
            return await self.fetch(reference)
        receipt = self._payment_from(answer.document)
        if receipt.reference != reference:
            raise translated(Malformed("another payment than the one asked for"), reading=False)
        return await self.fetch(reference) if answer.replayed else receipt

    async def _fetch_refund(self, reference: str) -> RefundReceipt:
        return self._refund_from((await self._ask(self._refunds.retrieve_async(reference), reading=True)).document)

    async def _page(
        self, call: Awaitable[stripe.StripeObject], kind: str
    ) -> tuple[list[tuple[str, Mapping[str, str]]], bool]:
        """One page of a list as (id, metadata), and whether there is more."""
        answer = await self._ask(call, reading=True)
        try:
            page = json_object(answer.document, "list")
            data, more = page.get("data"), page.get("has_more")
            if not isinstance(data, list) or not isinstance(more, bool) or (more and not data):
                raise Malformed("a list without data")
            return [reference_and_metadata(item, kind) for item in data], more
        except Malformed as error:
            raise translated(error, reading=False) from error

    async def _ask(self, call: Awaitable[stripe.StripeObject], *, reading: bool = False) -> _Answer:
        """Make one request; raises the port's errors and no others."""
        try:
            response = (await call).last_response
            # Typed as a base class that has no data; every answer that is not a stream has it.
            document = response.data if isinstance(response, stripe.StripeResponse) else None
            replayed = response is not None and response.headers.get("idempotent-replayed") == "true"
        except Exception as error:
            # Everything, for on a malformed answer the SDK stumbles with errors of its own kind (AttributeError).
            raise translated(error, reading=reading) from error
        return _Answer(document, replayed)

    def _payment_from(self, document: object) -> PaymentReceipt:
        try:
            receipt = payment_receipt(json_object(document, "payment_intent"))
            if receipt.livemode is not self._livemode:
                raise Malformed("a payment of the other mode")
        except Malformed as error:
            raise translated(error, reading=False) from error
        return receipt

    def _refund_from(self, document: object) -> RefundReceipt:
        try:
            return refund_receipt(json_object(document, "refund"))
        except Malformed as error:
            raise translated(error, reading=False) from error


def _cannot_move(error: ProviderRejected) -> bool:
    """Whether Stripe says that the payment is in another state, or that the card no longer gives the money."""
    codes = ("payment_intent_unexpected_state", "charge_already_captured", "charge_expired_for_capture")
    return error.code in codes or isinstance(error.__cause__, stripe.CardError)


def _currency(amount: Money) -> str:
    try:
        return currency_of(amount.asset)
    except KeyError:
        raise ProviderRejected(PROVIDER, f"no cards in {amount.asset.id}", code="currency_unsupported") from None


def _windows(payment_id: str) -> Iterator[PaymentIntentListParamsCreated | None]:
    """The ranges of creation times in which to look, from the moment that a ULID of ours carries."""
    try:
        born = ULID.from_str(payment_id.rpartition("_")[2]).datetime
    except ValueError:
        yield None  # not one of our ids: look at everything
        return
    for earliest, latest in _WINDOWS:
        yield {"gte": int((born + earliest).timestamp()), "lte": int((born + latest).timestamp())}
