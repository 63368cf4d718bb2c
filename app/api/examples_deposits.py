"""Examples of coins coming in, for the reference."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.schemas.base import Request, Resource
from app.schemas.deposits import DepositAddressIn, DepositAddressList, DepositAddressOut, DepositList, DepositOut
from app.schemas.simulate import DepositedOut, DepositIn

Example = dict[str, JsonValue]

_ULID: Final = "01JD0000000000000000000000"
_AT: Final = "2026-11-01T12:00:00.000000Z"
_TXID: Final = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
_ADDRESS: Final[Example] = {
    "id": f"da_{_ULID}",
    "sequence": 1,
    "asset": "BTC",
    "network": "bitcoin",
    "address": "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
    "route": "balance",
    "order_id": None,
    "external_account_id": None,
    "destination_asset": None,
    "status": "active",
    "metadata": {"miner": "7"},
    "created_at": _AT,
    "updated_at": _AT,
}
_DEPOSIT: Final[Example] = {
    "id": f"dp_{_ULID}",
    "sequence": 3,
    "status": "credited",
    "deposit_address_id": f"da_{_ULID}",
    "order_id": None,
    "amount": {"asset": "BTC", "network": "bitcoin", "amount": "0.01000000"},
    "tx_hash": _TXID,
    "output_index": 0,
    "confirmations": 3,
    "confirmations_needed": 3,
    "hold": None,
    "created_at": _AT,
    "updated_at": _AT,
    "livemode": False,
}

RESOURCES: Final[dict[type[Resource], Example]] = {
    DepositAddressOut: _ADDRESS,
    DepositAddressList: {"data": [_ADDRESS]},
    DepositOut: _DEPOSIT,
    DepositList: {"data": [_DEPOSIT]},
    DepositedOut: {"network": "bitcoin", "tx_hash": _TXID},
}
REQUESTS: Final[dict[type[Request], Example]] = {
    DepositAddressIn: {"asset": "BTC", "network": "bitcoin", "route": "balance", "metadata": {"miner": "7"}},
    DepositIn: {"order_id": f"or_{_ULID}", "amount": "0.01000000", "confirmations": 3},
}
