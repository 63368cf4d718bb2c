"""Sweeping deposit addresses of account chains: counted coins are gathered in the hot wallet, by a policy."""

from __future__ import annotations

import structlog

from app.db import calls as call_rows
from app.db import evm
from app.db import senders as sender_rows
from app.db.database import Database
from app.domain.assets import asset_by_id, native_asset
from app.domain.money import Asset
from app.ports.account_chain import FeeOffer, SignedCall
from app.ports.chain import Address
from app.ports.errors import ProviderError
from app.services import evm_calls, evm_sends, spending
from app.services.evm_calls import AccountSender, Purpose
from app.services.spending import SendWaits

log = structlog.get_logger(__name__)

_AT_ONCE = 20
# What is left behind of the network's own coin, in times of one sweep's gas: a replacement of it may cost more.
_GAS_LEFT = 3


async def sweep(db: Database, sender: AccountSender) -> int:
    """Sweep the fullest deposit addresses, one call each, unless gas is too dear for it; how many were begun."""
    async with db.connection() as connection:
        found = await evm.unswept(connection, sender.network)
    due = [(address, asset_by_id(asset), units) for address, asset, units in found if _is_enough(sender, asset, units)]
    if not due:
        return 0
    try:
        offer = await sender.offer(cap=sender.rules.sweep_gas_cap)
    except SendWaits:
        return 0  # cheaper hours will come
    begun = 0
    for address, asset, units in due[:_AT_ONCE]:
        try:
            begun += await _collect(db, sender, address, asset, units, offer)
        except (ProviderError, SendWaits) as error:
            log.warning("sweep.waits", network=sender.network, address=address.text, error=str(error))
    return begun


def _is_enough(sender: AccountSender, asset: str, units: int) -> bool:
    least = sender.rules.sweep_from.get(asset)
    return least is not None and units >= least


async def _collect(
    db: Database, sender: AccountSender, source: Address, asset: Asset, units: int, offer: FeeOffer
) -> bool:
    """Sign, store and hand over one sweep; False when one is under way, or it would bring too little."""
    gas_limit, by = sender.chain.collect_gas(asset), sender.chain.collector(source, asset)
    lying = await evm_calls.holdings(db, sender, source, asset)
    if lying.units[asset.id] < units:  # a call for more than there is would be reverted, and paid for all the same
        log.warning("sweep.short", network=sender.network, address=source.text, asset=asset.id, units=units)
        return False
    if asset == native_asset(sender.network):
        units -= _GAS_LEFT * gas_limit * offer.max_fee
    if units <= 0:
        return False
    await evm_calls.make_ready(db, sender, by)
    pays = by == sender.chain.hot
    held = await evm_calls.holdings(db, sender, by, native_asset(sender.network)) if pays else None

    async def build(nonce: int) -> SignedCall:
        return await sender.chain.collect(source, asset, units, nonce=nonce, gas_limit=gas_limit, fees=offer)

    async with db.transaction() as tx:
        await spending.require_started(tx, sender.network)
        await sender_rows.lock_sender(tx, sender.network, by.script)
        if await call_rows.is_open(tx, sender.network, "collect", source.script, asset.id):
            return False
        if held is not None:
            await evm_calls.require(tx, sender, by, native_asset(sender.network), 0, gas_limit * offer.max_fee, held)
        purpose = Purpose("collect", asset, units, about=source.script)
        call, _ = await evm_calls.sign(tx, sender, by, purpose, build, None)
    await evm_sends.broadcast(db, sender, call.id)
    return True
