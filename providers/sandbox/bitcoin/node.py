"""The node: one regtest chain on disk, one mempool, one miner. Called from one thread; every call runs to its end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from providers.sandbox.bitcoin import faucet
from providers.sandbox.bitcoin.address import script_of
from providers.sandbox.bitcoin.blocklog import BlockLog, Kind
from providers.sandbox.bitcoin.errors import INVALID_PARAMETER, MISC, MISSING_OR_SPENT, RpcError
from providers.sandbox.bitcoin.keeper import KernelKeeper
from providers.sandbox.bitcoin.mempool import Entry, Mempool, decode
from providers.sandbox.bitcoin.mining import assemble, choose
from providers.sandbox.bitcoin.serialise import Block, Transaction, TxOut, shown, stored
from providers.sandbox.bitcoin.view import GENESIS, ChainView

CHECKPOINT_EVERY = 500  # blocks
DEFAULT_FEE_RATE = 5_000  # satoshi per 1,000 virtual bytes


class Node:
    """A regtest chain that Core's consensus code validates.

    A block is acknowledged only once the log holds it; the mempool lives in memory only. Every method that makes
    blocks raises OSError when the log cannot be written; from then on it makes no more until it is opened again.
    """

    def __init__(self, home: Path, *, checkpoint_every: int = CHECKPOINT_EVERY) -> None:
        """Use `Node.open`, which also prepares a new chain."""
        home.mkdir(parents=True, exist_ok=True)
        self.view = ChainView()
        self.mempool = Mempool(self.view)
        # What `estimatesmartfee` answers, in satoshi per 1,000 virtual bytes; None: not enough data, like a young Core.
        self.fee_rate: int | None = DEFAULT_FEE_RATE
        self.least_mined = 0  # what the miner asks for, in satoshi per 1,000 virtual bytes
        self.log = BlockLog(home / "blocks.log")
        try:
            self._replay_log()
            self._keeper = KernelKeeper(home, self.view, checkpoint_every=checkpoint_every)
        except BaseException:
            self.log.close()
            raise
        self._closed = False
        self._follow()

    @classmethod
    def open(cls, home: Path, *, checkpoint_every: int = CHECKPOINT_EVERY) -> Node:
        """Open the chain below `home`, or make one whose faucet can pay at once.

        Raises BlockingIOError when another process has it open, LogDamaged when the log is broken in its middle.
        """
        node = cls(home, checkpoint_every=checkpoint_every)
        # Counted over all blocks ever seen: invalidating some later must not look like an unfinished preparation.
        seen = len(node.view.known) + len(node.view.invalid)
        if seen < faucet.PREPARED_HEIGHT:
            node.mine(faucet.PREPARED_HEIGHT - seen)
        return node

    def close(self) -> None:
        """Leave a checkpoint and release the files; closing twice does no harm."""
        if not self._closed:
            self._closed = True
            self._keeper.close()
            self.log.close()

    def submit(self, raw: bytes, *, max_fee_rate: int | None = None) -> str:
        """Let a transaction into the mempool and return its txid; one that waits already is simply confirmed.

        Raises RpcError with Core's number: -25 spends what is not there, or pays more than `max_fee_rate` (satoshi
        per 1,000 virtual bytes), -26 refused, -27 confirmed already, -22 no transaction.
        """
        transaction = decode(raw)
        if transaction.txid not in self.mempool.entries:
            accepted = self.mempool.check(transaction)
            if max_fee_rate and accepted.fee * 1_000 > max_fee_rate * transaction.vsize:
                raise RpcError(MISSING_OR_SPENT, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)")
            self.mempool.add(accepted)
        return transaction.txid

    def mine(self, blocks: int, script: bytes = faucet.SCRIPT) -> list[str]:
        """Mine with what the mempool holds and return the hashes; they are on the disk before this returns."""
        mined: list[str] = []
        for _ in range(blocks):
            block = self._mine_upon(self.view.tip, script, choose(self.mempool, self.least_mined))
            self._follow()
            mined.append(block.hash)
        self._make_durable()
        return mined

    def mine_if_busy(self) -> list[str]:
        """Mine one block if any transaction waits."""
        return self.mine(1) if self.mempool.entries else []

    def pay(self, outputs: Sequence[tuple[str | bytes, int]]) -> list[str]:
        """Pay from the faucet: (address or script, satoshi) each, at most 500 to a transaction. Nothing is mined.

        Raises RpcError, -5 for an address that is not of this chain (then nothing is paid), -6 when the faucet's
        coins do not suffice (then what fitted stays paid).
        """
        targets = [TxOut(value, script_of(to) if isinstance(to, str) else to) for to, value in outputs]
        txids: list[str] = []
        for batch in faucet.batches(targets):
            accepted = self.mempool.check(faucet.payment(self.view, self.mempool, batch))
            self.mempool.add(accepted)
            txids.append(accepted.transaction.txid)
        return txids

    def fund(self, outputs: Sequence[tuple[str | bytes, int]]) -> list[str]:
        """Pay from the faucet, as `pay`, and mine until every payment is confirmed."""
        txids = self.pay(outputs)
        while any(txid in self.mempool.entries for txid in txids):
            self.mine(1)
        return txids

    def reorg(self, depth: int) -> list[str]:
        """Replace the newest `depth` blocks by one more empty ones; their transactions return to the mempool.

        Core itself switches over, as it does when a longer chain arrives. Raises RpcError (-8) for a depth that
        would take away the faucet's coins.
        """
        fork_height = self.view.tip.height - depth
        if depth < 1 or fork_height < faucet.MATURE_BLOCKS:
            raise RpcError(INVALID_PARAMETER, f"Depth must leave at least {faucet.MATURE_BLOCKS} blocks untouched")
        parent = self.view.block(self.view.active[fork_height])
        mined: list[str] = []
        for _ in range(depth + 1):
            parent = self._mine_upon(parent, faucet.SCRIPT, [])
            mined.append(parent.hash)
        self._follow()
        self._make_durable()
        return mined

    def invalidate(self, block_hash: str) -> None:
        """Refuse a block and all upon it for ever; their transactions return to the mempool. Raises RpcError (-5)."""
        block = self.view.block(block_hash)
        if block == GENESIS:
            raise RpcError(INVALID_PARAMETER, "The first block cannot be invalidated")
        if block_hash in self.view.invalid:
            return
        self._require_log()
        self.log.append(Kind.INVALID, stored(block_hash))
        self.log.sync()
        self.view.invalidate(block_hash)
        self._keeper.rebuild()
        self._follow()

    def drop_from_mempool(self, txid: str) -> None:
        """Forget a waiting transaction and all that spend it, as a node does that was restarted or is short of room."""
        self.mempool.drop(txid)

    def _mine_upon(self, parent: Block, script: bytes, entries: list[Entry]) -> Block:
        """Mine one block that Core does not refuse and note it down."""
        self._require_log()
        while True:
            block_time = max(self.view.median_time(parent) + 1, int(time.time()))
            block = assemble(parent, time=block_time, script=script, entries=entries)
            refusal = self._keeper.offer(block)
            if refusal is None:
                break
            if not entries:
                raise RpcError(MISC, f"Block not accepted: {refusal}")
            # Our mempool let something in that consensus refuses. Halving ends at it; the rest waits for another block.
            if len(entries) == 1:
                self.mempool.drop(entries[0].transaction.txid)
            entries = entries[: len(entries) // 2]
        self.view.add(block)
        self.log.append(Kind.BLOCK, block.raw)
        return block

    def _make_durable(self) -> None:
        self.log.sync()
        self._keeper.checkpoint_if_due()

    def _require_log(self) -> None:
        if self.log.closed:
            raise RpcError(MISC, "The block log cannot be written; the node must be started again")

    def _replay_log(self) -> None:
        for record in self.log.records:
            match record.kind:
                case Kind.BLOCK:
                    self.view.add(self.view.parse(record.body))
                case Kind.INVALID:
                    self.view.invalidate(shown(record.body))
                case _:
                    assert_never(record.kind)
        self.log.records.clear()

    def _follow(self) -> None:
        """Bring our view to the kernel's active chain; transactions of disconnected blocks return to the mempool."""
        view, kernel = self.view, self._keeper.kernel
        returned: list[Transaction] = []
        while len(view.active) > kernel.height + 1 or kernel.hash_at(len(view.active) - 1) != view.active[-1]:
            block = view.disconnect()
            returned[:0] = [each for each in block.transactions if not each.is_coinbase]
        while len(view.active) <= kernel.height:
            block = view.block(kernel.hash_at(len(view.active)))
            view.connect(block)
            self.mempool.block_connected(block)
        if returned:
            self.mempool.refill(returned)
