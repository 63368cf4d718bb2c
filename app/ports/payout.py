"""Fiat going out: what we ask of a bank rail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.ports.outcome import Decline


class PayoutStatus(StrEnum):
    """Where a payout stands at the bank, in our words."""

    PENDING = "pending"  # taken on; the bank may still refuse it
    SUBMITTED = "submitted"  # on its way through the scheme
    SETTLED = "settled"  # the bank says that it is done; it may still come back
    FAILED = "failed"  # never left, or was refused; the money is ours
    CANCELED = "canceled"  # called off before it left
    RETURNED = "returned"  # came back from the receiving bank
    UNKNOWN = "unknown"  # a word we do not know: change nothing, raise an alert


@dataclass(frozen=True, slots=True)
class BankDetails:
    """Whose account, and where. An IBAN for SEPA; routing and account number for the others."""

    holder_name: str
    iban: str = field(default="", repr=False)
    routing_number: str = ""
    account_number: str = field(default="", repr=False)
    checking: bool = True  # ACH asks whether it is a checking or a savings account


@dataclass(frozen=True, slots=True)
class PayoutRequest:
    """A payout to make. `payout_id` is ours, and is the bank's idempotency key and what it is found by."""

    payout_id: str
    method: PayoutMethod
    amount: Money
    account: BankDetails
    reference: str  # what the receiver reads on the statement


@dataclass(frozen=True, slots=True)
class PayoutReturn:
    """A payout that came back: the scheme's own code (`R01`, `AC04`), in our words and the bank's, and when."""

    code: str
    scheme_code: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PayoutReceipt:
    """The bank's whole view of one payout at one moment."""

    reference: str  # the bank's id
    payout_id: str | None  # ours, read back from the bank
    method: PayoutMethod
    status: PayoutStatus
    provider_status: str  # the bank's own word, for the record
    amount: Money
    decline: Decline | None = None  # why it failed
    returned: PayoutReturn | None = None
    # A notification of change: the receiving bank asks for other details next time. Codes only (`C01`).
    corrections: tuple[str, ...] = ()


class PayoutRail(Protocol):
    """A way fiat goes out.

    Every method may raise ProviderUnavailable, OutcomeUnknown or ProviderRejected; a refusal of the payout is a value.
    """

    @property
    def provider(self) -> str:
        """The vendor's name, as in the ledger: `increase`."""
        ...

    @property
    def methods(self) -> frozenset[PayoutMethod]:
        """How this rail can pay out."""
        ...

    async def send(self, request: PayoutRequest) -> PayoutReceipt:
        """Pay out; repeating it with the same `payout_id` pays nothing new."""
        ...

    async def fetch(self, reference: str) -> PayoutReceipt:
        """Read a payout as it is now."""
        ...

    async def find(self, payout_id: str, method: PayoutMethod) -> PayoutReceipt | None:
        """The payout that carries our id, or None when the bank has none. What ends an unknown outcome."""
        ...


class CreditStatus(StrEnum):
    """Where an inbound transfer stands."""

    PENDING = "pending"  # announced, not ours yet
    CREDITED = "credited"
    REVERSED = "reversed"  # taken back, or sent back by us
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CreditReceipt:
    """Money that came in to a bank account of ours by itself."""

    reference: str  # the bank's id
    status: CreditStatus
    provider_status: str
    amount: Money
    account_reference: str | None  # which of our numbers it came to, by the bank's id
    sender_name: str
    message: str  # what the sender wrote
    at: datetime


@dataclass(frozen=True, slots=True)
class FundingAccount:
    """A number that a partner can send money to. `reference` is the bank's id of it."""

    reference: str
    holder_name: str
    bank_name: str
    routing_number: str = ""
    account_number: str = field(default="", repr=False)
    iban: str = field(default="", repr=False)


class CreditSource(Protocol):
    """A bank at which money comes in. Every method may raise ProviderUnavailable, OutcomeUnknown, ProviderRejected."""

    @property
    def provider(self) -> str:
        """The vendor's name, as in the ledger."""
        ...

    async def open_account(self, key: str, name: str) -> FundingAccount:
        """Open a number for one partner; repeating it with the same `key` opens nothing new."""
        ...

    async def fetch_credit(self, reference: str) -> CreditReceipt:
        """Read an inbound transfer as it is now."""
        ...

    async def credits_since(self, moment: datetime) -> Sequence[CreditReceipt]:
        """Every inbound transfer from a moment on: what a notification that never came would have told."""
        ...


class BankRail(PayoutRail, CreditSource, Protocol):
    """A complete bank adapter."""
