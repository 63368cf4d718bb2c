"""A small card provider that keeps the truth about its payments."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.ports.errors import ProviderRejected, ProviderUnavailable
from app.ports.outcome import Outcome
from app.ports.payin import (
    DisputeReceipt,
    DisputeStatus,
    FraudWarning,
    PaymentReceipt,
    PaymentRequest,
    PaymentStatus,
    RefundReceipt,
    ReviewReceipt,
)

EUR = asset_by_id("EUR")


@dataclass(slots=True)
class CardTruth:
    """Implements PayinProvider and the protocols beside it over what it remembers."""

    provider: str = "stripe"
    payments: dict[str, PaymentReceipt] = field(default_factory=dict)
    refunds: dict[str, RefundReceipt] = field(default_factory=dict)
    disputes: dict[str, DisputeReceipt] = field(default_factory=dict)
    warnings: dict[str, FraudWarning] = field(default_factory=dict)
    reviews: dict[str, ReviewReceipt] = field(default_factory=dict)
    returned: list[tuple[str, int]] = field(default_factory=list)
    stored: dict[str, Exception] = field(default_factory=dict)  # what a key is answered with for ever
    keys: list[str] = field(default_factory=list)
    down: bool = False
    broken: Exception | None = None
    asked: int = 0

    def _reach(self, key: str | None = None) -> None:
        self.asked += 1
        if key is not None:
            self.keys.append(key)
            if key in self.stored:
                raise self.stored[key]
        if self.down:
            raise ProviderUnavailable(self.provider, "down")
        if self.broken is not None:
            raise self.broken

    def _payment(self, reference: str) -> PaymentReceipt:
        try:
            return self.payments[reference]
        except KeyError:
            raise ProviderRejected(self.provider, "no such payment", code="resource_missing") from None

    async def start(self, request: PaymentRequest) -> PaymentReceipt:
        self._reach(request.idempotency_key)
        for receipt in self.payments.values():
            if receipt.payment_id == request.payment_id:
                return receipt
        nothing = Money(0, request.amount.asset)
        receipt = PaymentReceipt(
            reference=f"pi_{len(self.payments) + 1}_{request.payment_id[-6:]}",
            payment_id=request.payment_id,
            order_id=request.order_id,
            status=PaymentStatus.AWAITING_CUSTOMER,
            provider_status="requires_payment_method",
            amount=request.amount,
            received=nothing,
            refunded=nothing,
        )
        self.payments[receipt.reference] = receipt
        return receipt

    def authorise(self, reference: str) -> None:
        """The customer pays."""
        self.payments[reference] = replace(self.payments[reference], status=PaymentStatus.AUTHORISED)

    def take(self, reference: str, units: int) -> PaymentReceipt:
        """The money is ours, less a fee that is known at once."""
        taken = replace(
            self.payments[reference], status=PaymentStatus.CAPTURED, received=Money(units, EUR), fee=Money(175, EUR)
        )
        self.payments[reference] = taken
        return taken

    async def capture(self, reference: str, amount: Money, *, key: str) -> PaymentReceipt:
        self._reach(key)
        if self._payment(reference).status is PaymentStatus.AUTHORISED:
            self.take(reference, amount.units)
        return self.payments[reference]

    async def cancel(self, reference: str, *, key: str) -> PaymentReceipt:
        self._reach(key)
        if self._payment(reference).status is not PaymentStatus.CAPTURED:
            self.payments[reference] = replace(self.payments[reference], status=PaymentStatus.CANCELED)
        return self.payments[reference]

    async def refund(
        self, reference: str, amount: Money, *, refund_id: str, order_id: str, key: str | None = None
    ) -> RefundReceipt:
        self._reach(key or refund_id)
        if refund_id not in self.refunds:
            self.refunds[refund_id] = RefundReceipt(f"re_{refund_id}", refund_id, reference, Outcome.PENDING, amount)
        return self.refunds[refund_id]

    def settle(self, refund_id: str, outcome: Outcome) -> None:
        """The refund reaches the customer, or does not."""
        self.refunds[refund_id] = replace(self.refunds[refund_id], outcome=outcome)

    def dispute(self, reference: str, payment: str, status: DisputeStatus, units: int, taken: int) -> None:
        """The customer's bank takes money back, or gives it back."""
        self.disputes[reference] = DisputeReceipt(
            reference,
            payment,
            status,
            status.value,
            "fraudulent",
            Money(units, EUR),
            Money(taken, EUR),
            Money(1500, EUR),
        )

    async def fetch(self, reference: str) -> PaymentReceipt:
        self._reach()
        return self._payment(reference)

    async def find_payment(self, payment_id: str, order_id: str) -> PaymentReceipt | None:
        self._reach()
        return next((receipt for receipt in self.payments.values() if receipt.payment_id == payment_id), None)

    async def find_refund(self, reference: str, refund_id: str) -> RefundReceipt | None:
        self._reach()
        return self.refunds.get(refund_id)

    async def fetch_refund(self, reference: str) -> RefundReceipt:
        self._reach()
        for made in self.refunds.values():
            if made.reference == reference:
                return made
        raise ProviderRejected(self.provider, "no such refund", code="resource_missing")

    def by_hand(self, payment: str, units: int, reference: str = "re_hand") -> RefundReceipt:
        """Somebody gives money back in the provider's own pages."""
        made = RefundReceipt(reference, None, payment, Outcome.SUCCEEDED, Money(units, EUR))
        self.refunds[reference] = made
        return made

    async def return_surplus(self, reference: str, amount: Money, *, key: str) -> str:
        self._reach(key)
        self.returned.append((reference, amount.units))
        paid = self._payment(reference)
        left = Money((paid.surplus or Money(0, EUR)).units - amount.units, EUR)
        self.payments[reference] = replace(paid, surplus=left)
        return f"re_{key}"

    async def opened_since(self, moment: datetime) -> list[tuple[str, str]]:
        self._reach()
        return [(reference, paid.payment_id) for reference, paid in self.payments.items() if paid.payment_id]

    async def fetch_warning(self, reference: str) -> FraudWarning:
        self._reach()
        return self.warnings[reference]

    async def fetch_review(self, reference: str) -> ReviewReceipt:
        self._reach()
        return self.reviews[reference]

    async def fetch_dispute(self, reference: str) -> DisputeReceipt:
        self._reach()
        return self.disputes[reference]
