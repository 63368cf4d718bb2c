"""The folders that the bank serves: what it takes from each outbox, what it leaves in each inbox, and its rounds."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

from providers.sandbox.sepa.bank import Bank
from providers.sandbox.sepa.books import Books
from providers.sandbox.store import Store

IBAN = "DE91100000000123456789"  # ours, unless another one is registered
BALANCE = 100_000_000  # cents in a new account
_ROUND = 0.2  # seconds between two looks into the folders


class NoSuchFolder(Exception):
    """The folder was not registered."""


class Folders:
    """Every registered folder with its account. All of them survive a kill, at any moment."""

    def __init__(self, store: Store, pause: float) -> None:
        """`pause` is how many seconds a payment waits between its acceptance and its booking."""
        self._store = store
        self._pause = pause
        self._one_at_a_time = asyncio.Lock()

    async def register(self, folder: Path, iban: str = IBAN, balance: int = BALANCE) -> None:
        """Serve `folder`/outbox and `folder`/inbox; an account that is open stays as it is."""
        await asyncio.to_thread(_make, folder)
        books = Books(self._store, str(folder))
        if books.open(iban, balance):
            Bank(books).first_statement()
        await self._store.durable()

    def books(self, folder: Path) -> Books:
        """The account of a folder; raises NoSuchFolder."""
        if not self._store.read("SELECT 1 FROM accounts WHERE folder = ?", (str(folder),)):
            raise NoSuchFolder
        return Books(self._store, str(folder))

    async def durable(self) -> None:
        """Wait until what was done to the books is on disk."""
        await self._store.durable()

    async def run(self, folder: Path, *, at_once: bool = False) -> None:
        """One round: take, judge, book what is due (`at_once`: everything), state, and leave the answers."""
        books = self.books(folder)
        async with self._one_at_a_time:
            taken = await asyncio.to_thread(_take, folder)
            bank = Bank(books)
            for path, data in taken:
                with self._store.all_or_nothing():
                    if books.first_sight("taken", path.name):
                        bank.take(data)
            with self._store.all_or_nothing():
                bank.book(time.time() - (0 if at_once else self._pause))
                bank.state()
            await self._store.durable()
            await asyncio.to_thread(_archive, [path for path, _ in taken])
            for number, name, body in books.unwritten():
                await asyncio.to_thread(_leave, folder / "inbox" / name, body)
                books.written(number)
            await self._store.durable()

    async def rounds(self) -> None:
        """Look into every folder again and again, until cancelled."""
        while True:
            for (folder,) in self._store.read("SELECT folder FROM accounts"):
                with suppress(OSError):  # a folder may be taken away; its account stays
                    await self.run(Path(str(folder)))
            await asyncio.sleep(_ROUND)


def _make(folder: Path) -> None:
    for name in ("outbox", "inbox", "taken", "archive"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def _take(folder: Path) -> list[tuple[Path, bytes]]:
    """Move what lies in the outbox to where only the bank works, each file under a name of its own, and read it."""
    for path in sorted((folder / "outbox").glob("*.xml")):
        path.rename(folder / "taken" / f"{time.time_ns()}-{path.name}")
    return [(path, path.read_bytes()) for path in sorted((folder / "taken").glob("*.xml"))]


def _archive(paths: list[Path]) -> None:
    for path in paths:
        path.rename(path.parent.with_name("archive") / path.name)


def _leave(path: Path, body: bytes) -> None:
    """Put a whole file into the inbox; done again after a crash, it is the same file."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
