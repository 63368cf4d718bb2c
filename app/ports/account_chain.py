"""Chains with accounts and nonces (EVM): what we ask of their rail. Amounts are whole units (wei, millionths).

A script is an address in lower-case hex without `0x` (40 digits); transaction ids and block hashes are written the
same way (64 digits).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.intent import Intent
from app.domain.money import Asset
from app.ports.chain import Address, Addresses, BlockId, ChainOutput
from app.ports.errors import ProviderRejected

MOST_TRANSFERS = 200  # of one call of the disperse contract: chains.md, section 3


class NonceUsed(ProviderRejected):
    """The node says that the account's nonce is higher already: these bytes, or others in their place, are mined."""


class Underpriced(ProviderRejected):
    """The node takes these bytes only at a higher fee. They stay valid, and are out of our hands all the same."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Whom a call pays, in what, and how much. The network's own coin is its native asset."""

    asset: Asset
    recipient: str
    units: int
    intent: Intent | None = None  # the signer refuses to pay anybody without


@dataclass(frozen=True, slots=True)
class FeeMarket:
    """What the network asks now, in wei per unit of gas: burnt by the next block, and the usual tip."""

    base_fee: int
    priority_fee: int


@dataclass(frozen=True, slots=True)
class FeeOffer:
    """What a call offers, in wei per unit of gas (EIP-1559)."""

    max_fee: int
    max_priority_fee: int


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A transaction ready to be stored, then broadcast. `txid` is computed from `raw` itself."""

    txid: str
    raw: bytes
    sender: str
    nonce: int
    gas_limit: int
    fees: FeeOffer

    @property
    def most_fee(self) -> int:
        """The most that the network can take for it, in wei."""
        return self.gas_limit * self.fees.max_fee


@dataclass(frozen=True, slots=True)
class Simulation:
    """What would become of transfers made now from the hot wallet in one transaction.

    `refused` says by place in the list which of them would fail because of their recipient, and why, in a few plain
    words. `halted` says why none of them can be made whoever the recipient is: the token is paused, our own address
    is blacklisted, or the wallet holds too little. `gas_limit` is enough for those that are not refused together, 0
    when none is left. `unapproved` says that the disperse contract may not move this token for us yet: then only
    each transfer alone was tried, and `approve` has to be mined before several are made together.
    """

    gas_limit: int
    refused: Mapping[int, str]
    halted: str | None = None
    unapproved: bool = False


@dataclass(frozen=True, slots=True)
class CallReceipt:
    """A mined transaction, whoever's. `ok` is False when it was reverted: then it paid its fee and nothing else.

    `fee` is what the network took, in wei, with whatever else a rollup charges. `outputs` are the transfers that it
    made in assets of the catalogue, by token contract and by its own value; token transfers of nothing are left out.
    """

    txid: str
    sender: str
    nonce: int
    ok: bool
    gas_used: int
    fee: int
    outputs: tuple[ChainOutput, ...]


@dataclass(frozen=True, slots=True)
class AccountBlock:
    """A block with every transaction in it."""

    id: BlockId
    transactions: tuple[CallReceipt, ...]


@dataclass(frozen=True, slots=True)
class AccountScan:
    """What happened on the chain since the blocks we knew.

    Every known block above `fork_height` is no longer part of the chain; `blocks` follow upon it in order. `safe` and
    `finalized` are the heights that the network itself gives these names, 0 before there are any, never above
    `tip_height`. `tip_at` is the newest block's own time, in seconds since 1970.
    """

    fork_height: int
    blocks: tuple[AccountBlock, ...]
    tip_height: int
    tip_at: int
    safe: int
    finalized: int


@dataclass(frozen=True, slots=True)
class Nonces:
    """The next nonce of an account: by the newest block, and with what waits for one."""

    mined: int
    pending: int


class AccountRail(Addresses, Protocol):
    """The addresses of an EVM network, and the hot wallet's way out. Deposit addresses are the branch RECEIVE.

    Methods that ask the node may raise ProviderUnavailable; ProviderRejected when it is not on the chain that this
    rail is pinned to.
    """

    @property
    def hot(self) -> Address:
        """The one address that we pay from, and sweep to: index 0 of the branch CHANGE."""
        ...

    async def simulate(self, transfers: Sequence[Transfer]) -> Simulation:
        """Try transfers from the hot wallet on the newest block: one alone, several through the disperse contract."""
        ...

    async def broadcast(self, raw: bytes) -> None:
        """Hand the bytes to the network; "already known" is success.

        Raises NonceUsed, Underpriced or ProviderRejected when the node refuses them, OutcomeUnknown when its answer
        was lost.
        """
        ...


class AccountSigner(Protocol):
    """Building and signing. Nothing here asks a node, so that it can be done with a row of the database locked."""

    async def prepare(self, transfers: Sequence[Transfer], *, nonce: int, gas_limit: int, fees: FeeOffer) -> SignedCall:
        """Pay from the hot wallet: one transfer plainly, several (MOST_TRANSFERS at most, all in one asset) together.

        Several in one call either all happen or none. Raises ValueError for transfers that do not fit one call.
        """
        ...

    async def cancel(self, sender: Address, *, nonce: int, fees: FeeOffer) -> SignedCall:
        """An empty payment of one of our addresses to itself, which fills a nonce and does nothing else."""
        ...

    async def approve(self, asset: Asset, *, nonce: int, fees: FeeOffer) -> SignedCall:
        """Let the disperse contract move this token out of the hot wallet."""
        ...

    async def collect(
        self, source: Address, asset: Asset, units: int, *, nonce: int, gas_limit: int, fees: FeeOffer
    ) -> SignedCall:
        """Move units from a deposit address to the hot wallet, in a call of `collector(source, asset)` and its nonce.

        A token is moved by the deposit address's authorisation (EIP-3009), which the hot wallet sends and pays for; the
        network's own coin is sent plainly by the deposit address, which pays the gas as well.
        """
        ...

    def collector(self, source: Address, asset: Asset) -> Address:
        """Which of our addresses sends the call that collects: the hot wallet a token, `source` the network's coin."""
        ...

    def collect_gas(self, asset: Asset) -> int:
        """The gas limit of collecting this asset."""
        ...


class AccountReader(Protocol):
    """Reading an EVM chain. Every method may raise ProviderUnavailable, and ProviderRejected as AccountRail's."""

    async def scan(self, known: Sequence[BlockId], *, limit: int) -> AccountScan:
        """Read on from the newest of `known` (ascending) that is still part of the chain, `limit` blocks at most.

        With nothing known, or nothing known left on the chain, reading begins at the rail's start height.
        """
        ...

    async def receipt(self, txid: str) -> tuple[BlockId, CallReceipt] | None:
        """A transaction as it is mined now, and where; None when it is in no block."""
        ...

    async def nonces(self, script: str) -> Nonces:
        """Where an account's nonces stand."""
        ...

    async def nonce_after(self, script: str, at: BlockId) -> int:
        """The next nonce of an account after a block, asked by its hash; ChainMovedError when it is gone."""
        ...

    async def balances(self, holders: Sequence[tuple[str, Asset]], at: BlockId) -> list[int]:
        """What accounts (script, asset) hold after a block, asked by its hash; ChainMovedError when it is gone."""
        ...

    async def fees(self) -> FeeMarket:
        """What to pay for gas now, as the node says: the caller clamps it."""
        ...


class AccountChain(AccountRail, AccountSigner, AccountReader, Protocol):
    """A complete adapter of an EVM network."""
