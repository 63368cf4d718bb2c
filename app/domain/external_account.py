"""External accounts: where payouts may go. Their states, and the table that moves them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.domain.machine import Machine


class AccountType(StrEnum):
    """What an external account is."""

    BANK = "bank"
    WALLET = "wallet"


class BankScheme(StrEnum):
    """By which rules a bank account is named, and paid."""

    ACH = "ach"  # United States: routing number and account number
    SEPA = "sepa"  # IBAN


class AccountState(StrEnum):
    """Where an external account stands. Only a `verified` one is paid to."""

    NEW = "new"  # only inside the transaction that makes it
    PENDING = "pending"  # its checks passed; a person has still to look at it
    VERIFIED = "verified"
    REJECTED = "rejected"
    LOCKED = "locked"  # was verified, and is not to be paid for now
    CLOSED = "closed"


class AccountTrigger(StrEnum):
    """A fact that moves an external account."""

    CREATED = "created"
    VERIFIED = "verified"
    REJECTED = "rejected"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    CLOSED = "closed"


S = AccountState
T = AccountTrigger

EXTERNAL_ACCOUNT: Final[Machine[AccountState, AccountTrigger]] = Machine(
    "external_account",
    {
        (S.NEW, T.CREATED): S.PENDING,
        (S.NEW, T.VERIFIED): S.VERIFIED,
        (S.PENDING, T.VERIFIED): S.VERIFIED,
        (S.PENDING, T.REJECTED): S.REJECTED,
        (S.VERIFIED, T.REJECTED): S.REJECTED,
        (S.VERIFIED, T.LOCKED): S.LOCKED,
        (S.LOCKED, T.UNLOCKED): S.VERIFIED,
        (S.LOCKED, T.REJECTED): S.REJECTED,
        # A person may have been wrong.
        (S.REJECTED, T.VERIFIED): S.VERIFIED,
        **{(state, T.CLOSED): S.CLOSED for state in (S.PENDING, S.VERIFIED, S.REJECTED, S.LOCKED)},
    },
    noun="external account",
)


def event_of(trigger: AccountTrigger) -> str:
    """The event that a trigger emits: an unlocked account is a verified one again."""
    past = T.VERIFIED if trigger is T.UNLOCKED else trigger
    return f"external_account.{past.value}"
