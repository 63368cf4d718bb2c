"""Account chains: how far each is by its own word, and what is final there."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import Field

from app.db.columns import moment, text
from app.db.database import Transaction
from app.db.rows import row_of
from app.db.table import Table
from app.ports.account_chain import AccountScan
from app.ports.chain import BlockId


class AccountChainRow(Table, table=True):
    """How far a network is, by its own word. `sends_final` names the word by which our sends are final."""

    __tablename__ = "account_chains"

    network: str = Field(sa_column=text(primary_key=True))
    tip_height: int
    tip_at: datetime = Field(sa_column=moment())
    safe_height: int
    finalized_height: int
    sends_final: str = Field(sa_column=text())
    finalized_moved_at: datetime = Field(sa_column=moment(default_now=True))
    degraded: str | None = Field(default=None, sa_column=text(nullable=True))


async def open_chain(tx: Transaction, network: str, sends_final: str) -> None:
    """Be ready to follow a network; nothing on it is final before the first look."""
    await tx.execute(
        """
        INSERT INTO account_chains (network, tip_height, tip_at, safe_height, finalized_height, sends_final)
        VALUES ($1, 0, now(), -1, -1, $2)
        ON CONFLICT (network) DO UPDATE SET sends_final = excluded.sends_final
        """,
        network,
        sends_final,
    )


async def chain_state(tx: Transaction, network: str) -> AccountChainRow | None:
    """How far a network is; None when it was never followed."""
    record = await tx.fetchrow("SELECT * FROM account_chains WHERE network = $1", network)
    return None if record is None else row_of(AccountChainRow, record)


async def store_scan(tx: Transaction, network: str, scan: AccountScan) -> None:
    """Keep what the network says is final, as far as we have read it ourselves: never of blocks that we do not know."""
    await tx.execute(
        """
        UPDATE account_chains SET tip_height = $2, tip_at = $3,
            safe_height = least($4, known.height), finalized_height = least($5, known.height),
            finalized_moved_at = CASE WHEN least($5, known.height) > finalized_height OR $5 >= $2
                THEN now() ELSE finalized_moved_at END
        FROM (SELECT coalesce(max(height), -1) AS height FROM blocks WHERE network = $1) AS known
        WHERE account_chains.network = $1
        """,
        network,
        scan.tip_height,
        datetime.fromtimestamp(scan.tip_at, UTC),
        scan.safe,
        scan.finalized,
    )


async def set_degraded(tx: Transaction, network: str, why: str | None) -> None:
    """Say that a network does not go on, or that it does again."""
    await tx.execute(
        "UPDATE account_chains SET degraded = $2 WHERE network = $1 AND degraded IS DISTINCT FROM $2", network, why
    )


async def final_calls(tx: Transaction, network: str) -> list[str]:
    """Open calls of which an attempt is in a block that is final for sends, the lowest nonces first."""
    records = await tx.fetch(
        """
        SELECT calls.id FROM calls JOIN call_attempts ON call_id = calls.id
        JOIN account_chains AS chain ON chain.network = calls.network
        WHERE calls.network = $1 AND calls.state = 'open'
          AND height <= CASE sends_final WHEN 'safe' THEN safe_height ELSE finalized_height END
        ORDER BY sender, nonce
        """,
        network,
    )
    return [record["id"] for record in records]


async def is_final(tx: Transaction, network: str, height: int) -> bool:
    """Whether a send in a block of this height is final, by the network's word."""
    return bool(
        await tx.fetchval(
            """
            SELECT $2 <= CASE sends_final WHEN 'safe' THEN safe_height ELSE finalized_height END
            FROM account_chains WHERE network = $1
            """,
            network,
            height,
        )
    )


async def block_hash(tx: Transaction, network: str, height: int) -> str | None:
    """The hash of the block that we know at a height."""
    found: str | None = await tx.fetchval("SELECT hash FROM blocks WHERE network = $1 AND height = $2", network, height)
    return found


async def final_block(tx: Transaction, network: str) -> BlockId | None:
    """The newest block that we know and that is finalized, whatever is enough for sends; None before there is one."""
    record = await tx.fetchrow(
        """
        SELECT blocks.height, hash FROM blocks JOIN account_chains AS chain USING (network)
        WHERE network = $1 AND blocks.height <= finalized_height ORDER BY blocks.height DESC LIMIT 1
        """,
        network,
    )
    return None if record is None else BlockId(record["height"], record["hash"])


async def forget_blocks(tx: Transaction, network: str, keep: int) -> None:
    """Forget blocks that lie far below what is final: nothing is undone down there."""
    await tx.execute(
        """
        DELETE FROM blocks USING account_chains AS chain
        WHERE blocks.network = $1 AND chain.network = $1 AND height < finalized_height - $2
        """,
        network,
        keep,
    )


async def awaits_block(tx: Transaction, network: str) -> bool:
    """Whether a call of ours is out, or a deposit seen, and not yet final."""
    return bool(
        await tx.fetchval(
            """
            SELECT EXISTS (SELECT 1 FROM calls WHERE network = $1 AND state = 'open')
                OR EXISTS (SELECT 1 FROM deposits WHERE network = $1 AND state IN ('detected', 'confirmed'))
            """,
            network,
        )
    )
