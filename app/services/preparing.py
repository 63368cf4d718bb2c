"""Preparing: in one transaction coins are reserved, what pays the recipients is signed, and its bytes are stored."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.db import coins as coin_rows
from app.db import wallet
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.orders import Order
from app.db.wallet import ChainTransactionRow, Send
from app.domain.assets import BITCOIN_DEPTH, DepthStep, asset_by_id, confirmations_needed
from app.domain.intent import Intent
from app.domain.money import Money
from app.ports.chain import Address, Branch, ChainProvider, FeeTooHigh, Recipient
from app.services import choosing, intents
from app.services.signing import SignerWishes
from app.services.spending import SendWaits
from app.services.wallet_rules import DEFAULT_RULES, WalletRules

# Change goes to one of a few addresses, so that keys stay derived: deriving one costs as much as signing.
POOL_SIZE = 16
_FEE_RATE_SECONDS = 5.0
_AT_ONCE = 16
_MOST_PARTS = 4


class FeeCapReached(SendWaits):
    """A transaction would pay the network more than the operator allows: it waits, and is never sent."""


@dataclass(slots=True)
class Sender:
    """One network's way out: its rail, its change addresses, and the fee rate of the last few seconds."""

    rail: ChainProvider
    change: list[Address]
    ladder: Sequence[DepthStep] = BITCOIN_DEPTH
    rules: WalletRules = DEFAULT_RULES
    # Signing takes the processor and broadcasting the node: more sends at once only wait for each other.
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    wishes: SignerWishes = field(default_factory=SignerWishes)
    _rate: int = 0
    _rated_at: float = float("-inf")

    async def fee_rate(self) -> int:
        """Units per virtual byte, asked of the node every few seconds."""
        if time.monotonic() - self._rated_at > _FEE_RATE_SECONDS:
            self._rate = await self.rail.fee_rate()
            self._rated_at = time.monotonic()
        return self._rate

    def change_address(self) -> Address:
        """Where the rest of the next transaction comes back to."""
        return secrets.choice(self.change)


async def open_wallet(
    db: Database,
    rail: ChainProvider,
    ladder: Sequence[DepthStep] = BITCOIN_DEPTH,
    rules: WalletRules = DEFAULT_RULES,
) -> Sender:
    """Watch the wallet's own addresses, and be ready to send from it."""
    change = [rail.new_address(Branch.CHANGE, index) for index in range(POOL_SIZE)]
    funding = [rail.new_address(Branch.RECEIVE, index) for index in range(POOL_SIZE)]
    async with db.transaction() as tx:
        await wallet.add_addresses(tx, rail.network, change, "change")
        await wallet.add_addresses(tx, rail.network, funding, "funding")
    return Sender(rail, change, ladder, rules)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one recipient gets, and for what: an order, or a payout."""

    address: str
    script: str
    amount: Money
    order_id: str | None = None
    payout_id: str | None = None
    intent: Intent | None = None  # the seal upon it; a move of our own has none

    @property
    def subject(self) -> str:
        """The order or the payout; empty for a move of our own."""
        return self.order_id or self.payout_id or ""

    @property
    def purpose(self) -> str:
        """What the send is for."""
        if self.order_id is not None:
            return "deliver"
        return "sweep" if self.payout_id is None else "payout"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A signed transaction in the database: its lineage, its id, what it pays the network, and the sends that it is."""

    lineage_id: str
    txid: str
    fee: int
    sends: tuple[Send, ...]


async def prepare(tx: Transaction, sender: Sender, outgoing: Sequence[Outgoing], fee_rate: int) -> Prepared:
    """Reserve coins, sign one transaction for all recipients, and store its bytes, in the caller's transaction.

    Raises WalletShort when the coins that are free now do not suffice, FeeCapReached when it would pay too much.
    """
    rail, change = sender.rail, sender.change_address()
    amount, scripts = sum(one.amount.units for one in outgoing), [one.script for one in outgoing]
    wanted = sender.wishes.wanted(one.subject for one in outgoing)
    coins = await choosing.choose(
        tx,
        rail,
        sender.rules,
        amount,
        scripts,
        change=change.script,
        fee_rate=fee_rate,
        wanted=wanted,
        others=sender.wishes.others(),
    )
    recipients = [Recipient(one.script, one.amount.units, one.intent) for one in outgoing]
    spread = await _spread(tx, sender, change, sum(coin.amount for coin in coins) - amount, fee_rate)
    try:
        signed = await rail.prepare(coins, recipients, change, fee_rate=fee_rate, spread=spread)
    except FeeTooHigh as refused:
        raise FeeCapReached(str(refused)) from None
    lineage_id, now = new_id("ln"), datetime.now(UTC)
    made = _sends(sender, outgoing, lineage_id, signed.fee, now)
    stored = ChainTransactionRow(
        txid=signed.txid,
        network=rail.network,
        lineage_id=lineage_id,
        raw=signed.raw,
        fee_units=signed.fee,
        vsize=signed.vsize,
        created_at=now,
    )
    await wallet.store_sends(tx, made, stored, [(coin.txid, coin.vout) for coin in coins])
    await coin_rows.await_block(tx, rail.network, signed.txid, signed.change_outputs)
    return Prepared(lineage_id, signed.txid, signed.fee, made)


def _sends(sender: Sender, outgoing: Sequence[Outgoing], lineage_id: str, fee: int, now: datetime) -> tuple[Send, ...]:
    """The rows of what one transaction pays; each bears its share of the fee."""
    share, over = divmod(fee, len(outgoing))
    return tuple(
        Send(
            id=new_id("sn"),
            order_id=one.order_id,
            payout_id=one.payout_id,
            purpose=one.purpose,
            network=sender.rail.network,
            asset=one.amount.asset.id,
            address=one.address,
            script=one.script,
            units=one.amount.units,
            fee_units=share + (place < over),
            lineage_id=lineage_id,
            state="prepared",
            confirmations_needed=confirmations_needed(one.amount, sender.ladder),
            created_at=now,
            updated_at=now,
        )
        for place, one in enumerate(outgoing)
    )


def outgoing_of(order: Order) -> Outgoing:
    """What an order sends."""
    assert order.script is not None  # noqa: S101 - a buy is placed with its destination
    assert order.address is not None  # noqa: S101 - a buy is placed with its destination
    amount = Money(order.destination_units, asset_by_id(order.destination_asset))
    return Outgoing(order.address, order.script, amount, order_id=order.id, intent=intents.of_order(order))


async def _spread(tx: Transaction, sender: Sender, change: Address, rest: int, fee_rate: int) -> list[Address]:
    """Where a large rest comes back to besides `change`: with few coins, every send waits for the one before it."""
    rules = sender.rules
    parts = min(_MOST_PARTS, len(sender.change), rest // rules.coin_units)
    if parts < 2 or fee_rate > rules.low_rate:
        return []
    if await coin_rows.count_confirmed(tx, sender.rail.network, rules.coins_wanted) >= rules.coins_wanted:
        return []
    others = [address for address in sender.change if address != change]
    return secrets.SystemRandom().sample(others, parts - 1)
