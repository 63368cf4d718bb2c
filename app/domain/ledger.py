"""The ledger's values: postings, and entries that balance in every asset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import UnbalancedEntry
from app.domain.money import Asset, Money


@dataclass(frozen=True, slots=True)
class Posting:
    """One line: `units` of `asset` on `account`, debit positive, credit negative."""

    account: str
    asset: Asset
    units: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A balanced set of postings. `reference` names the business fact; no two entries may share one."""

    reference: str
    kind: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        sums: dict[Asset, int] = defaultdict(int)
        for posting in self.postings:
            if posting.units == 0:
                raise UnbalancedEntry(f"{self.reference}: a posting of nothing on {posting.account}")
            sums[posting.asset] += posting.units
        if len(self.postings) < 2 or any(sums.values()):
            raise UnbalancedEntry(f"{self.reference}: {dict(sums)}")


def entry(reference: str, kind: str, postings: Sequence[Posting]) -> Entry:
    """Make an entry, leaving out the lines that move nothing."""
    return Entry(reference, kind, tuple(posting for posting in postings if posting.units))


def transfer(reference: str, kind: str, *, debit: str, credit: str, amount: Money) -> Entry:
    """The simplest entry: one amount from `credit` to `debit`."""
    return Entry(
        reference,
        kind,
        (Posting(debit, amount.asset, amount.units), Posting(credit, amount.asset, -amount.units)),
    )


def reverse(original: Entry, reference: str, kind: str) -> Entry:
    """The entry that undoes another, line by line."""
    return Entry(reference, kind, tuple(Posting(p.account, p.asset, -p.units) for p in original.postings))
