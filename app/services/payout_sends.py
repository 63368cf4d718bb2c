"""Payouts in coins: many recipients in one transaction, each payout in exactly one lineage of transactions.

The same steps as for an order's send, for hundreds at once: reserve and sign and store in one transaction of the
database, hand the bytes over with nothing open, record it, and settle all of them when their block is deep enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import structlog

from app.db import ledger, lineages, wallet
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.database import Database, Transaction
from app.db.payouts import Payout
from app.domain import bookkeeping_out as books
from app.domain.assets import asset_by_id, native_asset
from app.domain.money import Money
from app.domain.payout import PayoutState, PayoutTrigger
from app.domain.spending import HELD_FOR
from app.ports.errors import SigningPostponed, SigningRefused
from app.services import fees, head_age, intents, leaving, payouts, preparing, sends, signing, spending
from app.services.choosing import WalletShort
from app.services.payouts import PayoutFact
from app.services.preparing import Outgoing, Prepared, Sender
from app.services.spending import SendWaits

log = structlog.get_logger(__name__)
T = PayoutTrigger

# chains.md 6.5: 200 to 500 recipients; more only make one transaction the risk of more payouts.
MOST_RECIPIENTS = 400


async def send_waiting(db: Database, sender: Sender) -> bool:
    """Prepare and broadcast one transaction for queued payouts. True when there may be more of them."""
    fee_rate = await sender.fee_rate()
    try:
        async with db.transaction() as tx:
            waiting = await payout_rows.lock_waiting(tx, sender.rail.network, MOST_RECIPIENTS)
            if waiting:
                await head_age.require_fresh(tx, sender.rail.network, sender.rules.head_age)
            payable = await _within_limits(tx, sender, await leaving.may_leave(tx, waiting))
            prepared = await _prepare(tx, sender, payable, fee_rate) if payable else None
            if payable and prepared is None:
                await raise_alert(tx, "wallet_short", sender.rail.network, "payouts wait for coins")
    except SendWaits as waits:
        await sends.tell_waiting(db, sender.rail.network, waits, "payouts wait")
        return False
    except (SigningRefused, SigningPostponed) as said:
        return await signing.hold_payouts(db, sender.rail.network, sender.wishes.heed(said))
    if prepared is not None:
        await broadcast(db, sender, prepared.lineage_id)
    return prepared is not None and len(waiting) == MOST_RECIPIENTS


async def _within_limits(tx: Transaction, sender: Sender, payable: Sequence[Payout]) -> list[Payout]:
    """Those of the locked payouts that the spending policy lets go; the others are held for a person."""
    if not payable:
        return []
    refusals = await spending.refusals(tx, sender.rail.network, [outgoing_of(payout) for payout in payable])
    for payout, refusal in zip(payable, refusals, strict=True):
        if refusal is not None:
            await payouts.hold(tx, payout, HELD_FOR, cause=f"{payout.id}:{payout.sequence}")
            await raise_alert(tx, HELD_FOR, payout.id, f"it waits for a person: {refusal}")
    return [payout for payout, refusal in zip(payable, refusals, strict=True) if refusal is None]


async def _prepare(tx: Transaction, sender: Sender, waiting: Sequence[Payout], fee_rate: int) -> Prepared | None:
    """One transaction for as many as the free coins pay, or the signer allows: else the larger half waits."""
    chosen = sorted(waiting, key=lambda payout: payout.units)
    while chosen:
        try:
            prepared = await preparing.prepare(tx, sender, [outgoing_of(payout) for payout in chosen], fee_rate)
        except WalletShort:
            chosen = chosen[: len(chosen) // 2]
            continue
        except SigningPostponed as said:
            if said.code not in signing.SIGNER_LIMITS or len(chosen) == 1:
                raise
            chosen = chosen[: len(chosen) // 2]
            continue
        await spending.count(tx, sender.rail.network, [outgoing_of(payout) for payout in chosen])
        asset = native_asset(sender.rail.network)
        units = sum(payout.units for payout in chosen)
        entry = books.coins_prepared(prepared.lineage_id, asset, units, prepared.fee)
        await ledger.post(tx, entry, subject=prepared.lineage_id)
        await payouts.move_all(tx, chosen, PayoutFact(T.PREPARED, prepared.lineage_id, tx_hash=prepared.txid))
        return prepared
    return None


def outgoing_of(payout: Payout) -> Outgoing:
    """What a payout sends."""
    amount = Money(payout.units, asset_by_id(payout.asset))
    intent = intents.of_payout(payout)
    return Outgoing(payout.address or "", payout.script or "", amount, payout_id=payout.id, intent=intent)


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
        await lineages.decide(tx, stored.network, lineage_id, txid)
        open_ones = [p for p in paid if p.payout_state in {PayoutState.SENDING, PayoutState.SUBMITTED}]
        if not open_ones:
            return
        left: Counter[str] = Counter()
        for payout in open_ones:
            left[payout.subject] += payout.units
        entry = books.coins_delivered(lineage_id, native_asset(stored.network), left, stored.fee_units)
        await ledger.post(tx, entry, subject=lineage_id)
        await fees.settle(tx, stored)
        await payouts.move_all(tx, open_ones, PayoutFact(T.SETTLED, lineage_id, tx_hash=txid))
