"""What may leave the wallet: the switch of each chain, the limits of each asset, and what has left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
from sqlalchemy import BigInteger, Column, Identity
from sqlmodel import Field

from app.db.columns import moment, text, whole_units
from app.db.database import Transaction
from app.db.table import Table
from app.domain.spending import SpendingLimits, Spent

# Who signs holds it shared, who turns the switch alone: `pg_advisory_xact_lock(_SWITCH_LOCK, hashtext(network))`.
# Unlike the lock of a row it is a queue: sends that follow each other without a gap cannot keep a person waiting.
_SWITCH_LOCK = 7_240_010
# Longer than the signer is waited for, and shorter than a statement may take.
_TURN_TIMEOUT = "14s"


class WalletSwitch(Table, table=True):
    """Whether coins may leave on a chain, and whether deposits on it count."""

    __tablename__ = "wallet_switches"

    network: str = Field(sa_column=text(primary_key=True))
    sending: bool = True
    crediting: bool = True
    updated_at: datetime = Field(sa_column=moment(default_now=True))


class WalletCommand(Table, table=True):
    """Who stopped, started, allowed or moved what, and why."""

    __tablename__ = "wallet_commands"

    id: int | None = Field(default=None, sa_column=Column(BigInteger(), Identity(always=True), primary_key=True))
    network: str = Field(sa_column=text())
    command: str = Field(sa_column=text())
    subject: str | None = Field(default=None, sa_column=text(nullable=True))
    actor: str = Field(sa_column=text())
    reason: str = Field(sa_column=text())
    at: datetime = Field(sa_column=moment(default_now=True))


class SpendingLimit(Table, table=True):
    """How much of an asset may leave. Without a row nothing does."""

    __tablename__ = "spending_limits"

    asset: str = Field(sa_column=text(primary_key=True))
    per_send: int | None = Field(default=None, sa_column=whole_units(nullable=True))
    per_hour: int | None = Field(default=None, sa_column=whole_units(nullable=True))
    per_day: int | None = Field(default=None, sa_column=whole_units(nullable=True))
    per_address: int | None = Field(default=None, sa_column=whole_units(nullable=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


class Spend(Table, table=True):
    """What was let go, in the transaction that signed it. `subject` is the order or the payout."""

    __tablename__ = "spends"

    id: int | None = Field(default=None, sa_column=Column(BigInteger(), Identity(always=True), primary_key=True))
    network: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    address: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    subject: str = Field(sa_column=text())
    at: datetime = Field(sa_column=moment(default_now=True))


async def add_switches(tx: Transaction, networks: Sequence[str]) -> None:
    """Have a switch for each chain; those that are there stay as they stand."""
    await tx.execute(
        "INSERT INTO wallet_switches (network) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", list(networks)
    )


async def may_send(tx: Transaction, network: str) -> bool:
    """Whether coins may leave. Whoever turns the switch waits for the caller's transaction to end."""
    await tx.execute("SELECT pg_advisory_xact_lock_shared($1, hashtext($2))", _SWITCH_LOCK, network)
    return (await tx.fetchval("SELECT sending FROM wallet_switches WHERE network = $1", network)) is not False


async def may_credit(tx: Transaction, network: str) -> bool:
    """Whether deposits on the chain count."""
    return (await tx.fetchval("SELECT crediting FROM wallet_switches WHERE network = $1", network)) is not False


async def switch(
    tx: Transaction, network: str, *, sending: bool | None = None, crediting: bool | None = None
) -> asyncpg.Record:
    """Turn a chain's switches; None leaves one as it is. Returns how both stand: (sending, crediting).

    Waits for whoever signs just now when it is about sending.
    """
    if sending is not None:
        await tx.execute(f"SET LOCAL lock_timeout = '{_TURN_TIMEOUT}'")
        await tx.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _SWITCH_LOCK, network)
    record = await tx.fetchrow(
        """
        INSERT INTO wallet_switches AS stood (network, sending, crediting)
        VALUES ($1, coalesce($2, true), coalesce($3, true))
        ON CONFLICT (network) DO UPDATE SET sending = coalesce($2, stood.sending),
            crediting = coalesce($3, stood.crediting), updated_at = now()
        RETURNING sending, crediting
        """,
        network,
        sending,
        crediting,
    )
    assert record is not None  # noqa: S101 - an upsert returns its row
    return record


async def switches(tx: Transaction) -> list[asyncpg.Record]:
    """How every chain stands: rows of (network, sending, crediting, updated_at)."""
    return list(await tx.fetch("SELECT * FROM wallet_switches ORDER BY network"))


async def note(
    tx: Transaction, network: str, command: str, *, actor: str, reason: str, subject: str | None = None
) -> None:
    """Record who did what, and why."""
    await tx.execute(
        "INSERT INTO wallet_commands (network, command, subject, actor, reason) VALUES ($1, $2, $3, $4, $5)",
        network,
        command,
        subject,
        actor,
        reason,
    )


async def set_limits(tx: Transaction, limits: Mapping[str, SpendingLimits]) -> None:
    """Let these be the limits, by asset id; an asset that is not named may not leave at all."""
    await tx.execute("DELETE FROM spending_limits WHERE asset <> ALL ($1)", list(limits))
    await tx.executemany(
        """
        INSERT INTO spending_limits AS stood (asset, per_send, per_hour, per_day, per_address)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (asset) DO UPDATE SET per_send = $2, per_hour = $3, per_day = $4, per_address = $5,
            updated_at = now()
        WHERE (stood.per_send, stood.per_hour, stood.per_day, stood.per_address)
            IS DISTINCT FROM (excluded.per_send, excluded.per_hour, excluded.per_day, excluded.per_address)
        """,
        [(asset, one.per_send, one.per_hour, one.per_day, one.per_address) for asset, one in limits.items()],
    )


async def limits_of(tx: Transaction, asset: str) -> SpendingLimits | None:
    """The limits of an asset; with a rolling window among them, the row stays locked so that sends take turns."""
    limits = _limits(await tx.fetchrow("SELECT * FROM spending_limits WHERE asset = $1", asset))
    if limits is None or not limits.has_window:
        return limits
    return _limits(await tx.fetchrow("SELECT * FROM spending_limits WHERE asset = $1 FOR UPDATE", asset))


def _limits(record: asyncpg.Record | None) -> SpendingLimits | None:
    if record is None:
        return None
    names = ("per_send", "per_hour", "per_day", "per_address")
    return SpendingLimits(**{name: None if record[name] is None else int(record[name]) for name in names})


async def spent(tx: Transaction, asset: str, addresses: Sequence[str]) -> Spent:
    """What has left within the hour and the day, by the database's clock; within the day to each address too."""
    totals = await tx.fetchrow(
        """
        SELECT coalesce(sum(units) FILTER (WHERE at > now() - interval '1 hour'), 0) AS hour,
               coalesce(sum(units), 0) AS day
        FROM spends WHERE asset = $1 AND at > now() - interval '1 day'
        """,
        asset,
    )
    assert totals is not None  # noqa: S101 - a sum has a row
    by_address = await tx.fetch(
        """
        SELECT address, sum(units) AS units FROM spends
        WHERE asset = $1 AND at > now() - interval '1 day' AND address = ANY ($2) GROUP BY address
        """,
        asset,
        list(set(addresses)),
    )
    return Spent(int(totals["hour"]), int(totals["day"]), {row["address"]: int(row["units"]) for row in by_address})


async def record(tx: Transaction, network: str, spends: Sequence[tuple[str, str, int, str]]) -> None:
    """Write what is let go: each (asset, address, units, subject)."""
    await tx.execute(
        """
        INSERT INTO spends (network, asset, address, units, subject)
        SELECT $1, * FROM unnest($2::text[], $3::text[], $4::numeric[], $5::text[])
        """,
        network,
        *([each[place] for each in spends] for place in range(4)),
    )


async def released(tx: Transaction, subjects: Sequence[str], reason: str) -> set[str]:
    """Those of the orders and payouts that a hold of this reason has stopped, and that a person let go."""
    records = await tx.fetch(
        """
        SELECT order_id AS subject FROM transitions WHERE order_id = ANY ($1) AND trigger = 'held' AND reason = $2
        UNION SELECT resource_id FROM moves WHERE resource_id = ANY ($1) AND trigger = 'held' AND reason = $2
        """,
        list(subjects),
        reason,
    )
    return {row["subject"] for row in records}
