"""Transactions and blocks as bytes: reading them strictly, and writing our own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

Outpoint = tuple[str, int]  # txid as people read it, and the number of the output

NULL_TXID = "00" * 32
NULL_VOUT = 0xFFFFFFFF
HEADER_SIZE = 80
WITNESS_SCALE = 4  # BIP-141: a byte outside the witness weighs four


class MalformedBytes(ValueError):
    """These bytes are no transaction or no block."""


class TxIn(NamedTuple):
    """What an input spends, and its unlocking script (empty for segwit)."""

    txid: str
    vout: int
    script: bytes
    sequence: int

    @property
    def outpoint(self) -> Outpoint:
        """The output that this input spends."""
        return (self.txid, self.vout)


class TxOut(NamedTuple):
    """Satoshi, and the script that guards them."""

    value: int
    script: bytes


@dataclass(frozen=True)
class Transaction:
    """A parsed transaction; both ids are written as people read them."""

    raw: bytes
    txid: str
    wtxid: str
    version: int
    inputs: tuple[TxIn, ...]
    outputs: tuple[TxOut, ...]
    witnesses: tuple[tuple[bytes, ...], ...]
    locktime: int
    weight: int

    @property
    def vsize(self) -> int:
        """Virtual size in bytes, which is what fees are paid for."""
        return -(-self.weight // WITNESS_SCALE)

    @property
    def is_coinbase(self) -> bool:
        """Whether this is the first transaction of a block, which spends nothing."""
        return self.inputs[0].outpoint == (NULL_TXID, NULL_VOUT)

    @cached_property
    def spends(self) -> tuple[Outpoint, ...]:
        """The outputs that it consumes; none for a coinbase."""
        return () if self.is_coinbase else tuple(each.outpoint for each in self.inputs)


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its place in the chain."""

    hash: str
    previous: str
    height: int
    time: int
    raw: bytes
    transactions: tuple[Transaction, ...]


def double_sha256(data: bytes) -> bytes:
    """Bitcoin's hash."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def shown(digest: bytes) -> str:
    """A hash as people read it: byte-reversed hex."""
    return digest[::-1].hex()


def stored(text: str) -> bytes:
    """A hash as it stands in the bytes; the reverse of `shown`."""
    return bytes.fromhex(text)[::-1]


class Reader:
    """A cursor over bytes; raises MalformedBytes where they end too early."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self.position + size
        if end > len(self.data):
            raise MalformedBytes("unexpected end of data")
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def integer(self, size: int) -> int:
        """An unsigned little-endian integer."""
        return int.from_bytes(self.take(size), "little")

    def count(self) -> int:
        """A compact size. Longer than necessary is refused, as in Core, else one transaction had several spellings."""
        first = self.integer(1)
        if first < 0xFD:
            return first
        size = 2 ** (first - 0xFC)
        value = self.integer(size)
        if value < (0xFD if size == 2 else 1 << 4 * size):
            raise MalformedBytes("non-canonical compact size")
        return value

    def string(self) -> bytes:
        """Bytes led by their length."""
        return self.take(self.count())

    def transaction(self) -> Transaction:
        """Read one transaction (BIP-144)."""
        start = self.position
        version = int.from_bytes(self.take(4), "little", signed=True)
        segwit = self.data[self.position : self.position + 1] == b"\x00"
        if segwit and self.take(2) != b"\x00\x01":
            raise MalformedBytes("no inputs, or an unknown flag")
        body = self.position
        inputs = tuple(
            TxIn(shown(self.take(32)), self.integer(4), self.string(), self.integer(4)) for _ in range(self.count())
        )
        outputs = tuple(
            TxOut(int.from_bytes(self.take(8), "little", signed=True), self.string()) for _ in range(self.count())
        )
        body_end = self.position
        witnesses: tuple[tuple[bytes, ...], ...] = ((),) * len(inputs)
        if segwit:
            witnesses = tuple(tuple(self.string() for _ in range(self.count())) for _ in inputs)
            if not any(witnesses):
                raise MalformedBytes("superfluous witness record")
        locktime = self.integer(4)
        if not inputs:
            raise MalformedBytes("no inputs")
        raw = self.data[start : self.position]
        base = raw[:4] + self.data[body:body_end] + raw[-4:] if segwit else raw
        return Transaction(
            raw=raw,
            txid=shown(double_sha256(base)),
            wtxid=shown(double_sha256(raw)),
            version=version,
            inputs=inputs,
            outputs=outputs,
            witnesses=witnesses,
            locktime=locktime,
            weight=(WITNESS_SCALE - 1) * len(base) + len(raw),
        )


def parse_transaction(raw: bytes) -> Transaction:
    """Read a transaction that must fill `raw` exactly; raises MalformedBytes."""
    reader = Reader(raw)
    transaction = reader.transaction()
    if reader.position != len(raw):
        raise MalformedBytes("bytes after the end")
    return transaction


def parse_block(raw: bytes, height: int) -> Block:
    """Read a block that stands at `height`; raises MalformedBytes."""
    reader = Reader(raw)
    header = reader.take(HEADER_SIZE)
    transactions = tuple(reader.transaction() for _ in range(reader.count()))
    return block_of(header, height, raw, transactions)


def block_of(header: bytes, height: int, raw: bytes, transactions: tuple[Transaction, ...]) -> Block:
    """Put a block together whose parts are known already."""
    time = int.from_bytes(header[68:72], "little")
    return Block(shown(double_sha256(header)), shown(header[4:36]), height, time, raw, transactions)


def compact(value: int) -> bytes:
    """Write a compact size."""
    if value < 0xFD:
        return value.to_bytes(1, "little")
    for marker, size in ((0xFD, 2), (0xFE, 4)):
        if value < 1 << 8 * size:
            return bytes([marker]) + value.to_bytes(size, "little")
    return b"\xff" + value.to_bytes(8, "little")


def counted(data: bytes) -> bytes:
    """Write bytes led by their length."""
    return compact(len(data)) + data


def build_transaction(inputs: Sequence[TxIn], outputs: Sequence[TxOut], witness: Sequence[bytes]) -> Transaction:
    """Write a version 2 transaction whose inputs all carry the same witness, which must not be empty."""
    stack = compact(len(witness)) + b"".join(counted(item) for item in witness)
    return parse_transaction(
        (2).to_bytes(4, "little")
        + b"\x00\x01"
        + compact(len(inputs))
        + b"".join(
            stored(each.txid)
            + each.vout.to_bytes(4, "little")
            + counted(each.script)
            + each.sequence.to_bytes(4, "little")
            for each in inputs
        )
        + compact(len(outputs))
        + b"".join(each.value.to_bytes(8, "little") + counted(each.script) for each in outputs)
        + stack * len(inputs)
        + bytes(4)
    )


def merkle_root(digests: Sequence[bytes]) -> bytes:
    """The root of Bitcoin's hash tree: an odd row repeats its last element."""
    row = list(digests)
    while len(row) > 1:
        if len(row) % 2:
            row.append(row[-1])
        row = [double_sha256(row[at] + row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
