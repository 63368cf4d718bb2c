"""Banks that take files: payment orders go out in one, and what became of them comes back in others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from app.domain.money import Money
from app.ports.outcome import Decline
from app.ports.payout import CreditReceipt, PayoutRequest, PayoutReturn, PayoutStatus


class FileUnreadable(Exception):
    """A file is not what it claims to be, or lacks something that we rely on; the message says what, and no values."""


class ReportKind(StrEnum):
    """What a file from the bank is."""

    STATUS = "status"  # what became of payment orders
    STATEMENT = "statement"  # what moved on our account


@dataclass(frozen=True, slots=True)
class PayoutReport:
    """What a file says about one payout of ours, found by our own id."""

    payout_id: str
    status: PayoutStatus
    provider_status: str
    amount: Money | None  # a status report need not repeat it
    decline: Decline | None = None
    returned: PayoutReturn | None = None


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What a status report says about every payout of one of our files that it does not name itself."""

    message_id: str  # ours, as it was given to `write`
    status: PayoutStatus
    provider_status: str
    decline: Decline | None = None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One booked line of the account: signed units, positive for money that came in."""

    reference: str  # the bank's own, unique on the account
    amount: Money
    payout_id: str | None
    booked_on: date
    account_last4: str = ""  # of the other side's account, if the bank says it


@dataclass(frozen=True, slots=True)
class BankReport:
    """A file from the bank, read. A statement says what stood on the account when it was made."""

    kind: ReportKind
    message_id: str
    created_at: datetime
    file: FileStatus | None = None
    payouts: tuple[PayoutReport, ...] = ()
    credits: tuple[CreditReceipt, ...] = ()
    lines: tuple[StatementLine, ...] = ()
    closing_balance: Money | None = None


class FileFormat(Protocol):
    """The form of a bank's files."""

    @property
    def provider(self) -> str:
        """The rail's name, as in the ledger: `sepa`."""
        ...

    def write(self, message_id: str, created_at: datetime, execute_on: date, payouts: Sequence[PayoutRequest]) -> bytes:
        """One payment order file; the same arguments give the same bytes. Raises ValueError for what cannot be said."""
        ...

    def read(self, data: bytes) -> BankReport:
        """Read a file of the bank's strictly; raises FileUnreadable."""
        ...


class FileChannel(Protocol):
    """The way to and from the bank. Every method may raise ProviderUnavailable."""

    async def put(self, name: str, data: bytes) -> None:
        """Hand a file over whole; a file of that name that was handed over before is not handed over again."""
        ...

    async def names(self) -> Sequence[str]:
        """The files that the bank has left for us, oldest first, those that we have read before included."""
        ...

    async def get(self, name: str) -> bytes:
        """The content of one of them."""
        ...
