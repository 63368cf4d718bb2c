"""The journal: what has been signed, on the signer's own disk, written down before a signature leaves.

From it come the rules that need a memory. A coin keeps the amount that it was first named with, because a signature
covers only its own coin's amount (BIP-143) and two drafts that lie about different coins would add up to one with an
enormous fee. An order or payout that was signed for is only signed for again in a transaction that spends one of the
same coins as every earlier one, so that at most one of them can be mined. And what counts against the limits is kept,
so that starting the signer again resets nothing.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from app.signer.policy import NetworkPolicy
from app.signer.refusals import Refused, Rule
from app.signer.rules import Judged
from app.signer.windows import DAY, HOUR, Window

# So long a coin is kept for those that it was signed for: their job may have died before it stored the signature, and
# can only be done with this coin.
PROMISE_SECONDS: Final = 600

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS signatures (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, network TEXT NOT NULL, lineage INTEGER NOT NULL,
    recipients BLOB NOT NULL, inputs INTEGER NOT NULL, subjects INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS signatures_of_lineage ON signatures (lineage);
CREATE TABLE IF NOT EXISTS coins (
    network TEXT NOT NULL, txid TEXT NOT NULL, vout INTEGER NOT NULL, signature INTEGER NOT NULL, units TEXT NOT NULL,
    PRIMARY KEY (network, txid, vout, signature)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subjects (
    subject TEXT NOT NULL, signature INTEGER NOT NULL, PRIMARY KEY (subject, signature)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS charges (
    at REAL NOT NULL, asset TEXT NOT NULL, units TEXT NOT NULL, lineage INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS charges_of_lineage ON charges (lineage);
CREATE INDEX IF NOT EXISTS charges_in_time ON charges (at);
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a transaction uses up: a coin with its amount, or an account's nonce, of which the amount is 0."""

    txid: str
    vout: int
    units: int


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An earlier signature that spends some of the same coins."""

    id: int
    at: float
    lineage: int
    recipients: bytes
    inputs: int
    subjects: int


class Journal:
    """The signer's memory. One process has it; every method blocks for as long as the disk takes."""

    def __init__(self, path: Path, *, clock: Callable[[], float]) -> None:
        """Open the journal, or begin one. `clock` gives seconds since 1970."""
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
        if self._db.execute("PRAGMA user_version").fetchone() != (_VERSION,):
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        self._windows: dict[tuple[str, int], Window] = {}
        self._latest: float = self._db.execute("SELECT coalesce(max(at), 0) FROM signatures").fetchone()[0]
        self._remember(self._latest)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def record(self, network: str, spent: Sequence[Spent], judged: Judged, policy: NetworkPolicy) -> None:
        """Write down that this is about to be signed; when it returns the disk has it.

        Raises Refused, with nothing written, for what the memory forbids. A transaction that replaces an earlier one
        (all of its coins or more, exactly its recipients) counts only for what it costs more.
        """
        now = max(self._clock(), self._latest)  # a clock that is put back opens no window
        self._db.execute("BEGIN IMMEDIATE")
        try:
            known, shared = self._touching(network, spent)
            changed = [coin for coin in spent if known.get((coin.txid, coin.vout), coin.units) != coin.units]
            if changed:
                coins = [(coin.txid, coin.vout) for coin in changed]
                raise Refused(Rule.AMOUNT_CHANGED, "a coin was named with another amount before", coins=coins)
            self._check_memory(judged, shared, now, spent)
            self._write(network, spent, judged, shared, policy, now)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self._latest = now

    def forget(self, subject: str) -> int:
        """Forget what an order or payout was signed for, on a person's word; how many signatures that were."""
        return self._db.execute("DELETE FROM subjects WHERE subject = ?", (subject,)).rowcount

    def _touching(
        self, network: str, spent: Sequence[Spent]
    ) -> tuple[dict[tuple[str, int], int], dict[_Earlier, set[tuple[str, int]]]]:
        """The amounts that coins were named with, and the earlier signatures over some of them, each with which."""
        known: dict[tuple[str, int], int] = {}
        shared: dict[int, set[tuple[str, int]]] = {}
        for coin in spent:
            place = (coin.txid, coin.vout)
            for signature, units in self._db.execute(
                "SELECT signature, units FROM coins WHERE network = ? AND txid = ? AND vout = ?", (network, *place)
            ):
                known[place] = int(units)
                shared.setdefault(signature, set()).add(place)
        return known, {self._earlier(signature): places for signature, places in shared.items()}

    def _earlier(self, signature: int) -> _Earlier:
        found = self._db.execute(
            "SELECT id, at, lineage, recipients, inputs, subjects FROM signatures WHERE id = ?", (signature,)
        ).fetchone()
        return _Earlier(*found)

    def _check_memory(
        self, judged: Judged, shared: dict[_Earlier, set[tuple[str, int]]], now: float, spent: Sequence[Spent]
    ) -> None:
        touching = {earlier.id for earlier in shared}
        ours: set[int] = set()
        apart: list[str] = []
        for subject in judged.subjects:
            signatures = {
                row[0] for row in self._db.execute("SELECT signature FROM subjects WHERE subject = ?", (subject,))
            }
            ours |= signatures
            if not signatures <= touching:
                apart.append(subject)
        if apart:
            coins = self._coins_of(ours - touching)
            message = f"{', '.join(apart[:3])} was signed for before, with other coins: both could be mined"
            raise Refused(Rule.SIGNED_BEFORE, message, subjects=apart, coins=coins)
        if not judged.paid and not any(coin.units for coin in spent):
            return  # a nonce is given up: nobody gets anything in its place
        promised = [
            places
            for earlier, places in shared.items()
            if earlier.subjects and earlier.id not in ours and now - earlier.at < PROMISE_SECONDS
        ]
        if promised:
            coins = sorted(set[tuple[str, int]]().union(*promised))
            raise Refused(Rule.COINS_PROMISED, "a coin was signed for somebody else just now", coins=coins)

    def _coins_of(self, signatures: set[int]) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for signature in sorted(signatures):
            found += self._db.execute("SELECT txid, vout FROM coins WHERE signature = ?", (signature,)).fetchall()
        return found

    def _write(
        self,
        network: str,
        spent: Sequence[Spent],
        judged: Judged,
        shared: dict[_Earlier, set[tuple[str, int]]],
        policy: NetworkPolicy,
        now: float,
    ) -> None:
        digest = _digest(judged)
        replaced = [
            earlier
            for earlier, places in shared.items()
            if earlier.recipients == digest and earlier.inputs == len(places)
        ]
        written = self._db.execute(
            "INSERT INTO signatures (at, network, lineage, recipients, inputs, subjects) VALUES (?, ?, 0, ?, ?, ?)",
            (now, network, digest, len(spent), len(judged.subjects)),
        ).lastrowid
        assert written is not None  # noqa: S101 - SQLite numbers every row
        lineage = replaced[0].lineage if replaced else written
        self._db.execute("UPDATE signatures SET lineage = ? WHERE id = ?", (lineage, written))
        self._db.executemany(
            "INSERT INTO coins (network, txid, vout, signature, units) VALUES (?, ?, ?, ?, ?)",
            [(network, coin.txid, coin.vout, written, str(coin.units)) for coin in spent],
        )
        self._db.executemany(
            "INSERT INTO subjects (subject, signature) VALUES (?, ?)",
            [(subject, written) for subject in judged.subjects],
        )
        self._charge(lineage, judged, policy, now)

    def _charge(self, lineage: int, judged: Judged, policy: NetworkPolicy, now: float) -> None:
        """Count what leaves, and refuse what would be too much; what the lineage was counted for before is let be."""
        charged: dict[str, int] = {}
        for asset, units in self._db.execute("SELECT asset, units FROM charges WHERE lineage = ?", (lineage,)):
            charged[asset] = charged.get(asset, 0) + int(units)
        more = {asset: units - charged.get(asset, 0) for asset, units in judged.counted.items()}
        more = {asset: units for asset, units in more.items() if units > 0}
        for asset, units in more.items():
            limit = policy.limits[asset]
            for seconds, cap, rule in ((HOUR, limit.per_hour, Rule.LIMIT_HOUR), (DAY, limit.per_day, Rule.LIMIT_DAY)):
                if self._window(asset, seconds).sum(now) + units > cap:
                    raise Refused(rule, f"{units} more of {asset} would be above {cap}", subjects=judged.subjects)
        for asset, units in more.items():
            self._db.execute(
                "INSERT INTO charges (at, asset, units, lineage) VALUES (?, ?, ?, ?)", (now, asset, str(units), lineage)
            )
            for seconds in (HOUR, DAY):
                self._window(asset, seconds).add(now, units)

    def _remember(self, now: float) -> None:
        charges = self._db.execute("SELECT at, asset, units FROM charges WHERE at > ? ORDER BY at", (now - DAY - 1,))
        for at, asset, units in charges:
            for seconds in (HOUR, DAY):
                self._window(asset, seconds).add(at, int(units))

    def _window(self, asset: str, seconds: int) -> Window:
        return self._windows.setdefault((asset, seconds), Window(seconds))


def _digest(judged: Judged) -> bytes:
    """What two transactions have in common that pay exactly the same."""
    paid = sorted((one.subject or "", one.asset, one.script, one.units) for one in judged.paid)
    return hashlib.sha256(repr(paid).encode()).digest()
