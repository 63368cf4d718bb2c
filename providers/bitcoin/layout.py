"""Reading a serialised transaction, so that what we store and send is known from the bytes and not from a library."""

from __future__ import annotations

from dataclasses import dataclass

from providers.bitcoin.encoding import double_sha256
from providers.bitcoin.scripts import SCALE

_WITNESS_MARKER = b"\x00\x01"


@dataclass(frozen=True, slots=True)
class InputLayout:
    """One input: the coin it spends (txid as hex, output number), its script, sequence and witness."""

    txid: str
    vout: int
    script: bytes
    sequence: int
    witness: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TransactionLayout:
    """A transaction as its bytes say. Outputs are (script as hex, amount in satoshi)."""

    txid: str
    version: int
    inputs: tuple[InputLayout, ...]
    outputs: tuple[tuple[str, int], ...]
    locktime: int
    vsize: int


class _Reader:
    """A position in a byte string."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """The next bytes; raises ValueError at the end."""
        chunk = self.data[self.at : self.at + size]
        if len(chunk) != size:
            raise ValueError("transaction is cut short")
        self.at += size
        return chunk

    def number(self, size: int) -> int:
        """A little-endian number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def count(self) -> int:
        """Bitcoin's variable-length count."""
        first = self.number(1)
        return first if first < 0xFD else self.number(1 << (first - 0xFC))

    def chunk(self) -> bytes:
        """A byte string with its length in front."""
        return self.take(self.count())


def read_transaction(raw: bytes) -> TransactionLayout:
    """Read a transaction in the segwit serialisation (BIP-144) or the older one; raises ValueError."""
    reader = _Reader(raw)
    version = reader.number(4)
    has_witness = raw[4:6] == _WITNESS_MARKER
    if has_witness:
        reader.take(2)
    start = reader.at
    bare = [(reader.take(32)[::-1].hex(), reader.number(4), reader.chunk(), reader.number(4)) for _ in _times(reader)]
    outputs = tuple(_output(reader) for _ in _times(reader))
    end = reader.at
    witnesses = [tuple(reader.chunk() for _ in _times(reader)) if has_witness else () for _ in bare]
    locktime = reader.number(4)
    if reader.at != len(raw):
        raise ValueError("bytes left over after the transaction")
    stripped = raw[:4] + raw[start:end] + raw[-4:]
    weight = (SCALE - 1) * len(stripped) + len(raw)
    inputs = tuple(InputLayout(*fields, witness) for fields, witness in zip(bare, witnesses, strict=True))
    txid = double_sha256(stripped)[::-1].hex()
    return TransactionLayout(txid, version, inputs, outputs, locktime, -(-weight // SCALE))


def _times(reader: _Reader) -> range:
    return range(reader.count())


def _output(reader: _Reader) -> tuple[str, int]:
    amount = reader.number(8)
    return reader.chunk().hex(), amount
