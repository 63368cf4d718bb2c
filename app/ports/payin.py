"""Fiat coming in: what we ask of a card or bank rail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from app.domain.money import Money
from app.ports.outcome import Decline, Outcome


class PaymentStatus(StrEnum):
    """Where a payment stands at the provider, in our words."""

    AWAITING_CUSTOMER = "awaiting_customer"  # the customer has still to pay, or to try again
    AUTHENTICATING = "authenticating"  # 3-D Secure or the like is open
    PROCESSING = "processing"  # submitted; the provider does not know yet
    AUTHORISED = "authorised"  # held on the card, not ours yet
    CAPTURED = "captured"  # ours
    CANCELED = "canceled"  # ended for good with nothing taken
    UNKNOWN = "unknown"  # a word we do not know: change nothing, raise an alert


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment to start. `payment_id` is ours, and is the provider's idempotency key."""

    payment_id: str
    order_id: str
    amount: Money
    method: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaymentReceipt:
    """The provider's whole view of one payment at one moment."""

    reference: str  # the provider's id
    payment_id: str | None  # ours, read back from the provider's metadata
    order_id: str | None
    status: PaymentStatus
    provider_status: str  # the vendor's own word, for the record
    amount: Money  # what was asked
    received: Money  # what is ours now, before the provider's fee and before refunds
    refunded: Money
    fee: Money | None = None  # the provider's own fee, once it is known
    charge_reference: str | None = None  # the newest attempt; a new decline is a new fact
    decline: Decline | None = None  # why the newest attempt failed
    client_secret: str | None = field(
        default=None, repr=False
    )  # lets the customer's browser, and nobody else, finish the payment
    livemode: bool = False


@dataclass(frozen=True, slots=True)
class RefundReceipt:
    """The provider's view of one refund."""

    reference: str
    refund_id: str | None  # ours, read back from the provider's metadata
    payment_reference: str
    outcome: Outcome
    amount: Money
    decline: Decline | None = None


class DisputeStatus(StrEnum):
    """Where a dispute stands, in our words."""

    INQUIRY = "inquiry"  # a question; no money has moved
    OPEN = "open"  # the money is gone until somebody decides
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"  # ended without becoming a chargeback
    UNKNOWN = "unknown"  # a word we do not know: change nothing, raise an alert


@dataclass(frozen=True, slots=True)
class DisputeReceipt:
    """The provider's view of one dispute."""

    reference: str
    payment_reference: str
    status: DisputeStatus
    provider_status: str
    reason: str
    amount: Money  # what is disputed
    taken: Money  # what the provider holds back from us now, without its fee
    fee: Money  # what the provider charged for the dispute


class PayinRail(Protocol):
    """A way fiat comes in.

    Every method may raise ProviderUnavailable, OutcomeUnknown or ProviderRejected; a decline is a value.
    """

    @property
    def provider(self) -> str:
        """The vendor's name, as in the ledger: `stripe`."""
        ...

    async def start(self, request: PaymentRequest) -> PaymentReceipt:
        """Open the payment; repeating it with the same `payment_id` opens nothing new."""
        ...

    async def capture(self, reference: str, amount: Money, *, key: str) -> PaymentReceipt:
        """Take the authorised money."""
        ...

    async def cancel(self, reference: str, *, key: str) -> PaymentReceipt:
        """Give up a payment that was not captured; a payment that cannot be cancelled any more is returned as it is."""
        ...

    async def refund(self, reference: str, amount: Money, *, refund_id: str, order_id: str) -> RefundReceipt:
        """Send captured money back; `refund_id` is ours and is the provider's idempotency key."""
        ...

    async def fetch(self, reference: str) -> PaymentReceipt:
        """Read the payment as it is now."""
        ...


class PayinLookup(Protocol):
    """What ends an unknown outcome: finding our own ids at the source."""

    async def find_payment(self, payment_id: str, order_id: str) -> PaymentReceipt | None:
        """The payment that carries our id, or None when the provider has none."""
        ...

    async def find_refund(self, reference: str, refund_id: str) -> RefundReceipt | None:
        """The refund of the payment `reference` that carries our id, or None when the provider has none."""
        ...


@runtime_checkable
class PayinDisputes(Protocol):
    """Rails on which money can be taken back."""

    async def fetch_dispute(self, reference: str) -> DisputeReceipt:
        """Read a dispute as it is now."""
        ...


class PayinProvider(PayinRail, PayinLookup, Protocol):
    """A complete card or bank adapter."""
