"""Finding our own ids at Stripe, in its lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from stripe.params import PaymentIntentListParams, PaymentIntentListParamsCreated, RefundListParams
from ulid import ULID

from app.ports.errors import ProviderRejected
from providers.stripe.calls import StripeCalls
from providers.stripe.errors import PROVIDER

_PAGE: Final = 100
# How far Stripe's clock and a late job may put a payment from the moment in its id: first where it nearly always is,
# then as far as it can be, for no request is repeated under its key after 23 hours.
_WINDOWS: Final = (
    (timedelta(minutes=-5), timedelta(minutes=10)),
    (timedelta(hours=-24), timedelta(hours=48)),
)


class Lookup:
    """Stripe's lists of payments and refunds, read by the metadata that we wrote."""

    def __init__(self, calls: StripeCalls) -> None:
        self._calls = calls
        self._payments = calls.v1.payment_intents
        self._refunds = calls.v1.refunds

    async def payment(self, payment_id: str, order_id: str) -> str | None:
        """Stripe's id of the payment that carries both of our ids."""
        for created in _windows(payment_id):
            async for reference, metadata in self._all(created):
                if metadata.get("payment_id") == payment_id and metadata.get("order_id") == order_id:
                    return reference
        return None

    async def opened_since(self, moment: datetime) -> list[tuple[str, str]]:
        """Every payment since `moment` that carries an id of ours."""
        created: PaymentIntentListParamsCreated = {"gte": int(moment.timestamp())}
        return [
            (reference, metadata["payment_id"])
            async for reference, metadata in self._all(created)
            if "payment_id" in metadata
        ]

    async def of_customer(self, customer: str) -> str:
        """Stripe's id of the one payment that a customer was made for; raises ProviderRejected when there is none."""
        items, _ = await self._calls.page(
            lambda: self._payments.list_async({"customer": customer, "limit": 1}), "payment_intent"
        )
        if not items:
            raise ProviderRejected(PROVIDER, "this customer has no payment", code="resource_missing")
        return items[0][0]

    async def refund(self, payment: str, refund_id: str) -> str | None:
        """Stripe's id of the payment's refund that carries our id."""
        params: RefundListParams = {"payment_intent": payment, "limit": _PAGE}
        while True:
            items, more = await self._calls.page(lambda: self._refunds.list_async(params), "refund")
            for found, metadata in items:
                if metadata.get("refund_id") == refund_id:
                    return found
            if not more:
                return None
            params["starting_after"] = items[-1][0]

    async def _all(
        self, created: PaymentIntentListParamsCreated | None
    ) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        params: PaymentIntentListParams = {"limit": _PAGE}
        if created is not None:
            params["created"] = created
        while True:
            items, more = await self._calls.page(lambda: self._payments.list_async(params), "payment_intent")
            for item in items:
                yield item
            if not more:
                return
            params["starting_after"] = items[-1][0]


def _windows(payment_id: str) -> Iterator[PaymentIntentListParamsCreated | None]:
    """The ranges of creation times in which to look, from the moment that a ULID of ours carries."""
    try:
        born = ULID.from_str(payment_id.rpartition("_")[2]).datetime
    except ValueError:
        yield None  # not one of our ids: look at everything
        return
    for earliest, latest in _WINDOWS:
        yield {"gte": int((born + earliest).timestamp()), "lte": int((born + latest).timestamp())}
