"""Calls: what we signed on chains with accounts. One nonce of one sender each, with every attempt at using it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field

from app.db.columns import moment, text, whole_units
from app.db.database import Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.db.wallet import Send


class Call(Table, table=True):
    """One nonce and what it is for. `units` of `asset` leave the sender; `about` is the deposit address behind it."""

    __tablename__ = "calls"

    id: str = Field(sa_column=text(primary_key=True))
    network: str = Field(sa_column=text())
    sender: str = Field(sa_column=text())
    nonce: int = Field(sa_column=Column(BigInteger(), nullable=False))
    purpose: str = Field(sa_column=text())
    about: str | None = Field(default=None, sa_column=text(nullable=True))
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    gas_limit: int = Field(sa_column=Column(BigInteger(), nullable=False))
    gas_reserved: int = Field(default=0, sa_column=whole_units())
    state: str = Field(sa_column=text())
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


class CallAttempt(Table, table=True):
    """Signed bytes. `ok` and `fee_units` are those of the block that they are in; a filler does nothing but fill."""

    __tablename__ = "call_attempts"

    txid: str = Field(sa_column=text(primary_key=True))
    network: str = Field(sa_column=text())
    call_id: str = Field(sa_column=text())
    raw: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    max_fee: int = Field(sa_column=whole_units())
    priority_fee: int = Field(sa_column=whole_units())
    is_filler: bool = False
    height: int | None = None
    ok: bool | None = None
    fee_units: int | None = Field(default=None, sa_column=whole_units(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    broadcast_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


async def insert(tx: Transaction, call: Call, attempt: CallAttempt) -> None:
    """Write a call with its first attempt; its sender is locked. A nonce that is used up already violates a key."""
    await tx.execute(
        """
        WITH taken AS (
            UPDATE senders SET next_nonce = greatest(next_nonce, $4 + 1) WHERE network = $2 AND script = $3
        )
        INSERT INTO calls (id, network, sender, nonce, purpose, about, asset, units, gas_limit, gas_reserved, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open')
        """,
        call.id,
        call.network,
        call.sender,
        call.nonce,
        call.purpose,
        call.about,
        call.asset,
        call.units,
        call.gas_limit,
        call.gas_reserved,
    )
    await add_attempt(tx, attempt, gas_reserved=call.gas_reserved)


async def add_attempt(tx: Transaction, attempt: CallAttempt, *, gas_reserved: int) -> None:
    """Write bytes for a call, and what is set aside for its gas from now on."""
    await tx.execute(
        """
        WITH reserved AS (
            UPDATE calls SET gas_reserved = $8, updated_at = now() WHERE id = $3
        )
        INSERT INTO call_attempts (txid, network, call_id, raw, max_fee, priority_fee, is_filler)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        attempt.txid,
        attempt.network,
        attempt.call_id,
        attempt.raw,
        attempt.max_fee,
        attempt.priority_fee,
        attempt.is_filler,
        gas_reserved,
    )


async def insert_sends(tx: Transaction, made: Sequence[Send]) -> None:
    """Write the sends that a call makes; a second one of an order, or of a payout, violates a key."""
    await tx.execute(
        """
        INSERT INTO sends (id, lineage_id, order_id, payout_id, network, purpose, asset, address, script, units,
                           fee_units, confirmations_needed, state)
        SELECT id, lineage_id, order_id, payout_id, network, purpose, asset, address, script, units, 0, 1, 'prepared'
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::text[], $10::numeric[])
            AS made (id, lineage_id, order_id, payout_id, network, purpose, asset, address, script, units)
        """,
        [send.id for send in made],
        [send.lineage_id for send in made],
        [send.order_id for send in made],
        [send.payout_id for send in made],
        [send.network for send in made],
        [send.purpose for send in made],
        [send.asset for send in made],
        [send.address for send in made],
        [send.script for send in made],
        [send.units for send in made],
    )


async def get(tx: Transaction, call_id: str) -> Call | None:
    """A call, not locked."""
    record = await tx.fetchrow("SELECT * FROM calls WHERE id = $1", call_id)
    return None if record is None else row_of(Call, record)


async def lock(tx: Transaction, call_id: str) -> Call | None:
    """A call, locked until the transaction ends; after the orders and payouts that it is for, and after its sender."""
    record = await tx.fetchrow("SELECT * FROM calls WHERE id = $1 FOR UPDATE", call_id)
    return None if record is None else row_of(Call, record)


async def attempts(tx: Transaction, call_id: str) -> list[CallAttempt]:
    """Every attempt at a call, the newest first."""
    return rows_of(
        CallAttempt,
        await tx.fetch("SELECT * FROM call_attempts WHERE call_id = $1 ORDER BY created_at DESC, txid", call_id),
    )


async def sends_of(tx: Transaction, call_id: str) -> list[Send]:
    """Whom a call pays, in the order in which they were written."""
    return rows_of(Send, await tx.fetch("SELECT * FROM sends WHERE lineage_id = $1 ORDER BY id", call_id))


async def set_sends_state(tx: Transaction, call_id: str, state: str) -> None:
    """What has become of a call's sends."""
    await tx.execute("UPDATE sends SET state = $2, updated_at = now() WHERE lineage_id = $1", call_id, state)


async def mark_broadcast(tx: Transaction, call_id: str, txid: str) -> None:
    """A node has taken the bytes."""
    await tx.execute(
        """
        WITH sent AS (
            UPDATE sends SET state = 'broadcast', updated_at = now() WHERE lineage_id = $1 AND state = 'prepared'
        )
        UPDATE call_attempts SET broadcast_at = now() WHERE txid = $2
        """,
        call_id,
        txid,
    )


async def finish(tx: Transaction, call_id: str, state: str) -> None:
    """What a nonce was used for is final."""
    await tx.execute("UPDATE calls SET state = $2, updated_at = now() WHERE id = $1", call_id, state)


async def lowest_open(tx: Transaction, network: str, script: str) -> Call | None:
    """The call that all later ones of its sender wait for: open, and in no block."""
    return next(iter(await unmined(tx, network, script)), None)


async def unmined(tx: Transaction, network: str, script: str) -> list[Call]:
    """The open calls of a sender that are in no block, the lowest nonces first."""
    records = await tx.fetch(
        """
        SELECT * FROM calls WHERE network = $1 AND sender = $2 AND state = 'open' AND NOT EXISTS (
            SELECT 1 FROM call_attempts WHERE call_id = calls.id AND height IS NOT NULL
        ) ORDER BY nonce
        """,
        network,
        script,
    )
    return rows_of(Call, records)


async def at_nonce(tx: Transaction, network: str, script: str, nonce: int) -> Call | None:
    """The call of ours that uses a nonce."""
    record = await tx.fetchrow(
        "SELECT * FROM calls WHERE network = $1 AND sender = $2 AND nonce = $3", network, script, nonce
    )
    return None if record is None else row_of(Call, record)


async def silent(tx: Transaction, network: str, limit: int) -> list[str]:
    """Open calls that are in no block a while after their last broadcast, the lowest nonces first."""
    records = await tx.fetch(
        """
        SELECT calls.id FROM calls JOIN call_attempts ON call_id = calls.id
        WHERE calls.network = $1 AND state = 'open'
        GROUP BY calls.id, sender, nonce
        HAVING max(height) IS NULL
           AND max(coalesce(broadcast_at, call_attempts.created_at)) < now() - interval '10 seconds'
        ORDER BY sender, nonce LIMIT $2
        """,
        network,
        limit,
    )
    return [record["id"] for record in records]


async def committed(tx: Transaction, network: str, script: str, asset: str, height: int) -> tuple[int, int]:
    """What a sender's open calls will still take of what it held at a height: units of the asset, and gas in wei."""
    record = await tx.fetchrow(
        """
        SELECT coalesce(sum(units) FILTER (WHERE asset = $3 AND purpose = 'send'), 0) AS units,
               coalesce(sum(gas_limit * (
                   SELECT max(max_fee) FROM call_attempts WHERE call_id = calls.id
               )), 0) AS gas
        FROM calls WHERE network = $1 AND sender = $2 AND state = 'open' AND NOT EXISTS (
            SELECT 1 FROM call_attempts WHERE call_id = calls.id AND height <= $4
        )
        """,
        network,
        script,
        asset,
        height,
    )
    assert record is not None  # noqa: S101 - one row, always
    return int(record["units"]), int(record["gas"])


async def is_open(tx: Transaction, network: str, purpose: str, about: str | None, asset: str) -> bool:
    """Whether such a call has still to become final."""
    return bool(
        await tx.fetchval(
            """
            SELECT EXISTS (SELECT 1 FROM calls WHERE network = $1 AND purpose = $2
                AND about IS NOT DISTINCT FROM $3 AND asset = $4 AND state = 'open')
            """,
            network,
            purpose,
            about,
            asset,
        )
    )


async def has_waited(tx: Transaction, call_id: str, least: timedelta) -> bool:
    """Whether a call is in no block, and its newest attempt is at least so old."""
    return bool(
        await tx.fetchval(
            """
            SELECT max(height) IS NULL AND max(created_at) <= clock_timestamp() - $2::interval
            FROM call_attempts WHERE call_id = $1
            """,
            call_id,
            least,
        )
    )
