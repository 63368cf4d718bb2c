"""Our books against the chain's: what left the wallet, and what is left in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.audit.books import OurBooks, whole
from app.audit.report import Row
from app.ports.chain import ChainTransaction
from app.ports.records import ChainCoins

SENDS = "Each send is mined once at most, every delivery was, and nothing else ever left the wallet."
HOLDINGS = "The wallet's books, less what is mined and not final, are what the chain says that it holds."


@dataclass(frozen=True, slots=True)
class Found:
    """The violations of X-2 and X-3 on one network."""

    sends: tuple[Row, ...]
    holdings: tuple[Row, ...]


@dataclass(slots=True)
class _Walk:
    """Our coins as the chain tells of them, one transaction after the other."""

    scripts: frozenset[str]
    coins: dict[tuple[str, int], int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)  # by transaction: units that left the wallet, fee included
    paid: dict[str, Counter[tuple[str, int]]] = field(default_factory=dict)  # and whom it paid: (script, units)

    def take(self, transaction: ChainTransaction) -> None:
        spent = [self.coins.pop(outpoint) for outpoint in transaction.spends if outpoint in self.coins]
        ours = [output for output in transaction.outputs if output.script in self.scripts]
        for output in ours:
            self.coins[transaction.txid, output.vout] = output.amount
        if spent:
            self.left[transaction.txid] = sum(spent) - sum(output.amount for output in ours)
            self.paid[transaction.txid] = Counter(
                (output.script, output.amount) for output in transaction.outputs if output.script not in self.scripts
            )


def check(network: str, held: ChainCoins, history: Sequence[ChainTransaction], books: OurBooks) -> Found:
    """Compare at one block: `held` and `history` are of the block that our books stand at."""
    walk = _Walk(frozenset(str(row["script"]) for row in books.of("scripts", network=network)))
    for transaction in history:
        walk.take(transaction)
    return Found(tuple(_sends(network, walk, books)), tuple(_holdings(network, held, walk, books)))


def _sends(network: str, walk: _Walk, books: OurBooks) -> list[Row]:
    lineages = {str(row["txid"]): str(row["lineage_id"]) for row in books.of("signed", network=network)}
    sends = books.of("sends", network=network)
    delivered = {row["order_id"] for row in books.rows["delivered"]}
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
        if not times and (send["state"] == "confirmed" or send["order_id"] in delivered):
            found.append({"send": send["id"], "problem": "delivered by the books, not by the chain"})
    wanted: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    for send in sends:
        wanted[str(send["lineage_id"])][str(send["script"]), whole(send["units"])] += 1
    for txid, paid in walk.paid.items():
        if txid in lineages and paid != wanted[lineages[txid]]:
            found.append({"txid": txid, "problem": "pays others than its sends", "paid": dict(paid)})
    return found


def _holdings(network: str, held: ChainCoins, walk: _Walk, books: OurBooks) -> list[Row]:
    booked = sum(whole(row["units"]) for row in books.of("wallets", network=network))
    lineages = {str(row["txid"]): row["lineage_id"] for row in books.of("signed", network=network)}
    delivered = {row["order_id"] for row in books.rows["delivered"]}
    open_lineages = {
        row["lineage_id"] for row in books.of("sends", network=network) if row["order_id"] not in delivered
    }
    leaving = sum(units for txid, units in walk.left.items() if lineages.get(txid) in open_lineages)
    found: list[Row] = []
    if booked - leaving != held.units:
        row = {"network": network, "block": held.at.hash, "booked": booked, "leaving": leaving, "chain": held.units}
        found.append(row)
    if sum(walk.coins.values()) != held.units:
        found.append(
            {"network": network, "chain": held.units, "blocks": sum(walk.coins.values()), "problem": "node disagrees"}
        )
    return found
