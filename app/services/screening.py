"""Screening: whether an address may be paid to, or paid from, by the lists that were imported; and what is stopped.

Lists are rows in our own database: nothing is asked of the network. A list that is too old to be believed stops as
much as a match does. What was stopped is a case, which an operator ends (`screening_cases`); nothing here gives money
back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from app.db import idempotency
from app.db import screening as rows
from app.db import screening_cases as case_rows
from app.db.alerts import raise_alert
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.orders import Order
from app.db.payouts import Payout
from app.db.screening import ScreeningAddress
from app.db.screening_cases import ScreeningCase
from app.domain.errors import AddressBlocked, ConflictState, RouteUnavailable
from app.domain.screening import HOLD, CaseKind, match_key
from app.services import orders, payouts
from app.services.idempotent import IdempotentRequest

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 60
REVIEWED: Final = "This is under review."


@dataclass(frozen=True, slots=True)
class Screened:
    """An address to look up, and what it is looked up for: an order, payout or deposit, or nothing that is stored."""

    address: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A listed address, with the list's own row."""

    screened: Screened
    listed: ScreeningAddress

    @property
    def detail(self) -> str:
        """What an operator is told."""
        row = self.listed
        return f"{self.screened.address} is on {row.source}: {row.label}, entry {row.entry}, {row.name}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the lists say. `problem` says why they cannot be believed; then nothing is clear."""

    hits: tuple[Hit, ...] = ()
    problem: str | None = None

    @property
    def is_clear(self) -> bool:
        """Whether money may go on."""
        return not self.hits and self.problem is None

    def of(self, subject: str) -> Verdict:
        """What concerns one subject of several."""
        return Verdict(tuple(hit for hit in self.hits if hit.screened.subject == subject), self.problem)


CLEAR: Final = Verdict()


async def is_required(tx: Transaction) -> bool:
    """Whether any list is required; where none is, everything is clear."""
    return bool(await rows.standings(tx))


async def check(tx: Transaction, screened: Sequence[Screened]) -> Verdict:
    """Look addresses up in the lists as they stand in this moment.

    What a person has released for a subject is no hit for that subject any more, until it is listed anew.
    """
    standings = await rows.standings(tx)
    if not standings or not screened:
        return CLEAR
    problem = next((f"{one.source}: {one.problem}" for one in standings if one.problem is not None), None)
    wanted: dict[str, list[Screened]] = defaultdict(list)
    for one in screened:
        wanted[match_key(one.address)].append(one)
    found = await rows.listed(tx, list(wanted))
    passed = await case_rows.released(tx, [one.subject for one in screened]) if found else set()
    hits = [Hit(one, row) for row in found for one in wanted[row.key] if (one.subject, row.id) not in passed]
    return Verdict(tuple(hits), problem)


async def admit(db: Database, address: str, *, caller: IdempotentRequest, pointer: str) -> None:
    """Look an address up before anything is written about it; `pointer` is where it stood in the request.

    Raises AddressBlocked, and RouteUnavailable while no list is fresh enough to tell. Only an alert is kept. A request
    that was answered before lists changed gets that answer again.
    """
    async with db.connection() as connection:
        if (await check(connection, [Screened(address)])).is_clear:
            return
        if await idempotency.find(connection, caller.partner_id, caller.key) is not None:
            return
    await require_clear(db, caller.partner_id, address, pointer=pointer)


async def require_clear(db: Database, whose: str, address: str, *, pointer: str) -> None:
    """Look an address up, as of now, in the name of the partner `whose`; raises as `admit`."""
    async with db.connection() as connection:
        verdict = await check(connection, [Screened(address)])
    if verdict.is_clear:
        return
    async with db.transaction() as tx:
        if verdict.hits:
            [hit, *_] = verdict.hits
            await raise_alert(tx, "address_blocked", f"{whose}:{hit.listed.id}", f"{whose}: {hit.detail}")
        elif verdict.problem is not None:
            await raise_alert(tx, "screening_stale", "lists", verdict.problem)
    if verdict.hits:
        raise AddressBlocked(pointer=pointer)
    if verdict.problem is not None:
        raise RouteUnavailable("Addresses cannot be checked now.", retry_after=_RETRY_SECONDS)


async def may_send(tx: Transaction, order: Order) -> bool:
    """Whether the coins of a locked order may leave to its address, in the transaction that signs; else it is held."""
    verdict = await check(tx, [Screened(order.address or "", order.id)])
    if verdict.is_clear:
        return True
    await record(tx, order.id, order.partner_id, verdict)
    await orders.hold(tx, order.id, HOLD, cause=f"{order.id}:{order.sequence}")
    return False


async def may_leave(tx: Transaction, waiting: Sequence[Payout]) -> list[Payout]:
    """Those of the locked payouts whose addresses are clear, or that go to no address; the others are held."""
    verdict = await check(tx, [Screened(one.address, one.id) for one in waiting if one.address is not None])
    if verdict.is_clear:
        return list(waiting)
    for payout in waiting:
        its = verdict.of(payout.id)
        if payout.address is not None and not its.is_clear:
            await record(tx, payout.id, payout.partner_id, its)
            await payouts.hold(tx, payout, HOLD, cause=f"{payout.id}:{payout.sequence}")
    return [payout for payout in waiting if payout.hold is None]


async def record(tx: Transaction, subject: str, partner_id: str, verdict: Verdict) -> None:
    """Open a case for each hit, or one for what could not be checked, and tell a person."""
    for hit in verdict.hits:
        case = _case(subject, partner_id, CaseKind.MATCH, hit.screened.address, hit.detail)
        case.listed_id = hit.listed.id
        if await case_rows.open_case(tx, case):
            await raise_alert(tx, "screening_match", subject, f"{case.id}: {hit.detail}")
    if not verdict.hits and verdict.problem is not None:
        case = _case(subject, partner_id, CaseKind.UNCHECKED, "", verdict.problem)
        if await case_rows.open_case(tx, case):
            await raise_alert(tx, "screening_stale", "lists", verdict.problem)
    log.warning("screening.stopped", subject=subject, hits=len(verdict.hits), problem=verdict.problem)


def _case(subject: str, partner_id: str, kind: CaseKind, address: str, detail: str) -> ScreeningCase:
    return ScreeningCase(
        id=new_id("sc"),
        subject=subject,
        partner_id=partner_id,
        kind=kind.value,
        address=address,
        detail=detail,
        state="open",
        opened_at=datetime.now(UTC),
    )


async def not_stopped(tx: Transaction, *subjects: str) -> None:
    """Raises ConflictState while a case stops one of these: its money goes nowhere before an operator has decided."""
    if await case_rows.stopping(tx, subjects):
        raise ConflictState(REVIEWED)
