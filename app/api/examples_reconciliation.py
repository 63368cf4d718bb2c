"""Examples of reconciliation, for the reference."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.schemas.base import Request, Resource
from app.schemas.reconciliation import BreakList, BreakOut, ResolutionIn, RunList

Example = dict[str, JsonValue]

_ULID: Final = "01JD0000000000000000000000"
_AT: Final = "2026-11-22T03:00:00.000000Z"
_BREAK: Final[Example] = {
    "id": f"rb_{_ULID}",
    "object": "reconciliation_break",
    "sequence": 1,
    "source": "stripe",
    "kind": "not_in_books",
    "status": "open",
    "about": "txn_1Q0000",
    "amount": {"amount": "-0.30", "asset": "EUR"},
    "line": "txn_1Q0000",
    "ledger_entry_id": None,
    "line_at": "2026-11-21T16:20:00.000000Z",
    "reason": "No entry of ours explains this line.",
    "opened_at": _AT,
    "age_seconds": 5400,
    "resolution": None,
    "resolved_by": None,
    "resolved_at": None,
    "note": None,
    "correction_entry_id": None,
}
_RUN: Final[Example] = {
    "id": f"rr_{_ULID}",
    "object": "reconciliation_run",
    "source": "stripe",
    "status": "done",
    "night": "2026-11-22",
    "at_block": None,
    "lines": 412,
    "matched": 411,
    "pending": 0,
    "breaks": 1,
    "balances": [
        {
            "asset": "EUR",
            "theirs": "18200.15",
            "ours": "18200.45",
            "pending": "0.00",
            "explained": "0.00",
            "broken": "-0.30",
        }
    ],
    "error": None,
    "started_at": _AT,
    "finished_at": "2026-11-22T03:00:04.200000Z",
}

RESOURCES: Final[dict[type[Resource], Example]] = {
    BreakOut: _BREAK,
    BreakList: {"data": [_BREAK], "has_more": False},
    RunList: {"data": [_RUN], "has_more": False},
}
REQUESTS: Final[dict[type[Request], Example]] = {
    ResolutionIn: {"action": "explain", "reason": "the bank's own fee, see its letter of 12 November"},
}
