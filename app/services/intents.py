"""Intents: what is agreed to be sent is sealed in the moment it is agreed to, and the seal goes with it to the signer.

The key is known to the API, the worker and the signer, and not to the database: see `app.domain.intent`.
"""

from __future__ import annotations

from app.db.orders import Order
from app.db.payouts import Payout
from app.domain.assets import asset_by_id
from app.domain.intent import Intent, IntentKeys


def seal_order(keys: IntentKeys, order: Order) -> None:
    """Seal what a buy delivers and where, before it is written. A sale delivers nothing."""
    if order.script is not None:
        order.intent = _seal(keys, order.id, order.destination_asset, order.script, order.destination_units)


def seal_payout(keys: IntentKeys, payout: Payout) -> None:
    """Seal what a payout in coins sends and where, before it is written. Banks are paid without."""
    if payout.script is not None:
        payout.intent = _seal(keys, payout.id, payout.asset, payout.script, payout.units)


def of_order(order: Order) -> Intent | None:
    """What was sealed for a buy."""
    return None if order.intent is None else Intent(order.id, order.destination_asset, order.intent)


def of_payout(payout: Payout) -> Intent | None:
    """What was sealed for a payout."""
    return None if payout.intent is None else Intent(payout.id, payout.asset, payout.intent)


def _seal(keys: IntentKeys, subject: str, asset: str, script: str, units: int) -> bytes:
    return keys.seal(subject, network=asset_by_id(asset).network or "", asset=asset, script=script, units=units)
