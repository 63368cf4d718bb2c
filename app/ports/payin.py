"""Fiat coming in: what we ask of a card or bank rail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
    """A payment to start. `payment_id` is ours, and the provider's idempotency key unless `key` names another."""

    payment_id: str
    order_id: str
    amount: Money
    method: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    key: str = ""

    @property
    def idempotency_key(self) -> str:
        """Under which the provider is asked."""
        return self.key or self.payment_id


@dataclass(frozen=True, slots=True)
class NextAction:
    """What the customer has still to do.

    `three_ds`: pass the challenge with the provider's own script and the client secret. `redirect`: go to `url`.
    `bank_transfer`: send `remaining`, naming `reference`, to one of `accounts`, each as field names and texts.
    """

    type: str
    url: str | None = None
    remaining: Money | None = None
    reference: str | None = None
    accounts: tuple[Mapping[str, str], ...] = ()


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
    next_action: NextAction | None = None
    # What a transfer brought and the payment did not take: the customer's, and not in our balance at the provider.
    surplus: Money | None = None
    in_review: bool = False  # the provider wants a person to look before anything is delivered


@dataclass(frozen=True, slots=True)
class RefundReceipt:
    """The provider's view of one refund."""

    reference: str
    refund_id: str | None  # ours, read back from the provider's metadata
    payment_reference: str
    outcome: Outcome
    amount: Money
    decline: Decline | None = None
    unknown_status: str | None = None  # the vendor's word, when it is none that we know


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


@dataclass(frozen=True, slots=True)
class FraudWarning:
    """A card network's or issuer's suspicion, before any dispute."""

    reference: str
    payment_reference: str
    reason: str


class ReviewStatus(StrEnum):
    """Where a provider's own review of a payment stands, in our words."""

    OPEN = "open"
    APPROVED = "approved"
    CLOSED = "closed"  # for another reason: nothing that lets the order go on by itself
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReviewReceipt:
    """The provider's view of one review."""

    reference: str
    payment_reference: str
    status: ReviewStatus
    provider_status: str


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

    async def refund(
        self, reference: str, amount: Money, *, refund_id: str, order_id: str, key: str | None = None
    ) -> RefundReceipt:
        """Send captured money back; `refund_id` is ours and is the provider's idempotency key unless `key` is."""
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
class PayinRefunds(Protocol):
    """Rails on which money is also given back by others than us: in the provider's own pages, say."""

    async def fetch_refund(self, reference: str) -> RefundReceipt:
        """Read a refund as it is now."""
        ...


@runtime_checkable
class PayinRecent(Protocol):
    """Rails that can say what was opened with them lately."""

    async def opened_since(self, moment: datetime) -> Sequence[tuple[str, str]]:
        """Every payment that carries an id of ours, as (the provider's id, our payment id), newest first."""
        ...


@runtime_checkable
class PayinTransfers(Protocol):
    """Rails to which customers send money, and may send too much of it."""

    async def return_surplus(self, reference: str, amount: Money, *, key: str) -> str:
        """Send back what the payment did not take; the provider's id of that."""
        ...


@runtime_checkable
class PayinRisk(Protocol):
    """Rails that warn of fraud."""

    async def fetch_warning(self, reference: str) -> FraudWarning:
        """Read an early fraud warning."""
        ...

    async def fetch_review(self, reference: str) -> ReviewReceipt:
        """Read a review as it is now."""
        ...


@runtime_checkable
class PayinHealth(Protocol):
    """Rails that know when their provider is away."""

    def resumes_in(self) -> float:
        """For how many seconds the provider is left alone after failing again and again; zero when it is not."""
        ...


@runtime_checkable
class PayinDisputes(Protocol):
    """Rails on which money can be taken back."""

    async def fetch_dispute(self, reference: str) -> DisputeReceipt:
        """Read a dispute as it is now."""
        ...


class PayinProvider(PayinRail, PayinLookup, Protocol):
    """A complete card or bank adapter."""
