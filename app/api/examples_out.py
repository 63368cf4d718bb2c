"""Examples of money going out and coming in by itself, for the reference."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.schemas.base import Request, Resource
from app.schemas.payouts import ApprovalIn, MoveList, PayoutCheckOut, PayoutIn, PayoutList, PayoutOut, RejectionIn
from app.schemas.simulate import AchActOut, AchReturnIn, AchSettleIn
from app.schemas.top_ups import TopUpList, TopUpOut, VirtualAccountIn, VirtualAccountList, VirtualAccountOut

Example = dict[str, JsonValue]

_ULID: Final = "01JD0000000000000000000000"
_AT: Final = "2026-11-01T12:00:00.000000Z"
_PAYOUT: Final[Example] = {
    "id": f"po_{_ULID}",
    "sequence": 1,
    "kind": "payout",
    "status": "queued",
    "amount": {"asset": "USD", "amount": "25.00"},
    "method": "ach",
    "provider": "increase",
    "external_account_id": f"xa_{_ULID}",
    "external_id": "pay-42",
    "order_id": None,
    "batch_id": None,
    "reference": "Invoice 42",
    "address": None,
    "tx_hash": None,
    "provider_reference": None,
    "approval": None,
    "hold": None,
    "failure": None,
    "returned": None,
    "allowed_actions": ["cancel"],
    "metadata": {},
    "submitted_at": None,
    "settled_at": None,
    "created_at": _AT,
    "updated_at": _AT,
    "livemode": False,
}
_VIRTUAL_ACCOUNT: Final[Example] = {
    "id": f"va_{_ULID}",
    "asset": "USD",
    "provider": "increase",
    "holder_name": "Shop Example Inc",
    "bank_name": "First Example Bank",
    "routing_number": "021000021",
    "account_number": "9876543210",
    "created_at": _AT,
}
_TOP_UP: Final[Example] = {
    "id": f"tu_{_ULID}",
    "sequence": 1,
    "status": "credited",
    "amount": {"asset": "USD", "amount": "10000.00"},
    "provider": "increase",
    "sender_name": "Shop Example Inc",
    "message": "Float for November",
    "received_at": _AT,
    "created_at": _AT,
    "livemode": False,
}
_MOVE: Final[Example] = {
    "sequence": 1,
    "source": "created",
    "trigger": "created",
    "target": "queued",
    "status": "queued",
    "actor": None,
    "reason": None,
    "at": _AT,
}

RESOURCES: Final[dict[type[Resource], Example]] = {
    PayoutOut: _PAYOUT,
    PayoutList: {"data": [_PAYOUT]},
    PayoutCheckOut: {
        "valid": False,
        "errors": [{"pointer": "/amount/amount", "code": "insufficient_balance"}],
        "approval_required": False,
        "method": "ach",
        "available": {"asset": "USD", "amount": "10.00"},
    },
    MoveList: {"data": [_MOVE]},
    VirtualAccountOut: _VIRTUAL_ACCOUNT,
    VirtualAccountList: {"data": [_VIRTUAL_ACCOUNT]},
    TopUpOut: _TOP_UP,
    TopUpList: {"data": [_TOP_UP]},
    AchActOut: {"act": "ach.return", "payout_id": f"po_{_ULID}"},
}
REQUESTS: Final[dict[type[Request], Example]] = {
    PayoutIn: {
        "amount": {"asset": "USD", "amount": "25.00"},
        "external_account_id": f"xa_{_ULID}",
        "reference": "Invoice 42",
        "external_id": "pay-42",
    },
    ApprovalIn: {"hash": "9f" * 32},
    RejectionIn: {"reason": "Unknown receiver"},
    VirtualAccountIn: {"asset": "USD"},
    AchSettleIn: {"payout_id": f"po_{_ULID}"},
    AchReturnIn: {"payout_id": f"po_{_ULID}", "code": "R03"},
}
