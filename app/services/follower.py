"""The follower: keeps our own list of blocks in step with a chain, through reorganisations, and confirms sends."""

from __future__ import annotations

import asyncpg
import structlog

from app.db import chain, ledger, lineages, wallet
from app.db.alerts import raise_alert
from app.db.chain import Arrival
from app.db.database import Database, Transaction
from app.domain import chart
from app.domain.assets import native_asset
from app.domain.bookkeeping_out import arrived
from app.ports.chain import BlockId, ChainProvider, Scan
from app.services import abandoning, bumps, deposits, payout_sends, sends, treasury
from app.services.deposit_rules import DepositRules
from app.services.tolerance import NOT_SETTLED, tolerate

log = structlog.get_logger(__name__)

# How far back a reorganisation is looked for before everything is read anew from the rail's start height.
_BLOCKS_KNOWN = 150
_BLOCKS_AT_ONCE = 50


async def follow(db: Database, rail: ChainProvider, rules: DepositRules) -> bool:
    """Read on for some blocks, then confirm what became final and count what became deep enough.

    True when there is more to read at once.
    """
    async with db.connection() as connection:
        known = await wallet.known_blocks(connection, rail.network, _BLOCKS_KNOWN)
    scan = await rail.scan(known, limit=_BLOCKS_AT_ONCE)
    moved = bool(scan.blocks) or (bool(known) and scan.fork_height < known[-1].height)
    if moved:
        async with db.transaction() as tx:
            await chain.take_turn(tx, rail.network)
            if await chain.tip_hash(tx, rail.network) != (known[-1].hash if known else None):
                return True  # another follower was quicker
            await _apply(tx, rules, rail.network, known, scan)
    async with db.connection() as connection:
        final = await wallet.final_lineages(connection, rail.network)
        deepest = rules.ladder(rail.network)[-1].confirmations
        gone = await lineages.gone(connection, rail.network, deepest)
    for record in final:
        await tolerate(db, NOT_SETTLED, record["lineage_id"], _settle(db, record))
    for lineage_id in gone:
        await tolerate(db, NOT_SETTLED, lineage_id, abandoning.abandon_gone(db, rail.network, deepest, lineage_id))
    await deposits.count_due(db, rules, rail.network)
    return bool(scan.blocks) and scan.blocks[-1].id.height < scan.tip_height


async def _settle(db: Database, record: asyncpg.Record) -> None:
    match record["purpose"]:
        case "deliver":
            await sends.confirm(db, record["order_id"], record["lineage_id"], record["txid"])
        case "payout":
            await payout_sends.settle(db, record["lineage_id"], record["txid"])
        case _:
            await treasury.settle(db, record["lineage_id"], record["txid"])


async def _apply(tx: Transaction, rules: DepositRules, network: str, known: list[BlockId], scan: Scan) -> None:
    if known and scan.fork_height < known[-1].height:
        log.warning("chain.reorganised", network=network, fork_height=scan.fork_height, tip=known[-1].height)
        for arrival in await chain.disconnect_above(tx, network, scan.fork_height):
            await _book(tx, network, arrival, undo=True)
        await deposits.disconnected(tx, network, scan.fork_height)
    # Whoever was given an address paid it later, and the blocks were read later still: none of ours is missed.
    paid = {o.script for block in scan.blocks for t in block.transactions for o in t.outputs}
    ours = await chain.ours(tx, network, paid)
    for block in scan.blocks:
        for arrival in await chain.connect(tx, network, block, ours):
            await _book(tx, network, arrival, undo=False)
        await deposits.in_block(tx, rules, network, block)
        for outpoint in await chain.foreign_spends(tx, network, block.id.height):
            await raise_alert(
                tx, "foreign_spend", outpoint, "a coin of ours was spent by a transaction we never signed"
            )
    await bumps.decide_anew(tx, network)
    for lineage_id, txid in await lineages.mined_after_all(tx, network, scan.fork_height):
        detail = f"{txid} is in a block although it was given up: what it pays was paid back, or paid anew"
        await raise_alert(tx, "mined_after_all", lineage_id, detail)


async def _book(tx: Transaction, network: str, arrival: Arrival, *, undo: bool) -> None:
    """Coins that belong to no order: the operator's on a funding address, anybody's elsewhere.

    The block is part of the reference, because the same transaction can be mined, lost and mined again; the count
    of bookings makes room for the same block coming back.
    """
    credit = chart.EQUITY_OPERATOR if arrival.purpose == "funding" else chart.SUSPENSE
    base = f"arrived:{network}:{arrival.txid}:{arrival.purpose}:{arrival.block_hash}"
    times = await ledger.count_entries(tx, base)
    entry = arrived(
        network,
        native_asset(network),
        f"{base}:{times + 1}",
        -arrival.units if undo else arrival.units,
        credit=credit,
    )
    await ledger.post(tx, entry, None)
    if arrival.purpose != "funding" and not undo:
        await raise_alert(tx, "unmatched_coins", arrival.txid, f"{arrival.units} units arrived that nobody announced")
