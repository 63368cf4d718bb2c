"""Treasury: the wallet's own coins. Enough of them to deliver, not more than needed, in pieces that can be spent.

Moves of our own, to cold storage or between our addresses, are sends without an order or a payout.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from app.db import coins as coin_rows
from app.db import ledger, lineages, wallet
from app.db import spending as spending_rows
from app.db import treasury as rows
from app.db.alerts import raise_alert, resolve_alert
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.wallet import ChainTransactionRow, Send
from app.domain import bookkeeping_out as books
from app.domain.assets import native_asset
from app.domain.errors import ConflictState, ValidationFailed
from app.domain.money import Money
from app.ports.chain import Address, CoinInput, Destination, FeeTooHigh, SignedTransaction
from app.ports.errors import SigningRefused
from app.services import fees, preparing, sends, spending
from app.services.preparing import Outgoing, Sender
from app.services.spending import SendWaits

BY_ITSELF: Final = "treasury"  # who asks when nobody did
_MOST_GATHERED = 50
_LEAST_SWEEP = 100_000  # units: less is not worth a transaction


async def mind(db: Database, sender: Sender) -> None:
    """One round: tell of a wallet that runs low, move what is above its ceiling, gather small coins while it is cheap.

    Nothing moves on a chain that a person has stopped.
    """
    await _watch_float(db, sender)
    try:
        await sweep(db, sender)
        await _gather(db, sender)
    except SendWaits as waits:
        await sends.tell_waiting(db, sender.rail.network, waits, "moves of our own wait")
    except SigningRefused as refused:
        async with db.transaction() as tx:
            await raise_alert(tx, "sweep_refused", sender.rail.network, f"{refused.code}: {refused}")


async def _watch_float(db: Database, sender: Sender) -> None:
    network, rules = sender.rail.network, sender.rules
    async with db.transaction() as tx:
        held = await coin_rows.holdings(tx, network, native_asset(network).id)
        if held.left < rules.low_float:
            await raise_alert(tx, "float_low", network, f"{held.left} units are left to promise")
        else:
            await resolve_alert(tx, "float_low", network)
        if rules.ceiling is None or min(held.free, held.left) < rules.ceiling + _LEAST_SWEEP:
            return
        targets = await rows.usable(tx, network)
        if not targets:
            await raise_alert(tx, "float_high", network, "above the ceiling, and no cold address is allowed")
            return
        await rows.lock_address(tx, network, targets[0].script)  # of several workers that look at once, one asks
        if not await rows.is_moving(tx, network, "sweep"):
            excess = min(held.free, held.left) - rules.ceiling
            await rows.ask(tx, network, targets[0].script, excess, actor=BY_ITSELF, reason="above the ceiling")


async def sweep(db: Database, sender: Sender) -> str | None:
    """Sign and hand over the oldest move to cold storage that was asked for; its lineage. Raises SendWaits."""
    network = sender.rail.network
    fee_rate = await sender.fee_rate()
    async with db.transaction() as tx:
        asked = await rows.lock_asked(tx, network)
        if asked is None:
            return None
        await spending.require_started(tx, network)
        target = await rows.lock_address(tx, network, asked.script)
        # Asked for again at the last moment: the list may have been written by somebody else since.
        if target is None or not await rows.is_usable(tx, network, asked.script):
            await raise_alert(tx, "sweep_refused", asked.id, "its address is not one that coins may be moved to")
            return None
        amount = Money(asked.units, native_asset(network))
        prepared = await preparing.prepare(tx, sender, [Outgoing(target.address, target.script, amount)], fee_rate)
        entry = books.coins_prepared(prepared.lineage_id, amount.asset, amount.units, prepared.fee)
        await ledger.post(tx, entry, subject=prepared.lineage_id)
        await rows.signed(tx, asked.id, prepared.lineage_id)
    await broadcast(db, sender, prepared.lineage_id)
    return prepared.lineage_id


async def _gather(db: Database, sender: Sender) -> None:
    """Make one coin of many small ones while a place in a block costs next to nothing."""
    network, rules = sender.rail.network, sender.rules
    fee_rate = await sender.fee_rate()
    if fee_rate > rules.gather_rate:
        return
    async with db.transaction() as tx:
        small_below = rules.coin_units // 2
        held = await coin_rows.holdings(tx, network, native_asset(network).id, small_below)
        if held.small < rules.gather_from or await rows.is_moving(tx, network, "consolidate"):
            return
        await spending.require_started(tx, network)
        back = sender.change_address()
        per_input = sender.rail.estimate_vsize(2, [back.script]) - sender.rail.estimate_vsize(1, [back.script])
        worth = 2 * per_input * fee_rate  # one that brings less than it costs is left alone
        coins = await coin_rows.smallest(tx, network, worth, small_below, _MOST_GATHERED)
        if len(coins) < rules.gather_from:
            return
        try:
            signed = await sender.rail.prepare(coins, [], back, fee_rate=fee_rate)
        except FeeTooHigh:
            return
        lineage_id = await store_move(tx, sender, signed, coins, purpose="consolidate", back=back)
    await broadcast(db, sender, lineage_id)


async def store_move(
    tx: Transaction,
    sender: Sender,
    signed: SignedTransaction,
    coins: Sequence[CoinInput],
    *,
    purpose: str,
    back: Address,
) -> str:
    """Keep a signed transaction that pays nobody but ourselves; its lineage. The coins are locked by the caller."""
    lineage_id, now, network = new_id("ln"), datetime.now(UTC), sender.rail.network
    asset = native_asset(network)
    send = Send(
        id=new_id("sn"),
        purpose=purpose,
        network=network,
        asset=asset.id,
        address=back.text,
        script=back.script,
        units=0,
        fee_units=signed.fee,
        lineage_id=lineage_id,
        state="prepared",
        confirmations_needed=1,
        created_at=now,
        updated_at=now,
    )
    stored = ChainTransactionRow(
        txid=signed.txid,
        network=network,
        lineage_id=lineage_id,
        raw=signed.raw,
        fee_units=signed.fee,
        vsize=signed.vsize,
        created_at=now,
    )
    await wallet.store_sends(tx, [send], stored, [(coin.txid, coin.vout) for coin in coins])
    await coin_rows.await_block(tx, network, signed.txid, signed.change_outputs)
    await ledger.post(tx, books.coins_prepared(lineage_id, asset, 0, signed.fee), subject=lineage_id)
    return lineage_id


async def broadcast(db: Database, sender: Sender, lineage_id: str) -> None:
    """Hand a lineage's bytes to the network, and record that it took them. The sweep repeats it when that fails."""
    txid = await sends.hand_over(db, sender.rail, lineage_id)
    if txid is not None:
        async with db.transaction() as tx:
            await wallet.mark_broadcast(tx, lineage_id, txid)


async def settle(db: Database, lineage_id: str, txid: str) -> None:
    """A move of our own is deep enough in the chain: what it moved, and its fee, are booked."""
    async with db.transaction() as tx:
        [send] = await lineages.sends_of(tx, lineage_id)
        stored = await wallet.transaction(tx, txid)
        if stored is None or stored.height is None or send.state == "confirmed":
            return
        await wallet.mark_confirmed(tx, lineage_id)
        await lineages.decide(tx, stored.network, lineage_id, txid)
        asset = native_asset(stored.network)
        await ledger.post(tx, books.coins_moved(lineage_id, asset, send.units, stored.fee_units), subject=lineage_id)
        await fees.settle(tx, stored)


async def allow(tx: Transaction, network: str, destination: Destination, *, actor: str, reason: str) -> bool:
    """Propose a cold address, or agree to one that somebody else proposed; whether it is agreed to now.

    Raises ConflictState when the same person does both, and ValidationFailed for an address of the wallet itself.
    """
    if await wallet.is_ours(tx, network, destination.script):
        raise ValidationFailed("This is an address of the wallet itself.", pointer="/address")
    known = await rows.lock_address(tx, network, destination.script)
    if known is None:
        await rows.add_address(tx, network, destination, actor)
        await spending_rows.note(tx, network, "allow", actor=actor, reason=reason, subject=destination.text)
        return False
    if known.confirmed_by is not None:
        return True
    if known.added_by == actor:
        raise ConflictState("Somebody else has to agree to this address.")
    await rows.confirm_address(tx, network, destination.script, actor)
    await spending_rows.note(tx, network, "confirm", actor=actor, reason=reason, subject=destination.text)
    return True


async def ask_sweep(tx: Transaction, network: str, script: str, units: int, *, actor: str, reason: str) -> str:
    """Ask for coins to be moved to a cold address; the worker does it. The request's id.

    Raises ConflictState while the address may not be used, and for more than the wallet has left: such a move would
    keep those behind it waiting.
    """
    if not await rows.is_usable(tx, network, script):
        raise ConflictState("Coins may not be moved to this address: two people, and a day, are needed.")
    if units > (await coin_rows.holdings(tx, network, native_asset(network).id)).left:
        raise ConflictState("The wallet has less than that to move.")
    sweep_id = await rows.ask(tx, network, script, units, actor=actor, reason=reason)
    await spending_rows.note(tx, network, "sweep", actor=actor, reason=reason, subject=sweep_id)
    return sweep_id


async def turn(
    tx: Transaction,
    network: str,
    *,
    sending: bool | None = None,
    crediting: bool | None = None,
    actor: str,
    reason: str,
) -> tuple[bool, bool]:
    """Stop or start sending, or crediting, on a chain; how both stand then. Waits for what is being signed."""
    wanted = {"sending": sending, "crediting": crediting}
    # A start is noted before it takes hold and a stop after: so the auditor can tell what was signed in between.
    for kind in (kind for kind, on in wanted.items() if on is True):
        await spending_rows.note(tx, network, f"start_{kind}", actor=actor, reason=reason)
    stands = await spending_rows.switch(tx, network, sending=sending, crediting=crediting)
    for kind in (kind for kind, on in wanted.items() if on is False):
        await spending_rows.note(tx, network, f"stop_{kind}", actor=actor, reason=reason)
    if stands["crediting"]:
        await resolve_alert(tx, "crediting_stopped", network)
    return stands["sending"], stands["crediting"]
