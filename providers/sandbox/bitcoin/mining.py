"""Building a block that Core accepts: its coinbase, its commitments, its (trivial) proof of work."""

from __future__ import annotations

import os
from collections.abc import Container, Sequence

from providers.sandbox.bitcoin.mempool import Entry, Mempool
from providers.sandbox.bitcoin.serialise import (
    NULL_TXID,
    NULL_VOUT,
    Block,
    Transaction,
    TxIn,
    TxOut,
    block_of,
    build_transaction,
    compact,
    counted,
    double_sha256,
    merkle_root,
    stored,
)

COIN = 100_000_000  # satoshi
HALVING = 150  # blocks, on regtest
MAX_BLOCK_WEIGHT = 4_000_000
_RESERVED_WEIGHT = 8_000  # for the header and the coinbase, as Core's own miner reserves it
_VERSION = 0x20000000
_EASIEST_TARGET = 0x207FFFFF
_COMMITMENT = b"\x6a\x24\xaa\x21\xa9\xed"  # OP_RETURN and the mark of BIP-141
_EXTRANONCE_SIZE = 8


def subsidy(height: int) -> int:
    """What a block may create, in satoshi."""
    return 50 * COIN >> height // HALVING


def choose(mempool: Mempool, least_rate: int = 0) -> list[Entry]:
    """The waiting transactions that fit into one block, first come, first served, parents before children.

    Only those that pay `least_rate` satoshi per 1,000 virtual bytes, together with all that they stand upon: a child
    pays for its parent, as in Core's miner.
    """
    chosen: dict[str, Entry] = {}
    room = MAX_BLOCK_WEIGHT - _RESERVED_WEIGHT
    for entry in mempool.entries.values():
        family = _with_parents(mempool, entry, chosen)
        fee, vsize = sum(each.fee for each in family), sum(each.transaction.vsize for each in family)
        weight = sum(each.transaction.weight for each in family)
        if fee * 1_000 < least_rate * vsize:
            continue
        if weight > room:
            break
        room -= weight
        chosen |= {each.transaction.txid: each for each in family}
    return list(chosen.values())


def _with_parents(mempool: Mempool, entry: Entry, chosen: Container[str]) -> list[Entry]:
    """A transaction after all that it stands upon, but for those that are chosen already."""
    if entry.transaction.txid in chosen:
        return []
    wanted = mempool.ancestors(entry.transaction) | {entry.transaction.txid}
    return [each for txid, each in mempool.entries.items() if txid in wanted and txid not in chosen]


def assemble(parent: Block, *, time: int, script: bytes, entries: Sequence[Entry]) -> Block:
    """Build the block upon `parent` that pays subsidy and fees to `script`."""
    height = parent.height + 1
    transactions = [entry.transaction for entry in entries]
    reward = subsidy(height) + sum(entry.fee for entry in entries)
    coinbase = _coinbase(height, TxOut(reward, script), transactions)
    transactions.insert(0, coinbase)
    unsolved = (
        _VERSION.to_bytes(4, "little")
        + stored(parent.hash)
        + merkle_root([stored(each.txid) for each in transactions])
        + time.to_bytes(4, "little")
        + _EASIEST_TARGET.to_bytes(4, "little")
    )
    header = _solve(unsolved)
    raw = header + compact(len(transactions)) + b"".join(each.raw for each in transactions)
    return block_of(header, height, raw, tuple(transactions))


def _coinbase(height: int, reward: TxOut, transactions: Sequence[Transaction]) -> Transaction:
    """The transaction that creates coins. It is random: else mining again after `invalidateblock`, to the same
    script and within the same second, would make the very block that was refused."""
    witness_root = merkle_root([bytes(32), *(stored(each.wtxid) for each in transactions)])
    commitment = TxOut(0, _COMMITMENT + double_sha256(witness_root + bytes(32)))
    script = _height_script(height) + counted(os.urandom(_EXTRANONCE_SIZE))
    spends_nothing = TxIn(NULL_TXID, NULL_VOUT, script, 0xFFFFFFFF)
    return build_transaction([spends_nothing], [reward, commitment], witness=[bytes(32)])


def _height_script(height: int) -> bytes:
    """The height as BIP-34 wants it: OP_1 to OP_16, beyond that a signed number."""
    if height <= 16:
        return bytes([0x50 + height])
    return counted(height.to_bytes(height.bit_length() // 8 + 1, "little"))


def _solve(unsolved: bytes) -> bytes:
    """Add the first nonce whose hash meets regtest's target: every second one does."""
    nonce = 0
    while True:
        header = unsolved + nonce.to_bytes(4, "little")
        if double_sha256(header)[31] < 0x7F:
            return header
        nonce += 1
