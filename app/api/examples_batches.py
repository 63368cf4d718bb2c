"""Examples of batches and files for the reference."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.schemas.base import Request, Resource
from app.schemas.files import FileOut
from app.schemas.payout_batches import BatchCheckOut, BatchItemList, PayoutBatchIn, PayoutBatchList, PayoutBatchOut

Example = dict[str, JsonValue]

_ULID: Final = "01JD0000000000000000000000"
_AT: Final = "2026-11-01T12:00:00.000000Z"
_AMOUNT: Final[Example] = {"asset": "USD", "amount": "25.00"}
_BATCH: Final[Example] = {
    "id": f"pb_{_ULID}",
    "sequence": 1,
    "mode": "best_effort",
    "status": "processing",
    "external_id": "payroll-2026-11",
    "file_id": None,
    "items": {"total": 2, "invalid": 1, "started": 0, "settled": 0, "failed": 0},
    "totals": [{"amount": _AMOUNT, "items": 1}],
    "approval": None,
    "failure": None,
    "allowed_actions": [],
    "metadata": {},
    "created_at": _AT,
    "updated_at": _AT,
    "livemode": False,
}
_ITEM: Final[Example] = {
    "position": 1,
    "amount": _AMOUNT,
    "external_account_id": f"xa_{_ULID}",
    "method": "ach",
    "reference": "Payroll 2026-11",
    "external_id": "pay-42",
    "status": "submitted",
    "errors": [],
    "warnings": [],
    "payout_id": f"po_{_ULID}",
    "provider_reference": "ach_transfer_example",
    "tx_hash": None,
    "failure": None,
    "returned": None,
}
RESOURCES: Final[dict[type[Resource], Example]] = {
    PayoutBatchOut: _BATCH,
    PayoutBatchList: {"data": [_BATCH]},
    BatchItemList: {"data": [_ITEM]},
    BatchCheckOut: {
        "valid": True,
        "total": 2,
        "invalid": 1,
        "totals": [
            {"amount": _AMOUNT, "items": 1, "available": {"asset": "USD", "amount": "10000.00"}, "sufficient": True}
        ],
        "sufficient": True,
        "approval_required": False,
        "items": [
            {"position": 2, "errors": [{"code": "amount_below_min", "pointer": "/amount/amount"}], "warnings": []}
        ],
        "failure": None,
    },
    FileOut: {
        "id": f"fi_{_ULID}",
        "status": "ready",
        "content_type": "text/csv",
        "size": 1048576,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "created_at": _AT,
    },
}
REQUESTS: Final[dict[type[Request], Example]] = {
    PayoutBatchIn: {
        "mode": "best_effort",
        "items": [
            {
                "amount": _AMOUNT,
                "external_account_id": f"xa_{_ULID}",
                "reference": "Payroll 2026-11",
                "external_id": "pay-42",
            },
        ],
        "external_id": "payroll-2026-11",
    },
}
