"""The far side as the tests want it: real records, changed in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.audit import outside_chain
from app.audit.books import OurBooks
from app.audit.report import Finding, Row
from app.ports.chain import ChainTransaction
from app.ports.records import BankBooks, ChainCoins, PayinBooks, SeenRequest

GRACE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A provider's records that say what they are told to say."""

    books: PayinBooks

    async def read(self) -> PayinBooks:
        return self.books


@dataclass(frozen=True, slots=True)
class FixedBank:
    """A bank's records that say what they are told to say."""

    books: BankBooks

    async def read(self) -> BankBooks:
        return self.books


@dataclass(frozen=True, slots=True)
class Log:
    """A log of requests that says what it is told to say."""

    seen: Sequence[SeenRequest]

    async def requests(self) -> Sequence[SeenRequest]:
        return self.seen


@dataclass(frozen=True, slots=True)
class Chain:
    """What the node says, at the block at which our books stand."""

    held: ChainCoins
    history: tuple[ChainTransaction, ...]

    def check(self, ours: OurBooks) -> tuple[int, int]:
        """How many violations of X-2 and of X-3 there are."""
        found = outside_chain.check("bitcoin", self.held, self.history, ours)
        return len(found.sends), len(found.holdings)

    def deposits(self, ours: OurBooks) -> list[str]:
        """What X-9 says is wrong."""
        found = outside_chain.check("bitcoin", self.held, self.history, ours)
        return [str(row["problem"]) for row in found.deposits]


def without(books: OurBooks, what: str, unwanted: Callable[[Row], bool]) -> OurBooks:
    """Our books with some rows missing."""
    rows: Mapping[str, Sequence[Row]] = {
        **books.rows,
        what: [row for row in books.rows[what] if not unwanted(row)],
    }
    return OurBooks(books.taken_at, rows)


def changed(books: OurBooks, what: str, wanted: Callable[[Row], bool], **values: object) -> OurBooks:
    """Our books with some values of some rows changed."""
    rows = [{**row, **values} if wanted(row) else row for row in books.rows[what]]
    return OurBooks(books.taken_at, {**books.rows, what: rows})


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """The invariants that do not hold, with how often."""
    return {finding.id: finding.count for finding in findings if finding.count}


def pending(findings: Sequence[Finding]) -> dict[str, int]:
    """What is too young to be called wrong."""
    return {finding.id: len(finding.pending) for finding in findings if finding.pending}
