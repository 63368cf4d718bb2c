"""Screening: the lists' addresses, and the rules that say how old a list may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Column, Identity
from sqlmodel import Field

from app.db.columns import counter, moment, text
from app.db.database import Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.domain.screening import Freshness

# Two imports at once would each take the other's addresses for gone.
_IMPORT_LOCK = 7_240_007


class ScreeningRule(Table, table=True):
    """A list that is required. Both ages are in seconds."""

    __tablename__ = "screening_rules"

    source: str = Field(sa_column=text(primary_key=True))
    fetched_within_seconds: int = Field(sa_column=counter())
    issued_within_seconds: int = Field(sa_column=counter())
    updated_at: datetime = Field(sa_column=moment(default_now=True))


class ScreeningList(Table, table=True):
    """One import of a list."""

    __tablename__ = "screening_lists"

    id: str = Field(sa_column=text(primary_key=True))
    source: str = Field(sa_column=text())
    issued_at: datetime = Field(sa_column=moment())
    sha256: str = Field(sa_column=text())
    addresses: int = Field(sa_column=counter())
    added: int = Field(sa_column=counter())
    removed: int = Field(sa_column=counter())
    imported_by: str = Field(sa_column=text())
    imported_at: datetime = Field(sa_column=moment(default_now=True))


class ScreeningAddress(Table, table=True):
    """An address that a list names, or named until the import `removed_in`."""

    __tablename__ = "screening_addresses"

    id: int | None = Field(default=None, sa_column=Column(BigInteger(), Identity(always=True), primary_key=True))
    source: str = Field(sa_column=text())
    key: str = Field(sa_column=text())
    address: str = Field(sa_column=text())
    label: str = Field(sa_column=text())
    entry: str = Field(sa_column=text())
    name: str = Field(sa_column=text())
    added_in: str = Field(sa_column=text())
    removed_in: str | None = Field(default=None, sa_column=text(nullable=True))


@dataclass(frozen=True, slots=True)
class Standing:
    """A required list as it stands now: what it may be, and when it was last imported and issued."""

    source: str
    freshness: Freshness
    issued_at: datetime | None
    imported_at: datetime | None
    addresses: int
    now: datetime

    @property
    def problem(self) -> str | None:
        """Why the list is not to be believed; None while it is."""
        return self.freshness.problem(imported_at=self.imported_at, issued_at=self.issued_at, now=self.now)


async def standings(tx: Transaction) -> list[Standing]:
    """Every required list, with its newest import."""
    records = await tx.fetch(
        """
        SELECT rule.source, fetched_within_seconds, issued_within_seconds, newest.*, clock_timestamp() AS now
        FROM screening_rules AS rule LEFT JOIN LATERAL (
            SELECT issued_at, imported_at, addresses FROM screening_lists
            WHERE screening_lists.source = rule.source ORDER BY imported_at DESC LIMIT 1
        ) AS newest ON true ORDER BY rule.source
        """
    )
    return [
        Standing(
            record["source"],
            Freshness(
                timedelta(seconds=record["fetched_within_seconds"]), timedelta(seconds=record["issued_within_seconds"])
            ),
            record["issued_at"],
            record["imported_at"],
            record["addresses"] or 0,
            record["now"],
        )
        for record in records
    ]


async def listed(tx: Transaction, keys: Sequence[str]) -> list[ScreeningAddress]:
    """What the lists name now under any of these keys; lists that are not required count too."""
    return rows_of(
        ScreeningAddress,
        await tx.fetch(
            "SELECT * FROM screening_addresses WHERE key = ANY($1) AND removed_in IS NULL ORDER BY id", list(keys)
        ),
    )


async def require(tx: Transaction, rules: Sequence[ScreeningRule]) -> None:
    """Make these the lists that are required, and no others."""
    await tx.execute("DELETE FROM screening_rules WHERE source <> ALL($1)", [rule.source for rule in rules])
    for rule in rules:
        await tx.execute(
            """
            INSERT INTO screening_rules (source, fetched_within_seconds, issued_within_seconds) VALUES ($1, $2, $3)
            ON CONFLICT (source) DO UPDATE SET fetched_within_seconds = $2, issued_within_seconds = $3,
                updated_at = now()
            """,
            rule.source,
            rule.fetched_within_seconds,
            rule.issued_within_seconds,
        )


async def newest_list(tx: Transaction, source: str) -> ScreeningList | None:
    """The newest import of a list; imports wait for each other from here on."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _IMPORT_LOCK)
    record = await tx.fetchrow(
        "SELECT * FROM screening_lists WHERE source = $1 ORDER BY imported_at DESC LIMIT 1", source
    )
    return None if record is None else row_of(ScreeningList, record)


async def replace(
    tx: Transaction, made: ScreeningList, addresses: Sequence[tuple[str, str, str, str, str]]
) -> ScreeningList:
    """Write an import. `addresses` are all that the list names now, as (key, address, label, entry, name), each once.

    What stood on the list and does so no more is marked with this import; what stands on it still keeps its row.
    """
    given = [list(column) for column in zip(*addresses, strict=True)]
    gone = await tx.fetchval(
        """
        SELECT count(*) FROM screening_addresses AS old WHERE source = $1 AND removed_in IS NULL AND NOT EXISTS (
            SELECT 1 FROM unnest($2::text[], $3::text[], $4::text[]) AS new (key, label, entry)
            WHERE (new.key, new.label, new.entry) = (old.key, old.label, old.entry)
        )
        """,
        made.source,
        given[0],
        given[2],
        given[3],
    )
    known = await tx.fetchval(
        "SELECT count(*) FROM screening_addresses WHERE source = $1 AND removed_in IS NULL", made.source
    )
    made.addresses, made.removed = len(addresses), gone
    made.added = len(addresses) - (known - gone)
    made.imported_at = await tx.fetchval(
        """
        INSERT INTO screening_lists (id, source, issued_at, sha256, addresses, added, removed, imported_by, imported_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp()) RETURNING imported_at
        """,
        made.id,
        made.source,
        made.issued_at,
        made.sha256,
        made.addresses,
        made.added,
        made.removed,
        made.imported_by,
    )
    await _keep_changes(tx, made, given)
    return made


async def _keep_changes(tx: Transaction, made: ScreeningList, given: list[list[str]]) -> None:
    """Mark what has left the list, and write what is new on it."""
    await tx.execute(
        """
        UPDATE screening_addresses AS old SET removed_in = $5
        WHERE source = $1 AND removed_in IS NULL AND NOT EXISTS (
            SELECT 1 FROM unnest($2::text[], $3::text[], $4::text[]) AS new (key, label, entry)
            WHERE (new.key, new.label, new.entry) = (old.key, old.label, old.entry)
        )
        """,
        made.source,
        given[0],
        given[2],
        given[3],
        made.id,
    )
    await tx.execute(
        """
        INSERT INTO screening_addresses (source, key, address, label, entry, name, added_in)
        SELECT $1, key, address, label, entry, name, $7
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
            AS new (key, address, label, entry, name)
        ON CONFLICT (key, source, label, entry) WHERE removed_in IS NULL DO NOTHING
        """,
        made.source,
        *given,
        made.id,
    )
