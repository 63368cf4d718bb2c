"""Test mode's far side: making happen there what customers and miners do in the world."""

from __future__ import annotations

from typing import Protocol


class Simulator(Protocol):
    """Acts on the sandbox, never on our own tables. Every method may raise ProviderUnavailable or ProviderRejected."""

    async def pay(self, payment_reference: str, card: str) -> None:
        """Do what the customer's browser does with a test card."""
        ...

    async def mine(self, network: str, blocks: int) -> list[str]:
        """Mine so many blocks; their hashes."""
        ...

    async def deposit(self, network: str, address: str, units: int) -> str:
        """Send coins to an address; their transaction waits for a block then. Its id."""
        ...

    async def settle(self, payout_reference: str) -> None:
        """Let a bank payout settle now."""
        ...

    async def give_back(self, payout_reference: str, code: str) -> None:
        """Let the receiving bank send a payout back, under one of its scheme's codes."""
        ...
