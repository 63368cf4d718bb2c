"""The far side's own records: what an auditor holds against our books. Nothing here moves anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.domain.money import Asset, Money
from app.domain.payout import PayoutMethod
from app.ports.account_chain import CallReceipt, Nonces
from app.ports.chain import BlockId, ChainTransaction
from app.ports.payout import CreditReceipt


class LineKind(StrEnum):
    """Why a provider's balance changed, in our words."""

    CHARGE = "charge"
    CHARGE_FAILED = "charge_failed"  # money of a payment that had been counted already, and was never paid
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    DISPUTE = "dispute"
    DISPUTE_REVERSED = "dispute_reversed"
    PAYOUT = "payout"  # on its way to our bank
    PAYOUT_FAILED = "payout_failed"
    FEE = "fee"  # a fee of its own, of no payment
    TOP_UP = "top_up"
    RESERVE = "reserve"  # set aside by the provider, or given free again
    OTHER = "other"  # nothing that we can explain


@dataclass(frozen=True, slots=True)
class PayinLine:
    """One line of our balance at a provider. `amount` is signed as the provider signs it, before its `fee`."""

    reference: str
    kind: LineKind
    amount: Money
    fee: int  # units that the provider keeps, not below zero
    payment_reference: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PayinPayment:
    """One payment at a provider, with the ids of ours that it carries."""

    reference: str
    payment_id: str | None
    order_id: str | None
    canceled: bool


@dataclass(frozen=True, slots=True)
class PayinCharge:
    """Money taken from a customer; authorisations that took nothing are not among these."""

    reference: str
    payment_reference: str | None
    amount: Money
    at: datetime  # when the money moved


@dataclass(frozen=True, slots=True)
class PayinRefund:
    """Money sent back to a customer. `stands` is False once it failed or was called off."""

    reference: str
    refund_id: str | None
    payment_reference: str | None
    amount: Money
    stands: bool


@dataclass(frozen=True, slots=True)
class PayinBooks:
    """All that a provider knows of us. Everything a line refers to was read after the line."""

    lines: tuple[PayinLine, ...]
    charges: tuple[PayinCharge, ...]
    refunds: tuple[PayinRefund, ...]
    payments: tuple[PayinPayment, ...]


class PayinStatement(Protocol):
    """What a provider says of our balance with it, since a moment."""

    async def lines_since(self, moment: datetime) -> Sequence[PayinLine]:
        """Every line from `moment` on that is of no payment, newest first; raises ProviderUnavailable."""
        ...

    async def balances(self) -> Sequence[Money]:
        """What stands with the provider now, by currency, what is not to be paid out yet included."""
        ...


class PayinRecords(Protocol):
    """A card or bank provider's own books."""

    async def read(self) -> PayinBooks:
        """Read them whole; raises ProviderUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class BankTransfer:
    """Money that we sent from a bank account. `stands` says that it left and did not come back."""

    reference: str
    payout_id: str | None  # ours, as the bank kept it
    method: PayoutMethod
    amount: Money
    stands: bool
    returned: bool
    account_last4: str  # of the receiving account, for comparison


@dataclass(frozen=True, slots=True)
class BankLine:
    """One line of an account. `amount` is negative when money left; `about` is the transfer or credit behind it."""

    reference: str
    amount: Money
    at: datetime
    about: str | None


@dataclass(frozen=True, slots=True)
class BankBooks:
    """All that a bank knows of one account of ours. `balance` is the bank's own figure, not our sum of the lines."""

    transfers: tuple[BankTransfer, ...]
    credits: tuple[CreditReceipt, ...]
    lines: tuple[BankLine, ...]
    balance: Money


class BankRecords(Protocol):
    """A bank's own books."""

    async def read(self) -> BankBooks:
        """Read them whole; raises ProviderUnavailable."""
        ...


class ChainMovedError(Exception):
    """The chain was reorganised while it was read: ask again."""


@dataclass(frozen=True, slots=True)
class ChainCoins:
    """What a set of scripts holds at one block, by the node's own set of unspent outputs."""

    at: BlockId
    units: int


class ChainRecords(Protocol):
    """A node's own view of the chain. Scripts are lower-case hex, amounts whole units."""

    async def coins(self, scripts: Sequence[str]) -> ChainCoins:
        """What these scripts hold at the newest block; raises ProviderUnavailable."""
        ...

    async def history(self, scripts: Sequence[str], tip: BlockId) -> tuple[ChainTransaction, ...]:
        """Every mined transaction up to `tip` that pays one of the scripts or spends from one, oldest first.

        Raises ChainMovedError when `tip` is not, or no longer, part of the chain; ProviderUnavailable.
        """
        ...


class AccountRecords(Protocol):
    """A node's own view of an account chain: the part of `account_chain.AccountReader` that an auditor needs."""

    async def receipt(self, txid: str) -> tuple[BlockId, CallReceipt] | None:
        """A transaction as it is mined now, and where; None when it is in no block."""
        ...

    async def nonces(self, script: str) -> Nonces:
        """Where an account's nonces stand."""
        ...

    async def balances(self, holders: Sequence[tuple[str, Asset]], at: BlockId) -> list[int]:
        """What accounts (script, asset) hold after a block, asked by its hash; ChainMovedError when it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it arrived at a provider."""

    at: datetime
    method: str
    path: str
    key: str | None  # the idempotency key that it carried
    status: int | None


class RequestRecords(Protocol):
    """A log, kept outside our program, of the requests that it sent."""

    async def requests(self) -> Sequence[SeenRequest]:
        """Every request, oldest first; raises ProviderUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event as a subscriber got it. `verified` says that its signature held there."""

    event_id: str
    resource_id: str
    resource_sequence: int
    verified: bool


@dataclass(frozen=True, slots=True)
class FarSide:
    """Whom an auditor can ask: providers and networks by name, and what subscribers have kept, by endpoint id."""

    payins: Mapping[str, PayinRecords] = field(default_factory=dict)
    banks: Mapping[str, BankRecords] = field(default_factory=dict)
    chains: Mapping[str, ChainRecords] = field(default_factory=dict)
    accounts: Mapping[str, AccountRecords] = field(default_factory=dict)
    requests: Mapping[str, RequestRecords] = field(default_factory=dict)
    received: Mapping[str, Sequence[ReceivedEvent]] | None = None
