"""Test mode's far side: making happen there what customers and miners do in the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """What the customer's browser is told at once of a card; `code` says why it was declined."""

    status: Literal["succeeded", "requires_action", "declined", "processing"]
    code: str | None = None


class Simulator(Protocol):
    """Acts on the sandbox, never on our own tables. Every method may raise ProviderUnavailable or ProviderRejected."""

    async def pay(self, payment_reference: str, card: str) -> CardAnswer:
        """Do what the customer's browser does with a test card."""
        ...

    async def mine(self, network: str, blocks: int) -> list[str]:
        """Mine so many blocks; their hashes."""
        ...

    async def deposit(self, network: str, address: str, units: int) -> str:
        """Send coins to an address; their transaction waits for a block then. Its id."""
        ...

    async def authenticate(self, payment_reference: str, *, succeeded: bool) -> CardAnswer:
        """End the customer's 3-D Secure challenge."""
        ...

    async def dispute(self, payment_reference: str, *, units: int | None, outcome: str | None) -> None:
        """Charge a payment back, wholly or in part; with an `outcome`, end the dispute so."""
        ...

    async def debit(self, payment_reference: str, account: str) -> None:
        """Give a mandate for a test bank account, as the customer does in the browser."""
        ...

    async def settle_debit(self, payment_reference: str) -> None:
        """Let the customer's bank answer: pay, or return the debit, as the account does."""
        ...

    async def return_debit(self, payment_reference: str, code: str) -> None:
        """Let the customer's bank return a debit under a code of its scheme, at any time."""
        ...

    async def transfer(self, payment_reference: str, units: int) -> None:
        """Let a bank transfer arrive where the payment's instructions say."""
        ...

    async def settle(self, payout_reference: str) -> None:
        """Let a bank payout settle now."""
        ...

    async def give_back(self, payout_reference: str, code: str) -> None:
        """Let the receiving bank send a payout back, under one of its scheme's codes."""
        ...
