"""The seam at which bitcoinlib can be replaced: by another library, by a hardware module, by a signing service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from app.ports.chain import CoinInput, Recipient

VERSION: Final = 2
SEQUENCE: Final = 0xFFFFFFFD  # the fee can be raised later by a replacement (BIP-125)
SIGHASH_ALL: Final = b"\x01"  # the last byte of every signature: it covers all inputs and outputs


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction to be signed: these inputs, these outputs, in this order, VERSION, SEQUENCE, no lock time."""

    inputs: tuple[CoinInput, ...]
    outputs: tuple[Recipient, ...]


class Signer(Protocol):
    """Whoever holds the keys."""

    def sign(self, draft: Draft) -> bytes:
        """The draft as a serialised transaction, every input signed over the whole of it (SIGHASH_ALL)."""
        ...
