"""Calls that were given up, against a chain that says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from app.audit.books import OurBooks
from app.audit.outside_accounts import check_sends
from app.audit.report import Row
from app.domain.money import Asset
from app.ports.account_chain import CallReceipt, Nonces
from app.ports.chain import BlockId

CALL: Row = {"id": "ln_1", "network": "ethereum", "sender": "ab", "nonce": 7, "purpose": "send", "state": "lost"}
ATTEMPT: Row = {**CALL, "txid": "t7", "is_filler": False, "height": None, "ok": None, "fee_units": None}
BOOKS: dict[str, Sequence[Row]] = {
    "calls": [ATTEMPT],
    "sends": [],
    "senders": [{"network": "ethereum", "script": "ab", "next_nonce": 8}],
    "tips": [{"network": "ethereum", "height": 9, "hash": "b9"}],
}


@dataclass(frozen=True)
class Node:
    """A chain on which so many nonces are used, with or without our attempt."""

    used: int
    has_ours: bool = False

    async def receipt(self, txid: str) -> tuple[BlockId, CallReceipt] | None:
        """Our attempt, where there is one."""
        found = BlockId(8, "b8"), CallReceipt(txid, "ab", 7, True, 21_000, 1, ())
        return found if self.has_ours else None

    async def nonces(self, script: str) -> Nonces:
        """Where the account stands."""
        return Nonces(self.used, self.used)

    async def balances(self, holders: Sequence[tuple[str, Asset]], at: BlockId) -> list[int]:
        """Nothing."""
        return [0 for _ in holders]


@pytest.mark.parametrize(
    ("node", "problems"),
    [
        (Node(8), []),
        (Node(7), ["given up, and nobody has used its nonce"]),
        (Node(8, has_ours=True), ["not as the books have it"]),
    ],
    ids=["lost", "unused", "ours"],
)
async def test_fault_f_85_a_call_that_was_given_up_is_lost_on_the_chain(node: Node, problems: list[str]) -> None:
    books = OurBooks(datetime(2026, 1, 1, tzinfo=UTC), BOOKS)
    assert [row["problem"] for row in await check_sends("ethereum", node, books)] == problems
