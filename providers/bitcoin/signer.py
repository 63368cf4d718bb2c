"""The seam at which bitcoinlib can be replaced: by another library, by a hardware module, by a signing service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from app.ports.chain import Address, Branch, CoinInput, Recipient
from providers.bitcoin.networks import BitcoinNetwork

VERSION: Final = 2
SEQUENCE: Final = 0xFFFFFFFD  # the fee can be raised later by a replacement (BIP-125)
SIGHASH_ALL: Final = b"\x01"  # the last byte of every signature: it covers all inputs and outputs


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction to be signed: these inputs, these outputs, in this order, VERSION, SEQUENCE, no lock time.

    `change` names the addresses of ours among the outputs, by their place in the wallet: the signer derives them anew.
    """

    inputs: tuple[CoinInput, ...]
    outputs: tuple[Recipient, ...]
    change: tuple[Address, ...] = ()


class Signer(Protocol):
    """Whoever holds the keys."""

    async def sign(self, draft: Draft) -> bytes:
        """The draft as a serialised transaction, every input signed over the whole of it (SIGHASH_ALL).

        Raises SigningRefused for what the signer's own policy forbids, ProviderUnavailable when it may be asked again.
        """
        ...


class Account(Protocol):
    """The addresses of one account: all that watching it needs."""

    @property
    def network(self) -> BitcoinNetwork:
        """Whose addresses they are."""
        ...

    def address(self, branch: Branch, index: int) -> Address:
        """The address at a place in the account; raises ValueError for an index below 0 or above 2^31 - 1."""
        ...
