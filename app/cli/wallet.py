"""`rampwright wallet`: what the hot wallets hold, stopping and starting them, and moving coins to cold storage."""

from __future__ import annotations

import asyncio
from typing import Annotated

import httpx
import typer

from app.cli.acting import Actor, Reason
from app.cli.instance import opened, settings
from app.cli.output import MISUSED, AsJson, Row, fail, out, print_json, show, told
from app.db import chain, lineages
from app.db import coins as coin_rows
from app.db import spending as spending_rows
from app.db import treasury as treasury_rows
from app.db.database import Transaction
from app.domain.assets import CATALOGUE, native_asset
from app.domain.money import Asset, Money, format_units, parse_units
from app.services import abandoning, evm_restarts, treasury
from app.wiring import bitcoin, evm
from app.wiring.assembly import policy
from app.wiring.needed import NotConfigured
from app.wiring.wallets import address_rules, rules

Network = Annotated[str, typer.Argument(help="The chain: bitcoin, litecoin, ethereum, base.")]
ColdAddress = Annotated[str, typer.Argument(help="An address in cold storage.")]
Amount = Annotated[str | None, typer.Argument(help="How much, as `0.50000000`; what is above the ceiling if left out.")]
SenderAddress = Annotated[
    str | None, typer.Option("--sender", help="An address of ours that was stopped, `0x...`: what this starts is it.")
]
Lineage = Annotated[str, typer.Argument(help="What was signed, `ln_...`, as `wallet status` shows it.")]
Crediting = Annotated[bool, typer.Option("--crediting", help="Deposits, not sends.")]


def register(app: typer.Typer) -> None:
    """Add `rampwright wallet`."""
    group = typer.Typer(help="The hot wallets.", no_args_is_help=True)
    group.command("status")(status)
    group.command("stop")(stop)
    group.command("start")(start)
    group.command("allow")(allow)
    group.command("sweep")(sweep)
    group.command("abandon")(abandon)
    app.add_typer(group, name="wallet")


def status(as_json: AsJson = False) -> None:
    """Show what each wallet holds, whether it is stopped, and what it signed that no block has taken."""
    with told(NotConfigured):
        wallets, pending, cold = asyncio.run(_status())
    if as_json:
        print_json({"wallets": wallets, "pending": pending, "cold": cold})
        return
    show(wallets, title="wallets", as_json=False)
    show(pending, title="signed, in no block yet", as_json=False)
    show(cold, title="cold addresses", as_json=False)


def stop(network: Network, actor: Actor, reason: Reason, crediting: Crediting = False) -> None:
    """Let nothing be signed on a chain any more, or no deposit count; what is being signed is waited for."""
    _turn(network, actor, reason, crediting=crediting, on=False)


def start(
    network: Network, actor: Actor, reason: Reason, crediting: Crediting = False, sender: SenderAddress = None
) -> None:
    """Let coins leave again on a chain, or deposits count; or let one address sign again that was stopped."""
    if sender is not None:
        with told(NotConfigured):
            nonce = asyncio.run(_restart(network, sender, actor, reason))
        out.print(f"{network}: {sender} signs again, from nonce {nonce} on")
        return
    _turn(network, actor, reason, crediting=crediting, on=True)


def allow(network: Network, address: ColdAddress, actor: Actor, reason: Reason) -> None:
    """Propose a cold address; a second person agrees by the same command. It can be used a day after the first."""
    with told(NotConfigured):
        agreed = asyncio.run(_allow(network, address, actor, reason))
    out.print(f"{address}: {'agreed to' if agreed else 'proposed; somebody else has to agree'}")


def sweep(network: Network, address: ColdAddress, actor: Actor, reason: Reason, amount: Amount = None) -> None:
    """Ask for coins to be moved to a cold address; the worker signs that."""
    with told(NotConfigured):
        sweep_id, moved = asyncio.run(_sweep(network, address, amount, actor, reason))
    out.print(f"{sweep_id}: {moved} to {address}")


def abandon(lineage: Lineage, actor: Actor, reason: Reason) -> None:
    """Give up what was signed and can never be mined; refused while any attempt at it still could be."""
    with told(NotConfigured):
        gone = asyncio.run(_abandon(lineage, actor, reason))
    out.print(f"{lineage} is given up: {gone}")


def _turn(network: str, actor: str, reason: str, *, crediting: bool, on: bool) -> None:
    with told():
        stands = asyncio.run(_turned(network, actor, reason, crediting=crediting, on=on))
    names = [f"{'started' if up else 'stopped'}" for up in stands]
    out.print(f"{network}: sending is {names[0]}, crediting is {names[1]}")


async def _turned(network: str, actor: str, reason: str, *, crediting: bool, on: bool) -> tuple[bool, bool]:
    if network not in {asset.network for asset in CATALOGUE}:
        fail(f"There is no chain {network}.", MISUSED)
    wanted = {"crediting": on} if crediting else {"sending": on}
    async with opened() as db, db.transaction() as tx:
        return await treasury.turn(tx, network, actor=actor, reason=reason, **wanted)


async def _restart(network: str, address: str, actor: str, reason: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as http, opened() as db:
        reader = evm.records(settings(), http).get(network)
        if reader is None:
            fail(f"{network} is no chain whose addresses sign by themselves.", MISUSED)
        script = address.removeprefix("0x").lower()
        return await evm_restarts.restart(db, reader, network, script, actor=actor, reason=reason)


async def _abandon(lineage: str, actor: str, reason: str) -> str:
    configured = settings()
    async with httpx.AsyncClient(trust_env=False) as http, opened() as db:
        async with db.connection() as connection:
            network = await lineages.network_of(connection, lineage)
        if network is None:
            fail(f"There is no {lineage} on a chain of coins.", MISUSED)
        node = next((bitcoin.records(one, http) for one in bitcoin.chains(configured) if one.name == network), None)
        if node is None:
            fail(f"No node of {network} is configured.", MISUSED)
        depth = policy(configured).ladder(network)[-1].confirmations
        return await abandoning.abandon(db, node, lineage, depth=depth, actor=actor, reason=reason)


async def _allow(network: str, address: str, actor: str, reason: str) -> bool:
    destination = address_rules(settings(), network).parse(address)
    async with opened() as db, db.transaction() as tx:
        return await treasury.allow(tx, network, destination, actor=actor, reason=reason)


async def _sweep(network: str, address: str, amount: str | None, actor: str, reason: str) -> tuple[str, Money]:
    asset, configured = native_asset(network), settings()
    destination = address_rules(configured, network).parse(address)
    async with opened() as db, db.transaction() as tx:
        if amount is None:
            units = await _excess(tx, asset, rules(configured, network).ceiling)
        else:
            units = parse_units(amount, asset.decimals, pointer="/amount")
        if units <= 0:
            fail("There is nothing to move.")
        sweep_id = await treasury.ask_sweep(tx, network, destination.script, units, actor=actor, reason=reason)
    return sweep_id, Money(units, asset)


async def _excess(tx: Transaction, asset: Asset, ceiling: int | None) -> int:
    if ceiling is None:
        fail("How much? There is no ceiling: RAMPWRIGHT_WALLET_CEILING.", MISUSED)
    held = await coin_rows.holdings(tx, asset.network or "", asset.id)
    return min(held.free, held.left) - ceiling


async def _status() -> tuple[list[Row], list[Row], list[Row]]:
    wallets: list[Row] = []
    pending: list[Row] = []
    cold: list[Row] = []
    async with opened() as db, db.transaction() as tx:
        for switch in await spending_rows.switches(tx):
            network = switch["network"]
            if await chain.tip_hash(tx, network) is None and switch["sending"] and switch["crediting"]:
                continue  # nothing has ever happened on it
            wallets.append(await _wallet(tx, network, sending=switch["sending"], crediting=switch["crediting"]))
            decimals = native_asset(network).decimals
            pending += [
                {
                    "network": network,
                    "lineage": row["lineage_id"],
                    "for": row["purpose"],
                    "sends": row["sends"],
                    "attempts": row["attempts"],
                    "fee": format_units(int(row["fee"]), decimals),
                    "since": row["since"],
                }
                for row in await treasury_rows.pending(tx, network)
            ]
            cold += [
                {"network": network, "address": one.address, "proposed_by": one.added_by, "agreed_by": one.confirmed_by}
                for one in await treasury_rows.addresses(tx, network)
            ]
    return wallets, pending, cold


async def _wallet(tx: Transaction, network: str, *, sending: bool, crediting: bool) -> Row:
    asset = native_asset(network)
    held = await coin_rows.holdings(tx, network, asset.id)
    age = await chain.head_age(tx, network)
    return {
        "network": network,
        "sending": "yes" if sending else "stopped",
        "crediting": "yes" if crediting else "stopped",
        "coins": held.coins,
        "free": format_units(held.free, asset.decimals),
        "waiting": format_units(held.waiting, asset.decimals),
        "promised": format_units(held.promised, asset.decimals),
        "left": format_units(held.left, asset.decimals),
        "head_age": None if age is None else f"{int(age.total_seconds())} s",
    }
