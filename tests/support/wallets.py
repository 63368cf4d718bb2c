"""The hot wallet in tests: what it has signed, what miners ask for, and worlds with other rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from app.services import sweeps
from app.services.preparing import Sender
from app.services.wallet_rules import WalletRules
from tests.support.coins import mined, rpc
from tests.support.world import World

NETWORK = "bitcoin"
USUAL_RATE = 5_000  # satoshi per 1,000 virtual bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """A transaction that we signed."""

    txid: str
    fee: int
    vsize: int
    height: int | None
    replaced: bool
    raw: bytes


def sender_of(world: World, **rules: object) -> Sender:
    """The wallet's sender; with other rules from now on, if some are named."""
    sender = world.worker.senders[NETWORK]
    if rules:
        sender.rules = WalletRules(**{**asdict(sender.rules), **rules})
    return sender


async def attempts(world: World, subject: object) -> list[Attempt]:
    """Every attempt at an order's, or a payout's, send: the first one first."""
    async with world.db.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT signed.* FROM chain_transactions AS signed
            WHERE lineage_id = (SELECT lineage_id FROM sends WHERE $1 IN (order_id, payout_id)) ORDER BY attempt
            """,
            subject,
        )
    return [
        Attempt(row["txid"], int(row["fee_units"]), row["vsize"], row["height"], bool(row["replaced_at"]), row["raw"])
        for row in rows
    ]


@asynccontextmanager
async def busy_miners(world: World, least: int = 20_000) -> AsyncIterator[None]:
    """Miners take nothing below so many satoshi per 1,000 virtual bytes. The far side is shared: it ends."""
    await fees(world, least=least)
    try:
        yield
    finally:
        await fees(world)


async def fees(world: World, *, estimate: int | None = USUAL_RATE, least: int = 0) -> None:
    """What the node estimates, and what its miner asks for."""
    await world.far.command("PUT", "/control/bitcoin/fees", {"estimate": estimate, "least_mined": least})
    sender_of(world)._rated_at = float("-inf")


async def pass_by(world: World, blocks: int = 3) -> None:
    """Let blocks come that leave our transactions out, and bump those that waited too long."""
    await mined(world, blocks)
    await sweeps.bump(world.db, world.worker.senders)


async def waiting(world: World) -> list[str]:
    """The ids of what waits in the node's mempool."""
    found = await rpc(world, "getrawmempool")
    assert isinstance(found, list)
    return found
