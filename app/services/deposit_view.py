"""Deposits and deposit addresses as the public sees them, in answers and in events alike."""

from __future__ import annotations

from app.db.deposit_addresses import DepositAddress
from app.db.deposits import Deposit
from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.schemas.base import MoneyOut
from app.schemas.deposits import DepositAddressOut, DepositOut


def deposit_out(deposit: Deposit, tip: int | None) -> DepositOut:
    """Build the public deposit from its row; `tip` is the height of the newest block that we know."""
    depth = 0 if deposit.height is None or tip is None else max(0, tip - deposit.height + 1)
    return DepositOut.model_validate(
        {
            "id": deposit.id,
            "sequence": deposit.sequence,
            "status": deposit.state,
            "deposit_address_id": deposit.deposit_address_id,
            "order_id": deposit.order_id,
            "amount": MoneyOut.of(Money(deposit.units, asset_by_id(deposit.asset))),
            "tx_hash": deposit.txid,
            "output_index": deposit.vout,
            "confirmations": depth,
            "confirmations_needed": deposit.confirmations_needed,
            "hold": deposit.hold,
            "created_at": deposit.created_at,
            "updated_at": deposit.updated_at,
            "livemode": deposit.livemode,
        }
    )


def address_out(row: DepositAddress) -> DepositAddressOut:
    """Build the public deposit address from its row."""
    return DepositAddressOut.model_validate(
        {
            "id": row.id,
            "sequence": row.sequence,
            "asset": asset_by_id(row.asset).code,
            "network": row.network,
            "address": row.address,
            "route": row.route,
            "order_id": row.order_id,
            "external_account_id": row.external_account_id,
            "destination_asset": row.sell_asset,
            "status": row.status,
            "metadata": row.address_metadata,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }
    )
