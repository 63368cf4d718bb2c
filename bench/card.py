"""A card rail that answers in process: what is left is our own cost."""

from __future__ import annotations

from app.domain.assets import EUR
from app.domain.money import Money
from app.ports.payin import PaymentReceipt, PaymentRequest, PaymentStatus, RefundReceipt


class InstantCard:
    """Implements PayinProvider; every payment awaits its customer for ever."""

    provider = "stripe"

    async def start(self, request: PaymentRequest) -> PaymentReceipt:
        """Open it."""
        return self.receipt(f"pi_{request.payment_id}", PaymentStatus.AWAITING_CUSTOMER, request.amount)

    async def capture(self, reference: str, amount: Money, *, key: str) -> PaymentReceipt:
        """Take it."""
        return self.receipt(reference, PaymentStatus.CAPTURED, amount)

    async def cancel(self, reference: str, *, key: str) -> PaymentReceipt:
        """Let it go."""
        return self.receipt(reference, PaymentStatus.CANCELED, Money(1, EUR))

    async def fetch(self, reference: str) -> PaymentReceipt:
        """Read it."""
        return self.receipt(reference, PaymentStatus.AWAITING_CUSTOMER, Money(1, EUR))

    async def find_payment(self, payment_id: str, order_id: str) -> PaymentReceipt | None:
        """Nothing is ever lost here."""
        return None

    async def find_refund(self, reference: str, refund_id: str) -> RefundReceipt | None:
        """Nothing is ever refunded here."""
        return None

    async def refund(self, reference: str, amount: Money, *, refund_id: str, order_id: str) -> RefundReceipt:
        """Not measured."""
        raise NotImplementedError

    @staticmethod
    def receipt(reference: str, status: PaymentStatus, amount: Money) -> PaymentReceipt:
        """How a payment stands."""
        received = amount if status is PaymentStatus.CAPTURED else Money(0, amount.asset)
        return PaymentReceipt(
            reference=reference, payment_id=None, order_id=None, status=status, provider_status=status.value,
            amount=amount, received=received, refunded=Money(0, amount.asset), fee=Money(0, amount.asset),
            client_secret="secret",  # noqa: S106
        )  # fmt: skip
