"""Running an audit: a snapshot inside, then the far side's own records against it."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from app.audit import outside_accounts, outside_bank, outside_chain, outside_messages, outside_money
from app.audit.books import OurBooks, read_books
from app.audit.inside import check, reading
from app.audit.report import Finding, Report, Row
from app.audit.rules import INVARIANTS, LEFT_OUT
from app.db.database import Database
from app.ports.chain import BlockId
from app.ports.records import ChainMovedError, FarSide

_PAUSE_SECONDS = 0.1


async def audit(
    db: Database,
    far_side: FarSide | None = None,
    *,
    wait_seconds: float = 30.0,
    grace: timedelta = timedelta(minutes=10),
) -> Report:
    """Check every invariant inside, and those against the far side when there is one.

    A running instance may be audited: our books are read first and the far side after them, so what the far side has
    and we have not is young; it counts as pending until it is `grace` old, and as a violation from then on. The chain
    can only be compared at one block: the snapshot is taken again until our follower and the node stand at the same
    one, for `wait_seconds` at most, after which the difference is itself a violation. Raises AuditImpossibleError, and
    ProviderUnavailable when the far side cannot be read.
    """
    far_side = far_side or FarSide()
    deadline = time.monotonic() + wait_seconds
    while True:
        findings, books = await _inside(db)
        try:
            chain_findings = await _chains(far_side, books)
        except (ChainMovedError, _ApartError) as apart:
            if time.monotonic() < deadline:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            chain_findings = [Finding("X-3", outside_chain.HOLDINGS, ({"problem": str(apart)},))]
        break
    findings += chain_findings
    findings += await outside_money.check(far_side.payins, books, grace)
    findings += await outside_bank.check(far_side.banks, books, grace)
    findings += await outside_messages.check(far_side, books, grace)
    return Report(books.taken_at, tuple(findings), LEFT_OUT | _not_asked(far_side))


async def _inside(db: Database) -> tuple[list[Finding], OurBooks]:
    async with reading(db) as connection:
        findings = [await check(connection, invariant) for invariant in INVARIANTS]
        return findings, await read_books(connection)


class _ApartError(Exception):
    """The node and our follower stand at different blocks."""


async def _chains(far_side: FarSide, books: OurBooks) -> list[Finding]:
    sends: list[Row] = []
    holdings: list[Row] = []
    deposits: list[Row] = []
    for network, records in far_side.chains.items():
        scripts = [str(row["script"]) for row in books.of("scripts", network=network)]
        held = await records.coins(scripts)
        tip = books.tip(network)
        if tip != held.at:
            raise _ApartError(f"{network}: the node is at {_named(held.at)}, our follower at {_named(tip)}")
        history = await records.history(scripts, held.at)
        found = outside_chain.check(network, held, history, books)
        sends += found.sends
        holdings += found.holdings
        deposits += found.deposits
    for network, accounts in far_side.accounts.items():
        sends += await outside_accounts.check_sends(network, accounts, books)
        holdings += await outside_accounts.check_holdings(network, accounts, books)
    if not far_side.chains and not far_side.accounts:
        return []
    return [
        Finding("X-2", outside_chain.SENDS, tuple(sends)),
        Finding("X-3", outside_chain.HOLDINGS, tuple(holdings)),
        Finding("X-9", outside_chain.DEPOSITS, tuple(deposits)),
    ]


def _named(block: BlockId | None) -> str:
    return "no block" if block is None else f"block {block.height} {block.hash}"


def _not_asked(far_side: FarSide) -> dict[str, str]:
    """Which invariants nobody could be asked about."""
    left_out: dict[str, str] = {}
    if not far_side.payins:
        left_out |= dict.fromkeys(("X-1", "X-4"), "no provider's records were given")
    if not far_side.chains:
        left_out |= dict.fromkeys(("X-2", "X-3", "X-9"), "no node was given")
    if not far_side.banks:
        left_out["X-5"] = "no bank's records were given"
    if far_side.received is None:
        left_out["X-6"] = "no subscriber's log was given"
    if not far_side.payins:
        left_out["X-7"] = "no provider's records were given"
    if not far_side.requests:
        left_out["X-8"] = "no log of requests was given"
    return left_out
