"""What the node can tell about the chain: its blocks, its unspent coins, and where each transaction stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from providers.sandbox.bitcoin.address import OP_RETURN
from providers.sandbox.bitcoin.errors import NOT_FOUND, RpcError
from providers.sandbox.bitcoin.serialise import Block, Outpoint, parse_block, shown

MEDIAN_SPAN = 11  # blocks whose median time is the chain's clock (BIP-113)
# Core leaves the first block's coin out of its books: it can never be spent.
GENESIS = parse_block(
    bytes.fromhex(
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e"
        "67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f200200000001010000000100000000000000000000"
        "00000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f"
        "4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f75742066"
        "6f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a6"
        "7962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
    ),
    height=0,
)


class Coin(NamedTuple):
    """An unspent output. `height` is None while its transaction waits in the mempool."""

    value: int
    script: bytes
    height: int | None
    coinbase: bool


class Coins:
    """The unspent outputs of the active chain, found by outpoint or by script."""

    def __init__(self) -> None:
        self._by_outpoint: dict[Outpoint, Coin] = {}
        self._by_script: dict[bytes, dict[Outpoint, Coin]] = {}

    def __len__(self) -> int:
        return len(self._by_outpoint)

    def get(self, outpoint: Outpoint) -> Coin | None:
        """The coin at an outpoint, if it is unspent."""
        return self._by_outpoint.get(outpoint)

    def of(self, script: bytes) -> Iterable[tuple[Outpoint, Coin]]:
        """Every coin that a script guards, oldest first."""
        return self._by_script.get(script, {}).items()

    def add(self, outpoint: Outpoint, coin: Coin) -> None:
        """A new coin."""
        self._by_outpoint[outpoint] = coin
        self._by_script.setdefault(coin.script, {})[outpoint] = coin

    def remove(self, outpoint: Outpoint) -> Coin | None:
        """Take a coin out; None when there was none."""
        coin = self._by_outpoint.pop(outpoint, None)
        if coin is not None:
            of_script = self._by_script[coin.script]
            del of_script[outpoint]
            if not of_script:
                del self._by_script[coin.script]
        return coin


class ChainView:
    """Every block of the log, and the state of the chain that is active among them."""

    def __init__(self) -> None:
        self.known: dict[str, Block] = {}  # valid or not refused yet, in order of arrival; without the first one
        self.invalid: dict[str, Block] = {}
        self.active: list[str] = [GENESIS.hash]  # by height
        self.coins = Coins()
        self._spent_by: dict[str, list[tuple[Outpoint, Coin]]] = {}  # what each active block consumed, to undo it
        self._block_of: dict[str, str] = {GENESIS.transactions[0].txid: GENESIS.hash}

    @property
    def tip(self) -> Block:
        """The newest block of the active chain."""
        return self.block(self.active[-1])

    def block(self, block_hash: str) -> Block:
        """A block by its hash, on whatever branch; raises RpcError (-5)."""
        found = self.known.get(block_hash) or self.invalid.get(block_hash)
        if found is None and block_hash != GENESIS.hash:
            raise RpcError(NOT_FOUND, "Block not found")
        return found or GENESIS

    def block_of(self, txid: str) -> Block | None:
        """The active block that holds a transaction."""
        block_hash = self._block_of.get(txid)
        return None if block_hash is None else self.block(block_hash)

    def best(self) -> Block:
        """Which block Core must have as its tip: the highest, and among equals the one that came first."""
        return max([GENESIS, *self.known.values()], key=lambda block: block.height)

    def confirmations(self, block: Block) -> int:
        """How deep a block lies, 1 for the tip; -1 off the active chain."""
        on_chain = block.height < len(self.active) and self.active[block.height] == block.hash
        return len(self.active) - block.height if on_chain else -1

    def median_time(self, block: Block) -> int:
        """The median time of a block and the ten before it, in seconds since 1970."""
        times: list[int] = []
        while len(times) < MEDIAN_SPAN:
            times.append(block.time)
            if block.height == 0:
                break
            block = self.block(block.previous)
        return sorted(times)[len(times) // 2]

    def parse(self, raw: bytes) -> Block:
        """Read a block whose parent is known; raises RpcError when it is not."""
        parent = self.block(shown(raw[4:36]))
        return parse_block(raw, parent.height + 1)

    def add(self, block: Block) -> None:
        """Take in a block; it becomes active only by `connect`."""
        self.known[block.hash] = block

    def invalidate(self, block_hash: str) -> None:
        """Refuse a block and every block upon it."""
        gone = {block_hash}
        for block in list(self.known.values()):
            if block.hash in gone or block.previous in gone:
                gone.add(block.hash)
                self.invalid[block.hash] = self.known.pop(block.hash)

    def connect(self, block: Block) -> None:
        """Put a block upon the tip."""
        spent: list[tuple[Outpoint, Coin]] = []
        for transaction in block.transactions:
            for outpoint in transaction.spends:
                coin = self.coins.remove(outpoint)
                if coin is None:
                    raise RuntimeError(f"Core accepted a block that spends {outpoint}, which is no coin here")
                spent.append((outpoint, coin))
            for vout, output in enumerate(transaction.outputs):
                if not output.script.startswith(bytes([OP_RETURN])):
                    coin = Coin(output.value, output.script, block.height, transaction.is_coinbase)
                    self.coins.add((transaction.txid, vout), coin)
            self._block_of[transaction.txid] = block.hash
        self._spent_by[block.hash] = spent
        self.active.append(block.hash)

    def disconnect(self) -> Block:
        """Take the tip off and return it."""
        block = self.tip
        self.active.pop()
        # First give back, then remove: a coin that was both made and spent within the block must be gone.
        for outpoint, coin in self._spent_by.pop(block.hash):
            self.coins.add(outpoint, coin)
        for transaction in block.transactions:
            del self._block_of[transaction.txid]
            for vout in range(len(transaction.outputs)):
                self.coins.remove((transaction.txid, vout))
        return block
