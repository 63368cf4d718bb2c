"""Payouts on account chains: many together through the disperse contract; one that cannot be paid fails alone."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import calls as call_rows
from app.db import ledger
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.database import Database, Transaction
from app.db.payouts import Payout
from app.domain import bookkeeping_out as books
from app.domain.assets import asset_by_id
from app.domain.money import Asset, Money
from app.domain.payout import PayoutKind, PayoutTrigger
from app.domain.spending import HELD_FOR
from app.ports.account_chain import MOST_TRANSFERS, FeeOffer, SignedCall
from app.ports.errors import SigningRefused
from app.services import evm_calls, evm_sends, intents, leaving, payouts, signing, spending
from app.services.evm_calls import AccountSender, Holdings, HotWalletShort, Purpose
from app.services.payouts import PayoutFact
from app.services.preparing import Outgoing
from app.services.spending import SendWaits

P = PayoutTrigger
_APPROVE_GAS = 100_000  # more than any token's `approve` has been seen to use


async def send_waiting(db: Database, sender: AccountSender) -> bool:
    """Prepare and broadcast one call for the queued payouts of each asset. True when there may be more of them."""
    async with db.connection() as connection:
        waiting = await payout_rows.waiting(connection, sender.network, MOST_TRANSFERS)
    sent = False
    for asset in dict.fromkeys(payout.asset for payout in waiting):
        try:
            call_id = await _pay(db, sender, [payout for payout in waiting if payout.asset == asset])
        except SendWaits as waits:
            await evm_sends.tell_waiting(db, sender.network, waits)
            continue
        except SigningRefused as refused:
            await signing.hold_payouts(db, sender.network, refused)
            continue
        if call_id is not None:
            await evm_sends.broadcast(db, sender, call_id)
            sent = True
    return sent


async def _pay(db: Database, sender: AccountSender, wanted: Sequence[Payout]) -> str | None:
    """Try payouts of one asset on the node, then sign for those that can be paid; the call's id."""
    asset = asset_by_id(wanted[0].asset)
    offer, held, tried = await evm_sends.try_out(db, sender, asset, [_outgoing(payout) for payout in wanted])
    if tried.unapproved and len(wanted) > 1:
        await _approve(db, sender, asset, offer, held)
        return None
    refused = {wanted[place].id: reason for place, reason in tried.refused.items()}
    async with db.transaction() as tx:
        tried_ids = {payout.id for payout in wanted}
        locked = await payout_rows.lock_waiting(tx, sender.network, MOST_TRANSFERS)
        for payout in locked:
            if payout.id in refused:
                await _refuse(tx, payout, refused[payout.id])
        candidates = [payout for payout in locked if payout.id in tried_ids - refused.keys()]
        payable = await _within_limits(tx, sender, await leaving.may_leave(tx, candidates))
        if not payable or not tried.gas_limit:
            return None
        return await _prepare_payouts(tx, sender, payable, tried.gas_limit, offer, held)


async def _prepare_payouts(
    tx: Transaction,
    sender: AccountSender,
    payable: Sequence[Payout],
    gas_limit: int,
    offer: FeeOffer,
    held: Holdings,
) -> str:
    """One call for as many as the wallet pays: when it does not pay all, the larger half waits."""
    chosen = sorted(payable, key=lambda payout: payout.units)
    while True:
        outgoing = [_outgoing(payout) for payout in chosen]
        try:
            call, txid, _ = await evm_sends.prepare(tx, sender, outgoing, gas_limit, offer, held)
        except HotWalletShort:
            if len(chosen) == 1:
                raise
            chosen = chosen[: len(chosen) // 2]
            continue
        await spending.count(tx, sender.network, outgoing)
        entry = books.coins_prepared(call.id, asset_by_id(call.asset), call.units, 0)
        await ledger.post(tx, entry, subject=call.id)
        await payouts.move_all(tx, chosen, PayoutFact(P.PREPARED, call.id, tx_hash=evm_sends.shown_hash(txid)))
        return call.id


def _outgoing(payout: Payout) -> Outgoing:
    amount = Money(payout.units, asset_by_id(payout.asset))
    intent = intents.of_payout(payout)
    return Outgoing(payout.address or "", payout.script or "", amount, payout_id=payout.id, intent=intent)


async def _refuse(tx: Transaction, payout: Payout, reason: str) -> None:
    """One recipient that cannot be paid stops nobody else: its payout fails alone, or waits where it cannot fail."""
    cause = f"{payout.id}:{payout.sequence}"
    if payout.payout_kind is PayoutKind.PAYOUT:
        await payouts.move(tx, payout, PayoutFact(P.FAILED, cause, failure=evm_sends.refusal_of(reason)))
        return
    await payouts.hold(tx, payout, evm_sends.REFUSED, cause=cause)
    await raise_alert(tx, evm_sends.REFUSED, payout.id, f"coins cannot be given back to {payout.address}: {reason}")


async def _within_limits(tx: Transaction, sender: AccountSender, payable: Sequence[Payout]) -> list[Payout]:
    """Those of the locked payouts that the spending policy lets go; the others are held for a person."""
    if not payable:
        return []
    refusals = await spending.refusals(tx, sender.network, [_outgoing(payout) for payout in payable])
    for payout, refusal in zip(payable, refusals, strict=True):
        if refusal is not None:
            await payouts.hold(tx, payout, HELD_FOR, cause=f"{payout.id}:{payout.sequence}")
            await raise_alert(tx, HELD_FOR, payout.id, f"it waits for a person: {refusal}")
    return [payout for payout, refusal in zip(payable, refusals, strict=True) if refusal is None]


async def _approve(db: Database, sender: AccountSender, asset: Asset, offer: FeeOffer, held: Holdings) -> None:
    """Let the disperse contract move a token for us; payouts go out together once that is mined."""
    async with db.transaction() as tx:
        await spending.require_started(tx, sender.network)
        if await call_rows.is_open(tx, sender.network, "approve", None, asset.id):
            return

        async def build(nonce: int) -> SignedCall:
            return await sender.chain.approve(asset, nonce=nonce, fees=offer)

        purpose = Purpose("approve", asset, most_gas=_APPROVE_GAS * offer.max_fee)
        call, _ = await evm_calls.sign(tx, sender, sender.chain.hot, purpose, build, held)
    await evm_sends.broadcast(db, sender, call.id)
