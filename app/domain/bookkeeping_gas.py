"""Which entries calls on account chains write: their gas, which is always the network's own coin, and sweeps.

Debit is positive, credit negative. What a call pays is booked with its order or its payouts; its gas is booked here,
with the call, so that one call for a hundred payouts has one fee. More is set aside for gas than is used: what is left
goes back when the call is final.
"""

from __future__ import annotations

from app.domain import chart
from app.domain.assets import native_asset
from app.domain.ledger import Entry, Posting, entry, transfer
from app.domain.money import Asset, Money


def gas_reserved(call_id: str, txid: str, network: str, more: int) -> Entry:
    """The gas that an attempt may use at most is set aside, as far as it is more than was set aside before."""
    return transfer(
        f"{call_id}:gas:{txid}",
        "gas_reserve",
        debit=chart.wallet_transit(network),
        credit=chart.wallet_hot(network),
        amount=Money(more, native_asset(network)),
    )


def gas_paid(call_id: str, network: str, *, reserved: int, fee: int) -> Entry:
    """A call of the hot wallet is final: its fee is gone, and what was set aside for it is free again."""
    asset = native_asset(network)
    return entry(
        f"{call_id}:gas_paid",
        "gas_paid",
        [
            Posting(chart.EXPENSE_NETWORK, asset, fee),
            Posting(chart.wallet_hot(network), asset, reserved - fee),
            Posting(chart.wallet_transit(network), asset, -reserved),
        ],
    )


def gas_paid_by_deposit(call_id: str, network: str, fee: int) -> Entry:
    """The same for a call of a deposit address, which pays for itself."""
    return transfer(
        f"{call_id}:gas_paid",
        "gas_paid",
        debit=chart.EXPENSE_NETWORK,
        credit=chart.wallet_deposits(network),
        amount=Money(fee, native_asset(network)),
    )


def collected(call_id: str, asset: Asset, units: int) -> Entry:
    """A deposit address was swept to the hot wallet."""
    network = asset.network or ""
    return transfer(
        f"{call_id}:collect",
        "collected",
        debit=chart.wallet_hot(network),
        credit=chart.wallet_deposits(network),
        amount=Money(units, asset),
    )
