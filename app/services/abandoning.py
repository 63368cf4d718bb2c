"""Abandoning: giving up what no block can ever take, because a coin that all of its attempts spend is gone for good.

The coins that are left are free again, and whom they were for is told as the tables have it: an order's money goes
back, a partner's payout fails, coins on their way back to a customer wait for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from app.db import chain, ledger, lineages
from app.db import orders as order_rows
from app.db import payouts as payout_rows
from app.db import spending as spending_rows
from app.db.alerts import raise_alert, resolve_alert
from app.db.columns import Document
from app.db.database import Database, Transaction
from app.db.lineages import FirstCoin
from app.db.orders import Order
from app.db.payouts import Payout
from app.db.wallet import Send
from app.domain import bookkeeping_out as books
from app.domain.assets import asset_by_id, native_asset
from app.domain.errors import ConflictState, NotFound
from app.domain.money import Money, parse_units
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.domain.payout import PayoutKind, PayoutState, PayoutTrigger
from app.ports.chain import Waiting
from app.ports.outcome import Decline
from app.services import orders, payouts
from app.services.orders import Fact
from app.services.payouts import PayoutFact
from app.services.receipts import failure_document

log = structlog.get_logger(__name__)

ABANDONED: Final = "send_abandoned"
_WAITING = frozenset({"prepared", "broadcast"})
_LEAVING = frozenset({OrderState.SENDING, OrderState.SENT})
_UNDER_WAY = frozenset({PayoutState.SENDING, PayoutState.SUBMITTED})
NOT_SENT: Final[Document] = failure_document(
    Decline(ABANDONED, None, "The coins were not sent: their transaction can never be mined.")
)


class Mempool(Protocol):
    """A node that says what waits for a block."""

    async def waiting(self, seen: frozenset[str], *, limit: int) -> Waiting:
        """As `app.ports.chain.ChainRail` has it."""
        ...


async def abandon_gone(db: Database, network: str, depth: int, lineage_id: str) -> None:
    """Give up a lineage of which a coin is spent, `depth` blocks deep, by a transaction that is none of its own."""
    async with db.transaction() as tx:
        await chain.take_turn(tx, network)
        why = (await lineages.gone(tx, network, depth)).get(lineage_id)
        if why is not None:
            await _abandon(tx, network, lineage_id, why)


async def abandon(db: Database, mempool: Mempool, lineage_id: str, *, depth: int, actor: str, reason: str) -> str:
    """Give a lineage up because a person says so; what is gone. Raises NotFound, and ProviderUnavailable.

    Raises ConflictState while any of its attempts could still be mined as far as blocks and node tell: when none of
    the coins that all attempts spend is gone. One whose transaction a reorganisation has removed is gone when it does
    not wait for a block again; that nobody sends it anew later is what the person vouches for.
    """
    async with db.connection() as connection:
        network = await lineages.network_of(connection, lineage_id)
    if network is None:
        raise NotFound
    waiting = await mempool.waiting(frozenset(), limit=0)
    async with db.transaction() as tx:
        await chain.take_turn(tx, network)
        if await chain.tip_hash(tx, network) != waiting.tip:
            raise ConflictState("Not every block has been read yet: ask again in a moment.")
        why = (await lineages.gone(tx, network, depth)).get(lineage_id)
        coins = await lineages.first_coins(tx, network, lineage_id)
        why = why or next((gone for coin in coins if (gone := _gone(coin, waiting)) is not None), None)
        if why is None:
            raise ConflictState("It can still be mined: every coin that it spends is there.")
        if not await _abandon(tx, network, lineage_id, f"{why}; {actor}: {reason}"):
            raise ConflictState("It does not wait for a block.")
        await spending_rows.note(tx, network, "abandon", subject=lineage_id, actor=actor, reason=reason)
    return why


def _gone(coin: FirstCoin, waiting: Waiting) -> str | None:
    """Why a coin of somebody's transaction is not there: no block has that, and it does not wait for one."""
    if coin.height is not None or coin.is_own or coin.txid in waiting.txids:
        return None
    return f"{coin.txid}, which made its coin {coin.vout}, is in no block and does not wait for one"


async def _abandon(tx: Transaction, network: str, lineage_id: str, why: str) -> bool:
    """Orders first, then payouts and sends, as everybody locks them. False when it does not wait for a block."""
    order_id = await tx.fetchval("SELECT order_id FROM sends WHERE lineage_id = $1 LIMIT 1", lineage_id)
    order = None if order_id is None else await order_rows.lock(tx, order_id)
    paid = await payout_rows.lock_of_lineage(tx, lineage_id)
    made = await lineages.sends_of(tx, lineage_id)
    attempts = await lineages.attempts(tx, lineage_id)
    if any(one.height is not None for one in attempts) or not {send.state for send in made} <= _WAITING:
        return False
    await lineages.abandon(tx, network, lineage_id)
    if order is not None:
        [send] = made
        await tell_order(tx, order, send, fee=send.fee_units, failure=NOT_SENT)
    else:
        units = sum(send.units + send.fee_units for send in made)
        entry = books.coins_released(lineage_id, native_asset(network), units)
        await ledger.post(tx, entry, subject=lineage_id)
        await _fail(tx, lineage_id, paid)
    for kind in ("bump_waits", "broadcast_refused"):
        await resolve_alert(tx, kind, lineage_id)
    await raise_alert(tx, ABANDONED, lineage_id, why)
    log.error("send.abandoned", lineage_id=lineage_id, why=why)
    return True


async def _fail(tx: Transaction, lineage_id: str, paid: list[Payout]) -> None:
    open_ones = [payout for payout in paid if payout.payout_state in _UNDER_WAY]
    own = [payout for payout in open_ones if payout.payout_kind is PayoutKind.PAYOUT]
    await payouts.move_all(tx, own, PayoutFact(PayoutTrigger.FAILED, lineage_id, failure=NOT_SENT))
    for payout in open_ones:
        if payout.payout_kind is not PayoutKind.PAYOUT:
            await payouts.hold(tx, payout, ABANDONED, cause=lineage_id)


@dataclass(frozen=True, slots=True)
class _Dispute:
    """What a dispute has taken of an order that is not delivered, and how much of it the order's account bears."""

    taken: int
    borne: int
    document: Document


async def tell_order(
    tx: Transaction, order: Order, send: Send, *, fee: int, failure: Document, tx_hash: str | None = None
) -> None:
    """A locked order's coins will never leave: they are free again with their fee, and its money goes back.

    But for what a dispute took meanwhile: that the customer has already.
    """
    if order.order_state not in _LEAVING:
        return
    dispute = await _dispute_of(tx, order)
    moved = Moved(
        send.id,
        amount=send.units,
        fee=fee,
        from_order=dispute.borne if dispute else 0,
        disputed=dispute.taken if dispute else 0,
    )
    document = dispute.document if dispute else None
    fact = Fact(OrderTrigger.SEND_ABANDONED, send.id, moved=moved, failure=failure, dispute=document, tx_hash=tx_hash)
    await orders.move(tx, order, fact)


async def _dispute_of(tx: Transaction, order: Order) -> _Dispute | None:
    """The dispute that met the order while its coins were leaving, unless it was won."""
    document = order.dispute
    if document is None or document["status"] == "won" or document["opened_in"] not in _LEAVING:
        return None
    asset = asset_by_id(order.source_asset)
    taken = parse_units(str(document["amount"]), asset.decimals)
    borne = min(taken, await orders.money_held(tx, order))
    # From here on it is one of an order that gives its money back.
    moved_on = {"from_order": Money(borne, asset).decimal, "opened_in": OrderState.REFUNDING.value}
    return _Dispute(taken, borne, {**document, **moved_on})
