"""Calls: what we sign on account chains, one nonce after the other. Sign and store first, then hand the bytes over.

The row of a sender in the database is its nonce sequencer: whoever has it locked takes the next nonce, and stores the
bytes that use it in the same transaction as whatever they are for. A nonce is never used for anything else again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from app.db import account_chains, ledger, wallet
from app.db import calls as call_rows
from app.db import senders as sender_rows
from app.db.alerts import raise_alert
from app.db.calls import Call, CallAttempt
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.domain import bookkeeping_gas as books
from app.domain.assets import native_asset
from app.domain.gas import GasLimits, GasPrice, first_offer
from app.domain.money import Asset, Money
from app.ports.account_chain import AccountChain, FeeMarket, FeeOffer, NonceUsed, SignedCall, Underpriced
from app.ports.chain import Address
from app.ports.errors import ProviderRejected
from app.ports.records import ChainMovedError
from app.services import spending
from app.services.spending import SendWaits

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 8
_MARKET_SECONDS: Final = 3.0


class HotWalletShort(SendWaits):
    """The hot wallet holds too little of an asset, or too little of the network's coin for gas."""


class GasTooDear(SendWaits):
    """The network asks more for gas than the operator allows."""


class SenderStopped(SendWaits):
    """An address of ours signs nothing more until a person has looked."""


class ChainNotWell(SendWaits):
    """The network stands still, is not followed yet, or does not let our token move."""


@dataclass(frozen=True, slots=True)
class CallRules:
    """The operator's rules for one network.

    `sweep_from` is by asset id: how many units a deposit address must hold to be swept. Sweeps and their gas wait while
    gas costs more than `sweep_gas_cap` wei. A head older than `stale_after` means that the network stands still.
    """

    gas: GasLimits
    bump_after: timedelta = timedelta(seconds=60)
    sends_final: str = "finalized"
    sweep_from: Mapping[str, int] = field(default_factory=dict)
    sweep_gas_cap: int = 0
    stale_after: timedelta | None = None


@dataclass(slots=True)
class AccountSender:
    """One network's way out: its adapter, the operator's rules, and what gas cost some seconds ago."""

    chain: AccountChain
    rules: CallRules
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _market: FeeMarket | None = None
    _asked_at: float = float("-inf")

    @property
    def network(self) -> str:
        """The network's name in the catalogue."""
        return self.chain.network

    async def market(self) -> FeeMarket:
        """What the network asks for gas, asked of the node every few seconds."""
        if self._market is None or time.monotonic() - self._asked_at > _MARKET_SECONDS:
            self._market = await self.chain.fees()
            self._asked_at = time.monotonic()
        return self._market

    async def offer(self, *, cap: int | None = None) -> FeeOffer:
        """What a new call offers; raises GasTooDear above the operator's cap, or above `cap`."""
        market = await self.market()
        price = first_offer(market.base_fee, market.priority_fee, self.rules.gas)
        if price is None or (cap is not None and market.base_fee > cap):
            raise GasTooDear(f"{self.network}: gas costs {market.base_fee} wei")
        return offer_of(price)


def offer_of(price: GasPrice) -> FeeOffer:
    """An offer as the adapter wants it."""
    return FeeOffer(price.most, price.tip)


async def open_sender(db: Database, chain: AccountChain, rules: CallRules) -> AccountSender:
    """Watch the hot wallet's address, and be ready to follow the chain and to send."""
    async with db.transaction() as tx:
        await wallet.add_addresses(tx, chain.network, [chain.hot], "funding")
        await account_chains.open_chain(tx, chain.network, rules.sends_final)
    return AccountSender(chain, rules)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an address held after the newest block that we know, by asset id."""

    height: int
    units: Mapping[str, int]


async def holdings(db: Database, sender: AccountSender, address: Address, asset: Asset) -> Holdings:
    """Ask the node what an address holds of an asset and of the network's own coin; raises ChainNotWell."""
    native = native_asset(sender.network)
    async with db.connection() as connection:
        known = await wallet.known_blocks(connection, sender.network, 1)
    if not known:
        raise ChainNotWell(f"{sender.network} is not followed yet")
    wanted = [asset] if asset == native else [asset, native]
    try:
        found = await sender.chain.balances([(address.script, one) for one in wanted], known[0])
    except ChainMovedError as moved:
        raise ChainNotWell(f"{sender.network}: {moved}") from None
    return Holdings(known[0].height, {one.id: units for one, units in zip(wanted, found, strict=True)})


async def make_ready(db: Database, sender: AccountSender, address: Address) -> None:
    """Let an address sign, from its next nonce on the chain; one that has signed goes on where it is."""
    async with db.connection() as connection:
        known = {row.script for row in await sender_rows.senders(connection, sender.network)}
    if address.script not in known:
        nonces = await sender.chain.nonces(address.script)
        async with db.transaction() as tx:
            await sender_rows.add_sender(tx, sender.network, address.script, nonces.pending)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a nonce is used for: how much of what leaves the sender, and the deposit address that is swept.

    `most_gas` is what its gas may cost, in wei.
    """

    kind: str
    asset: Asset
    units: int = 0
    most_gas: int = 0
    about: str | None = None


async def sign(
    tx: Transaction,
    sender: AccountSender,
    address: Address,
    purpose: Purpose,
    build: Callable[[int], Awaitable[SignedCall]],
    held: Holdings | None,
) -> tuple[Call, str]:
    """Take the next nonce of an address, sign, and store the bytes, in the caller's transaction; with their txid.

    `build` is given the nonce. With `held`, which was asked before, the address must hold what the call takes on top
    of all that is on its way. Raises SenderStopped, ChainNotWell, HotWalletShort, and what the signer raises.
    """
    row = await sender_rows.lock_sender(tx, sender.network, address.script)
    if row is None:
        raise ChainNotWell(f"{sender.network}: {address.text} is not ready to sign")
    if row.stopped is not None:
        raise SenderStopped(f"{sender.network}: {address.text} is stopped: {row.stopped}")
    if held is not None:
        await require(tx, sender, address, purpose.asset, purpose.units, purpose.most_gas, held)
    signed = await build(row.next_nonce)
    return await store(tx, sender, purpose, address, signed), signed.txid


async def store(
    tx: Transaction,
    sender: AccountSender,
    purpose: Purpose,
    address: Address,
    signed: SignedCall,
    *,
    is_filler: bool = False,
) -> Call:
    """Store signed bytes as a new call, and set aside what its gas may cost, unless a deposit address pays for it."""
    now = datetime.now(UTC)
    call = Call(
        id=new_id("ln"),
        network=sender.network,
        sender=address.script,
        nonce=signed.nonce,
        purpose=purpose.kind,
        about=purpose.about,
        asset=purpose.asset.id,
        units=purpose.units,
        gas_limit=signed.gas_limit,
        gas_reserved=signed.most_fee if address == sender.chain.hot else 0,
        state="open",
        created_at=now,
        updated_at=now,
    )
    await call_rows.insert(tx, call, attempt_of(call, signed, is_filler=is_filler))
    if call.gas_reserved:
        entry = books.gas_reserved(call.id, signed.txid, sender.network, call.gas_reserved)
        await ledger.post(tx, entry, subject=call.id)
    return call


async def require(
    tx: Transaction, sender: AccountSender, address: Address, asset: Asset, units: int, gas: int, held: Holdings
) -> None:
    """Raise HotWalletShort unless an address has so much and the gas, once all that is on its way has left it.

    The sender is locked.
    """
    native = native_asset(sender.network)
    for one in {asset, native}:
        taken, gas_taken = await call_rows.committed(tx, sender.network, address.script, one.id, held.height)
        needed = taken + (units if one == asset else 0)
        needed += gas_taken + gas if one == native else 0
        if needed > held.units[one.id]:
            missing = Money(needed - held.units[one.id], one)
            raise HotWalletShort(f"{sender.network}: {missing} too little on {address.text}")


def attempt_of(call: Call, signed: SignedCall, *, is_filler: bool = False) -> CallAttempt:
    """Signed bytes as a row of their call."""
    return CallAttempt(
        txid=signed.txid,
        network=call.network,
        call_id=call.id,
        raw=signed.raw,
        max_fee=signed.fees.max_fee,
        priority_fee=signed.fees.max_priority_fee,
        is_filler=is_filler,
        created_at=datetime.now(UTC),
    )


async def hand_over(db: Database, sender: AccountSender, call_id: str) -> str | None:
    """Give a call's newest bytes to the network and record that it took them; None when nothing is left to do.

    Never are other bytes built because a node refuses these: they are out of our hands. Raises SpendingStopped,
    SenderStopped, ProviderRejected, ProviderUnavailable and OutcomeUnknown.
    """
    async with db.connection() as connection:
        await spending.require_started(connection, sender.network)
        attempts = await call_rows.attempts(connection, call_id)
    if not attempts or any(attempt.height is not None for attempt in attempts):
        return None
    newest = attempts[0]
    try:
        await sender.chain.broadcast(newest.raw)
    except NonceUsed as used:
        await _nonce_used(db, sender, call_id, attempts, used)
        return None
    except Underpriced as refused:
        log.warning("call.underpriced", call_id=call_id, txid=newest.txid, error=str(refused))
        return None  # a higher offer follows when it has waited long enough
    except ProviderRejected as refused:
        log.warning("call.refused", call_id=call_id, txid=newest.txid, error=str(refused))
        async with db.transaction() as tx:
            await raise_alert(tx, "broadcast_refused", call_id, str(refused))
        raise
    return newest.txid


async def _nonce_used(
    db: Database, sender: AccountSender, call_id: str, attempts: Sequence[CallAttempt], used: NonceUsed
) -> None:
    """The nonce is taken: by an attempt of ours that we have not seen mined yet, or by somebody with our key."""
    for attempt in attempts:
        if await sender.chain.receipt(attempt.txid) is not None:
            return  # the follower comes to it
    async with db.transaction() as tx:
        call = await call_rows.get(tx, call_id)
        assert call is not None  # noqa: S101 - attempts belong to one
        await stop(tx, sender.network, call.sender, f"nonce {call.nonce} was used by a transaction that is not ours")
    log.error("call.nonce_used", call_id=call_id, error=str(used))


async def stop(tx: Transaction, network: str, script: str, why: str) -> None:
    """Let an address sign nothing more, and tell a person: its key is used elsewhere."""
    await sender_rows.stop_sender(tx, network, script, why)
    await raise_alert(tx, "sender_stopped", f"{network}:{script}", why)
