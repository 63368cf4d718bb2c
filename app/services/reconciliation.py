"""Reconciliation runs: read both sides of every source, match them, and keep what came out.

Our books are read first, in one snapshot, and the far side after them: what it has and we have not is then young, and
counts only once it is old enough. A chain can be compared at one block only, so both sides have to stand at the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog

from app.db import reconciled
from app.db import reconciliation as rows
from app.db.alerts import raise_alert, resolve_alert
from app.db.columns import Document, new_id
from app.db.database import Database, Transaction
from app.db.reconciled import Ours
from app.db.reconciliation import ReconciliationLine, ReconciliationRun
from app.domain import chart
from app.domain.reconciliation import Break, BreakKind, Identity, Outcome, Rules, reconcile
from app.ports.errors import ProviderError
from app.ports.records import BankRecords, ChainMovedError, ChainRecords, FarSide, PayinRecords
from app.services import break_moves
from app.services import reconciliation_sources as sources
from app.services.reconciliation_sources import Theirs

log = structlog.get_logger(__name__)

_TRIES: Final = 20
_PAUSE_SECONDS: Final = 0.5
_FAILED: Final = "reconciliation_failed"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one side may know more than the other before it is a break."""

    grace: timedelta = timedelta(minutes=10)  # theirs, of which a notification may be on its way
    statement: timedelta = timedelta(days=3)  # ours, until a bank's statement says it
    longest: timedelta = timedelta(days=7)  # whatever is under way


@dataclass(frozen=True, slots=True)
class _Source:
    """One source: the account of ours that it is about, how both sides are read, and how long ours may wait."""

    account: str
    read: Callable[[], Awaitable[tuple[Ours, Theirs]]]
    by_statements: bool = False


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Whose records are read every night, and from which hour on, in UTC."""

    far_side: FarSide
    hour: int


async def nightly(db: Database, reconciler: Reconciler) -> int:
    """Hold against the ledger whatever has not been today, once its hour has come; how many sources that was."""
    now = datetime.now(UTC)
    if now.hour < reconciler.hour:
        return 0
    return len(await run_all(db, reconciler.far_side, night=now.date().isoformat(), patience=Patience()))


async def run_all(
    db: Database, far_side: FarSide, *, only: str | None = None, night: str | None = None, patience: Patience
) -> list[ReconciliationRun]:
    """Hold every source, or one, against the ledger; with `night` those that have had no run of that night.

    A source that cannot be read is a failed run with an alert, and stops none of the others.
    """
    done: list[ReconciliationRun] = []
    for name, source in _sources(db, far_side).items():
        if only is not None and name != only:
            continue
        if night is not None and await _was_run(db, name, night):
            continue
        done.append(await _run(db, name, source, night, patience))
    return done


def sources_of(far_side: FarSide) -> list[str]:
    """Every source that can be reconciled line by line."""
    return [*far_side.payins, *far_side.banks, *far_side.chains]


async def _was_run(db: Database, source: str, night: str) -> bool:
    async with db.connection() as connection:
        return await rows.was_run(connection, source, night)


def _sources(db: Database, far_side: FarSide) -> Mapping[str, _Source]:
    return {
        **{name: _Source(chart.psp(name), partial(_read_payin, db, name, at)) for name, at in far_side.payins.items()},
        **{
            name: _Source(chart.bank(name), partial(_read_bank, db, name, at), by_statements=True)
            for name, at in far_side.banks.items()
        },
        **{
            name: _Source(chart.wallet_hot(name), partial(_read_chain, db, name, at))
            for name, at in far_side.chains.items()
        },
    }


async def _read_payin(db: Database, provider: str, records: PayinRecords) -> tuple[Ours, Theirs]:
    async with reconciled.snapshot(db) as tx:
        ours = await reconciled.of_payin(tx, provider)
    return ours, sources.of_payin(await records.read())


async def _read_bank(db: Database, provider: str, records: BankRecords) -> tuple[Ours, Theirs]:
    async with reconciled.snapshot(db) as tx:
        ours = await reconciled.of_bank(tx, provider)
    return ours, sources.of_bank(await records.read())


async def _read_chain(db: Database, network: str, records: ChainRecords) -> tuple[Ours, Theirs]:
    for _ in range(_TRIES):
        async with reconciled.snapshot(db) as tx:
            ours = await reconciled.of_chain(tx, network)
            watched = await reconciled.watched(tx, network)
        held = await records.coins(sorted(watched.scripts))
        if held.at == watched.tip:
            history = await records.history(sorted(watched.scripts), held.at)
            return ours, sources.of_chain(network, held, history, watched)
        await asyncio.sleep(_PAUSE_SECONDS)
    raise ChainMovedError("our follower and the node stand at different blocks")


async def _run(db: Database, name: str, source: _Source, night: str | None, patience: Patience) -> ReconciliationRun:
    began = datetime.now(UTC)
    run = ReconciliationRun(
        id=new_id("rr"), source=name, state="done", night=night, balances={}, started_at=began, finished_at=began
    )
    try:
        ours, theirs = await source.read()
    except (ProviderError, ChainMovedError) as error:
        return await _failed(db, run, str(error) or type(error).__name__)
    rules = Rules(
        now=ours.taken_at,
        under_way=ours.under_way,
        ours=ours.known,
        grace=patience.grace,
        patience=patience.statement if source.by_statements else patience.grace,
        longest=patience.longest,
    )
    outcome = reconcile(theirs.lines, ours.entries, rules)
    outcome.breaks += _unexplained(ours, theirs, outcome)
    async with db.transaction() as tx:
        await rows.take_turn(tx, name)
        await _keep(tx, run, source, ours, theirs, outcome)
        await resolve_alert(tx, _FAILED, name)
    log.info("reconciliation.done", source=name, lines=run.lines, matched=run.matched, breaks=run.breaks)
    return run


async def _failed(db: Database, run: ReconciliationRun, why: str) -> ReconciliationRun:
    run.state, run.error = "failed", why
    async with db.transaction() as tx:
        await rows.insert_run(tx, run)
        await raise_alert(tx, _FAILED, run.source, why)
    return run


def _unexplained(ours: Ours, theirs: Theirs, outcome: Outcome) -> list[Break]:
    """What no line and no entry explains of the two balances' difference."""
    found = []
    for asset in sorted(theirs.balances.keys() | ours.totals.keys()):
        apart = theirs.balances.get(asset, 0) - ours.totals[asset]
        units = apart - outcome.pending[asset] - outcome.broken[asset]
        if units:
            reason = "all its lines together are not the balance that it states"
            found.append(Break(BreakKind.BALANCE, "balance", asset, units, None, None, None, reason))
    return found


async def _keep(
    tx: Transaction, run: ReconciliationRun, source: _Source, ours: Ours, theirs: Theirs, outcome: Outcome
) -> None:
    run.at_block, run.lines = theirs.at_block, len(theirs.lines)
    run.matched, run.pending = len(outcome.matches), outcome.waiting
    known = {one.identity: one for one in await rows.breaks_of(tx, run.source)}
    seen = {one.identity for one in outcome.breaks}
    accepted = {
        one.identity for one in outcome.breaks if break_moves.is_explained(known.get(one.identity), one, ours.taken_at)
    }
    run.breaks = len(seen - accepted)
    run.balances = _balances(ours, theirs, outcome, accepted)
    await rows.insert_run(tx, run)
    await rows.keep_matches(
        tx,
        [
            ReconciliationLine(
                source=run.source,
                reference=line.reference,
                thing=line.thing,
                asset=line.asset,
                units=line.units,
                at=line.at,
                entry_id=entry.entry_id,
                run_id=run.id,
                matched_at=run.started_at,
            )
            for line, entry in outcome.matches
        ],
    )
    for one in outcome.breaks:
        if one.identity not in accepted:
            await break_moves.found(tx, run, source.account, known.get(one.identity), one)
    for earlier in known.values():
        if earlier.state == "open" and earlier.identity not in seen:
            await break_moves.resolve(tx, earlier, "matched", actor=break_moves.BY, reason="both sides have it now")


def _balances(ours: Ours, theirs: Theirs, outcome: Outcome, accepted: AbstractSet[Identity]) -> Document:
    """Theirs less ours is what is pending, what a person has explained, and what is broken."""
    broken: Counter[str] = Counter()
    explained: Counter[str] = Counter()
    for one in outcome.breaks:
        (explained if one.identity in accepted else broken)[one.asset] += one.units
    return {
        asset: {
            "theirs": str(theirs.balances.get(asset, 0)),
            "ours": str(ours.totals[asset]),
            "pending": str(outcome.pending[asset]),
            "explained": str(explained[asset]),
            "broken": str(broken[asset]),
        }
        for asset in sorted(theirs.balances.keys() | ours.totals.keys())
    }


def clean(runs: Sequence[ReconciliationRun]) -> bool:
    """Whether everything was read and nothing is broken."""
    return all(run.state == "done" and run.breaks == 0 for run in runs)
