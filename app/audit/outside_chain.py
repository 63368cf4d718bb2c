"""Our books against the chain's: what left the wallet, what was paid to it, and what is left in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.audit.books import OurBooks, whole
from app.audit.report import Row
from app.domain.assets import dust_units
from app.ports.chain import ChainTransaction
from app.ports.records import ChainCoins

SENDS = "Each send is mined once at most, every delivery was, and nothing else ever left the wallet."
HOLDINGS = "The wallet's books, less what is mined and not final, are what the chain says that it holds and counts."
DEPOSITS = "Every output that pays a deposit address is one deposit of its amount, and every deposit is on the chain."

_COUNTED = frozenset({"credited", "held", "blocked"})
_Outpoint = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """The violations of X-2, X-3 and X-9 on one network."""

    sends: tuple[Row, ...]
    holdings: tuple[Row, ...]
    deposits: tuple[Row, ...]


@dataclass(slots=True)
class _Walk:
    """Our coins as the chain tells of them, one transaction after the other."""

    scripts: frozenset[str]
    deposit_scripts: frozenset[str]
    coins: dict[_Outpoint, int] = field(default_factory=dict)
    deposited: dict[_Outpoint, int] = field(default_factory=dict)  # what was ever paid to deposit addresses
    left: dict[str, int] = field(default_factory=dict)  # by transaction: units that left the wallet, fee included
    paid: dict[str, Counter[tuple[str, int]]] = field(default_factory=dict)  # and whom it paid: (script, units)

    def take(self, transaction: ChainTransaction) -> None:
        spent = [self.coins.pop(outpoint) for outpoint in transaction.spends if outpoint in self.coins]
        ours = [output for output in transaction.outputs if output.script in self.scripts]
        for output in ours:
            self.coins[transaction.txid, output.vout] = output.amount
            if output.script in self.deposit_scripts:
                self.deposited[transaction.txid, output.vout] = output.amount
        if spent:
            self.left[transaction.txid] = sum(spent) - sum(output.amount for output in ours)
            self.paid[transaction.txid] = Counter(
                (output.script, output.amount) for output in transaction.outputs if output.script not in self.scripts
            )


def check(network: str, held: ChainCoins, history: Sequence[ChainTransaction], books: OurBooks) -> Found:
    """Compare at one block: `held` and `history` are of the block that our books stand at."""
    walk = _Walk(_scripts(network, "scripts", books), _scripts(network, "deposit_scripts", books))
    for transaction in history:
        walk.take(transaction)
    return Found(
        tuple(_sends(network, walk, books)),
        tuple(_holdings(network, held, walk, books)),
        tuple(_deposits(network, walk, books)),
    )


def _scripts(network: str, kind: str, books: OurBooks) -> frozenset[str]:
    return frozenset(str(row["script"]) for row in books.of(kind, network=network))


def _sends(network: str, walk: _Walk, books: OurBooks) -> list[Row]:
    lineages = {str(row["txid"]): str(row["lineage_id"]) for row in books.of("signed", network=network)}
    sends = books.of("sends", network=network)
    delivered = {row["lineage_id"] for row in books.rows["delivered"]}
    found: list[Row] = [
        {"txid": txid, "units": units, "problem": "left the wallet by a transaction that we never signed"}
        for txid, units in walk.left.items()
        if txid not in lineages
    ]
    mined = Counter(lineages[txid] for txid in walk.left if txid in lineages)
    for send in sends:
        times = mined[str(send["lineage_id"])]
        if times > 1:
            found.append({"send": send["id"], "problem": f"mined {times} times"})
        if times and send["state"] == "abandoned":
            found.append({"send": send["id"], "problem": "given up, and mined all the same"})
        if not times and (send["state"] == "confirmed" or send["lineage_id"] in delivered):
            found.append({"send": send["id"], "problem": "delivered by the books, not by the chain"})
    wanted: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    for send in sends:
        if whole(send["units"]):  # one of nothing moves our own coins, and pays nobody
            wanted[str(send["lineage_id"])][str(send["script"]), whole(send["units"])] += 1
    for txid, paid in walk.paid.items():
        if txid in lineages and paid != wanted[lineages[txid]]:
            found.append({"txid": txid, "problem": "pays others than its sends", "paid": dict(paid)})
    return found


def _holdings(network: str, held: ChainCoins, walk: _Walk, books: OurBooks) -> list[Row]:
    booked = sum(whole(row["units"]) for row in books.of("wallets", network=network))
    lineages = {str(row["txid"]): row["lineage_id"] for row in books.of("signed", network=network)}
    delivered = {row["lineage_id"] for row in books.rows["delivered"]}
    open_lineages = {row["lineage_id"] for row in books.of("sends", network=network)} - delivered
    leaving = sum(units for txid, units in walk.left.items() if lineages.get(txid) in open_lineages)
    counted = {_outpoint(row) for row in books.of("deposits", network=network) if row["state"] in _COUNTED}
    uncounted = sum(
        units for outpoint, units in walk.coins.items() if outpoint in walk.deposited and outpoint not in counted
    )
    found: list[Row] = []
    if booked - leaving != held.units - uncounted:
        row = {"network": network, "block": held.at.hash, "booked": booked, "leaving": leaving, "chain": held.units}
        found.append({**row, "uncounted": uncounted})
    if sum(walk.coins.values()) != held.units:
        found.append(
            {"network": network, "chain": held.units, "blocks": sum(walk.coins.values()), "problem": "node disagrees"}
        )
    return found


def _deposits(network: str, walk: _Walk, books: OurBooks) -> list[Row]:
    deposits = {_outpoint(row): row for row in books.of("deposits", network=network)}
    found: list[Row] = []
    for (txid, vout), units in walk.deposited.items():
        deposit = deposits.get((txid, vout))
        named = {"txid": txid, "vout": vout, "units": units}
        if deposit is None:
            if units >= dust_units(network):
                found.append({**named, "problem": "is no deposit"})
        elif whole(deposit["units"]) != units:
            found.append({**named, "deposit": deposit["id"], "problem": f"counts as {deposit['units']}"})
        elif deposit["state"] == "orphaned":
            found.append({**named, "deposit": deposit["id"], "problem": "is on the chain, and orphaned here"})
    for outpoint, deposit in deposits.items():
        if deposit["state"] in _COUNTED | {"confirmed"} and outpoint not in walk.deposited:
            row = {"deposit": deposit["id"], "txid": outpoint[0], "vout": outpoint[1]}
            found.append({**row, "problem": f"{deposit['state']} here, not on the chain"})
    return found


def _outpoint(row: Row) -> _Outpoint:
    return str(row["txid"]), whole(row["vout"])
