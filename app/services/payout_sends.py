"""Payouts in coins: many recipients in one transaction, each payout in exactly one lineage of transactions.

The same steps as for an order's send, for hundreds at once: reserve and sign and store in one transaction of the
database, hand the bytes over with nothing open, record it, and settle all of them when their block is deep enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import structlog

from app.db import ledger, wallet
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.database import Database, Transaction
from app.db.payouts import Payout
from app.domain import bookkeeping_out as books
from app.domain.assets import asset_by_id, native_asset
from app.domain.money import Money
from app.domain.payout import PayoutState, PayoutTrigger
from app.services import leaving, payouts, sends
from app.services.payouts import PayoutFact
from app.services.sends import Outgoing, Prepared, Sender, WalletShort

log = structlog.get_logger(__name__)
T = PayoutTrigger

# chains.md 6.5: 200 to 500 recipients; more only make one transaction the risk of more payouts.
MOST_RECIPIENTS = 400


async def send_waiting(db: Database, sender: Sender) -> bool:
    """Prepare and broadcast one transaction for queued payouts. True when there may be more of them."""
    fee_rate = await sender.fee_rate()
    async with db.transaction() as tx:
        waiting = await payout_rows.lock_waiting(tx, sender.rail.network, MOST_RECIPIENTS)
        payable = await leaving.may_leave(tx, waiting)
        prepared = await _prepare(tx, sender, payable, fee_rate) if payable else None
        if payable and prepared is None:
            await raise_alert(tx, "wallet_short", sender.rail.network, "payouts wait for coins")
    if prepared is not None:
        await broadcast(db, sender, prepared.lineage_id)
    return prepared is not None and len(waiting) == MOST_RECIPIENTS


async def _prepare(tx: Transaction, sender: Sender, waiting: Sequence[Payout], fee_rate: int) -> Prepared | None:
    """One transaction for as many as the free coins pay: when they do not pay all, the larger half waits."""
    chosen = sorted(waiting, key=lambda payout: payout.units)
    while chosen:
        try:
            prepared = await sends.prepare(tx, sender, [_outgoing(payout) for payout in chosen], fee_rate)
        except WalletShort:
            chosen = chosen[: len(chosen) // 2]
            continue
        asset = native_asset(sender.rail.network)
        units = sum(payout.units for payout in chosen)
        entry = books.coins_prepared(prepared.lineage_id, asset, units, prepared.fee)
        await ledger.post(tx, entry, subject=prepared.lineage_id)
        await payouts.move_all(tx, chosen, PayoutFact(T.PREPARED, prepared.lineage_id, tx_hash=prepared.txid))
        return prepared
    return None


def _outgoing(payout: Payout) -> Outgoing:
    amount = Money(payout.units, asset_by_id(payout.asset))
    return Outgoing(payout.address or "", payout.script or "", amount, payout_id=payout.id)


async def broadcast(db: Database, sender: Sender, lineage_id: str) -> None:
    """Hand the stored bytes to the network, and record that it took them. Safe to repeat for ever."""
    txid = await sends.hand_over(db, sender.rail, lineage_id)
    if txid is None:
        return
    async with db.transaction() as tx:
        paid = await payout_rows.lock_of_lineage(tx, lineage_id)
        await wallet.mark_broadcast(tx, lineage_id, txid)
        sending = [payout for payout in paid if payout.payout_state is PayoutState.SENDING]
        await payouts.move_all(tx, sending, PayoutFact(T.SUBMITTED, lineage_id, tx_hash=txid))


async def settle(db: Database, lineage_id: str, txid: str) -> None:
    """A transaction of the lineage is as deep in the chain as its sends need: its payouts are done."""
    async with db.transaction() as tx:
        paid = await payout_rows.lock_of_lineage(tx, lineage_id)
        stored = await wallet.transaction(tx, txid)
        if stored is None or stored.height is None:
            return
        await wallet.mark_confirmed(tx, lineage_id)
        open_ones = [p for p in paid if p.payout_state in {PayoutState.SENDING, PayoutState.SUBMITTED}]
        if not open_ones:
            return
        left: Counter[str] = Counter()
        for payout in open_ones:
            left[payout.subject] += payout.units
        entry = books.coins_delivered(lineage_id, native_asset(stored.network), left, stored.fee_units)
        await ledger.post(tx, entry, subject=lineage_id)
        await payouts.move_all(tx, open_ones, PayoutFact(T.SETTLED, lineage_id, tx_hash=txid))
