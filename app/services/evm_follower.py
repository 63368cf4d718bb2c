"""Following an account chain: blocks, reorganisations, deposits and finality, by the network's own word for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import structlog

from app.db import account_chains, chain, evm, ledger, wallet
from app.db.alerts import raise_alert, resolve_alert
from app.db.database import Database, Transaction
from app.db.evm import Arrived, PaidHere
from app.domain import chart
from app.domain.assets import asset_by_id, native_asset
from app.domain.bookkeeping_out import arrived
from app.domain.money import Asset
from app.ports.account_chain import AccountBlock, AccountScan
from app.ports.chain import BlockId
from app.ports.errors import ProviderRejected
from app.ports.records import ChainMovedError
from app.services import deposits, evm_lost, evm_settling
from app.services.deposit_rules import DepositRules
from app.services.evm_calls import AccountSender
from app.services.tolerance import NOT_SETTLED, tolerate

log = structlog.get_logger(__name__)

_BLOCKS_KNOWN: Final = 150
_BLOCKS_AT_ONCE: Final = 50
# Kept below what is final, to walk back on even there.
_BLOCKS_KEPT: Final = 1_000
DEGRADED: Final = "chain_not_well"
WRONG_ASSET: Final = "wrong_asset"
MISMATCH: Final = "balance_mismatch"


async def follow(db: Database, sender: AccountSender, rules: DepositRules) -> bool:
    """Read on for some blocks, then settle what became final. True when there is more to read at once."""
    network = sender.network
    async with db.connection() as connection:
        known = await wallet.known_blocks(connection, network, _BLOCKS_KNOWN)
    scan = await sender.chain.scan(known, limit=_BLOCKS_AT_ONCE)
    paid = await _paid(db, sender, known, scan)
    if paid is None:
        return True  # the chain has changed since it was read
    async with db.transaction() as tx:
        await chain.take_turn(tx, network)
        if await chain.tip_hash(tx, network) != (known[-1].hash if known else None):
            return True  # another follower was quicker
        await _apply(tx, rules, network, known, scan, paid)
        await account_chains.store_scan(tx, network, scan)
        await account_chains.forget_blocks(tx, network, _BLOCKS_KEPT)
        await _judge_health(tx, sender, scan)
        final = await account_chains.final_calls(tx, network)
    for call_id in final:
        await tolerate(db, NOT_SETTLED, call_id, evm_settling.settle(db, sender, call_id))
    await deposits.count_due(db, rules, network)
    return bool(scan.blocks) and scan.blocks[-1].id.height < scan.tip_height


async def _paid(
    db: Database, sender: AccountSender, known: Sequence[BlockId], scan: AccountScan
) -> dict[str, list[PaidHere]] | None:
    """What the blocks bring to deposit addresses, by block; each checked against what the addresses hold.

    None when the node has another chain by now.
    """
    hashes = {block.height: block.hash for block in known if block.height <= scan.fork_height}
    hashes |= {block.id.height: block.id.hash for block in scan.blocks}
    found: dict[str, list[PaidHere]] = {}
    for block in scan.blocks:
        async with db.connection() as connection:
            paid = await evm.paid_deposits(connection, sender.network, block.transactions)
        if not paid:
            continue
        parent = hashes.get(block.id.height - 1)
        before = None if parent is None else BlockId(block.id.height - 1, parent)
        try:
            found[block.id.hash] = await _proved(sender, block, before, paid)
        except ChainMovedError:
            return None
    return found


async def _proved(
    sender: AccountSender, block: AccountBlock, before: BlockId | None, paid: list[PaidHere]
) -> list[PaidHere]:
    """Mark the payments to an address whose balance did not rise by what its transfers say (faults.md, F-69, F-70)."""
    native = native_asset(sender.network)
    holders = list(dict.fromkeys((one.script, asset_by_id(one.paid.asset)) for one in paid))
    try:
        after = await sender.chain.balances(holders, block.id)
        earlier = [0] * len(holders) if before is None else await sender.chain.balances(holders, before)
    except ProviderRejected as refused:  # the node keeps no state of this block any more
        log.warning("deposit.not_proved", network=sender.network, block=block.id.hash, error=str(refused))
        return [replace(one, mismatch=True) for one in paid]
    risen = {holder: now - then for holder, now, then in zip(holders, after, earlier, strict=True)}
    told: dict[tuple[str, Asset], int] = defaultdict(int)
    for call in block.transactions:
        if call.sender in {script for script, _ in holders}:
            told[call.sender, native] -= call.fee
        for output in call.outputs if call.ok else ():
            asset = output.asset or native
            told[output.script, asset] += output.amount
            if output.sender is not None:
                told[output.sender, asset] -= output.amount
    return [replace(one, mismatch=risen[holder] < told[holder]) for one in paid for holder in [_holder(one)]]


def _holder(one: PaidHere) -> tuple[str, Asset]:
    return one.script, asset_by_id(one.paid.asset)


async def _apply(
    tx: Transaction,
    rules: DepositRules,
    network: str,
    known: Sequence[BlockId],
    scan: AccountScan,
    paid: dict[str, list[PaidHere]],
) -> None:
    if known and scan.fork_height < known[-1].height:
        log.warning("chain.reorganised", network=network, fork_height=scan.fork_height, tip=known[-1].height)
        for arrival in await evm.disconnect_above(tx, network, scan.fork_height):
            await _book(tx, arrival, undo=True)
        await deposits.disconnected(tx, network, scan.fork_height)
    for block in scan.blocks:
        for arrival in await evm.connect(tx, network, block):
            await _book(tx, arrival, undo=False)
        await evm_lost.told_of(tx, network, block)
        for one in paid.get(block.id.hash, ()):
            suspect = MISMATCH if one.mismatch else None if one.expected else WRONG_ASSET
            await deposits.in_account_block(tx, rules, network, one.paid, block.id, suspect)
    newest = scan.blocks[-1].id.height if scan.blocks else scan.fork_height
    if newest >= scan.tip_height:
        await deposits.orphan_unmined(tx, network)


async def _book(tx: Transaction, arrival: Arrived, *, undo: bool) -> None:
    """Coins that the operator, or anybody, paid to the hot wallet itself."""
    base = f"arrived:{arrival.network}:{arrival.txid}:{arrival.place}:{arrival.block_hash}"
    times = await ledger.count_entries(tx, base)
    units = -arrival.units if undo else arrival.units
    asset = asset_by_id(arrival.asset)
    entry = arrived(arrival.network, asset, f"{base}:{times + 1}", units, credit=chart.EQUITY_OPERATOR)
    await ledger.post(tx, entry, None)


async def _judge_health(tx: Transaction, sender: AccountSender, scan: AccountScan) -> None:
    """Tell of a network that makes no blocks, or makes none final any more: nothing is sent and nothing counts then."""
    limit, why = sender.rules.stale_after, None
    state = await account_chains.chain_state(tx, sender.network)
    assert state is not None  # noqa: S101 - opened with the sender
    now = datetime.now(UTC)
    if limit is not None and now - datetime.fromtimestamp(scan.tip_at, UTC) > limit:
        why = f"there has been no block for {limit}"
    elif limit is not None and now - state.finalized_moved_at > 10 * limit:
        why = f"nothing has become final for {10 * limit}"
    await account_chains.set_degraded(tx, sender.network, why)
    if why is None:
        await resolve_alert(tx, DEGRADED, sender.network)
    else:
        await raise_alert(tx, DEGRADED, sender.network, why)
