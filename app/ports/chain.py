"""Coins: what we ask of a chain rail. Amounts are whole units (satoshi); scripts and ids are lower-case hex."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.domain.intent import Intent
from app.domain.money import Asset


class Branch(StrEnum):
    """Which branch of the wallet's key tree an address stands on (BIP-44: external 0, change 1)."""

    RECEIVE = "receive"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Address:
    """One of our own addresses."""

    text: str
    script: str
    branch: Branch
    index: int


@dataclass(frozen=True, slots=True)
class Destination:
    """Somebody's address, checked: its one normal spelling and the script that it stands for."""

    text: str
    script: str


@dataclass(frozen=True, slots=True)
class CoinInput:
    """A coin of ours to spend."""

    txid: str
    vout: int
    amount: int
    branch: Branch
    index: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a transaction pays, and how much. Without an intent it is change, or one of the operator's own addresses."""

    script: str
    amount: int
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be stored, then broadcast. `txid` is computed from `raw` itself."""

    txid: str
    raw: bytes
    fee: int
    vsize: int
    change: int  # what comes back to us; 0 when it was too small to be worth an output
    change_outputs: tuple[ChainOutput, ...] = ()


class CoinsShort(ValueError):
    """The coins named do not pay the recipients and the fee."""


class FeeTooHigh(ValueError):
    """The fee, or its rate, is above what the operator allows: nothing is signed."""


@dataclass(frozen=True, slots=True)
class BlockId:
    """A block by height and hash."""

    height: int
    hash: str


@dataclass(frozen=True, slots=True)
class ChainOutput:
    """One output of a mined transaction. `asset` is None for the network's own coin.

    On a chain with accounts an output is one transfer, and `vout` its fixed place in the transaction: 0 is the value
    of the transaction itself, n its n-th log. `sender` is the script of the account that it came from.
    """

    vout: int
    script: str
    amount: int
    asset: Asset | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class ChainTransaction:
    """What a block says about one transaction."""

    txid: str
    spends: tuple[tuple[str, int], ...]  # outpoints (txid, vout)
    outputs: tuple[ChainOutput, ...]


@dataclass(frozen=True, slots=True)
class ChainBlock:
    """A block with what it moved. `time` is when it says that it was made, in seconds since 1970."""

    id: BlockId
    transactions: tuple[ChainTransaction, ...]
    time: int | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """What happened on the chain since the blocks we knew.

    Every known block above `fork_height` is no longer part of the chain; `blocks` follow upon it in order.
    """

    fork_height: int
    blocks: tuple[ChainBlock, ...]
    tip_height: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a block: every id, and whole those transactions that were not seen before.

    `tip` is the hash of the newest block at a moment after the ids were read: a transaction that is neither among
    them nor in a block up to `tip` is gone. `more` says that others are new too and were left for the next look.
    """

    txids: frozenset[str]
    transactions: tuple[ChainTransaction, ...]
    tip: str
    more: bool


class ChainRail(Protocol):
    """A network on which we hold and send coins. Methods that ask the node may raise ProviderUnavailable."""

    @property
    def network(self) -> str:
        """The network's name in the catalogue: `bitcoin`."""
        ...

    def new_address(self, branch: Branch, index: int) -> Address:
        """Derive one of our own addresses."""
        ...

    async def prepare(
        self,
        coins: Sequence[CoinInput],
        recipients: Sequence[Recipient],
        change: Address,
        *,
        fee_rate: int,
        least_fee: int = 0,
        spread: Sequence[Address] = (),
    ) -> SignedTransaction:
        """Build and sign, paying `fee_rate` units per virtual byte and `least_fee` at least.

        What is left comes back to `change` and in even parts to the addresses of `spread`. Raises CoinsShort, and
        FeeTooHigh above the operator's limits.
        """
        ...

    async def broadcast(self, raw: bytes) -> None:
        """Hand the bytes to the network; "already known" is success.

        Raises ProviderRejected when the node refuses them, OutcomeUnknown when its answer was lost.
        """
        ...

    async def scan(self, known: Sequence[BlockId], *, limit: int) -> Scan:
        """Read on from the newest of `known` (ascending) that is still part of the chain, `limit` blocks at most.

        With nothing known, or nothing known left on the chain, reading begins at the rail's start height.
        """
        ...

    async def waiting(self, seen: AbstractSet[str], *, limit: int) -> Waiting:
        """What waits for a block now. At most `limit` transactions that are not in `seen` are read whole."""
        ...

    async def fee_rate(self) -> int:
        """What to pay per virtual byte now, within the rail's floor and ceiling."""
        ...


class Addresses(Protocol):
    """A network's addresses, our own and other people's: all that placing an order has to know of a chain."""

    @property
    def network(self) -> str:
        """The network's name in the catalogue: `bitcoin`."""
        ...

    def new_address(self, branch: Branch, index: int) -> Address:
        """Derive one of our own addresses."""
        ...

    def parse(self, text: str) -> Destination:
        """Check an address; raises AddressInvalid or NetworkMismatch."""
        ...


class BlockWitness(Protocol):
    """A second node, asked only whether it sees what the first one says."""

    async def has_block(self, block: BlockId) -> bool:
        """Whether the block is part of its chain; raises ProviderUnavailable."""
        ...


class AddressRules(Protocol):
    """Reading other people's addresses."""

    def parse(self, text: str) -> Destination:
        """Check an address; raises AddressInvalid or NetworkMismatch."""
        ...

    def estimate_vsize(self, inputs: int, scripts: Sequence[str]) -> int:
        """The virtual size in bytes of a transaction with so many of our inputs and these output scripts."""
        ...


class ChainProvider(ChainRail, AddressRules, Protocol):
    """A complete chain adapter."""
