"""What the bank knows, on disk: accounts, payments, booked entries, and the files that it has taken and made."""

from __future__ import annotations

import time

from providers.sandbox.sepa.rows import Entry, Payment, entry_of, payment_of, text, whole
from providers.sandbox.store import Store


class Books:
    """The rows of one folder's account."""

    def __init__(self, store: Store, folder: str) -> None:
        """`folder` names the account."""
        self._store = store
        self.folder = folder

    def open(self, iban: str, opening: int) -> bool:
        """Open the account unless it is open; whether it is new."""
        opened = self._store.write(
            "INSERT INTO accounts (folder, iban, opening) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (self.folder, iban, opening),
        )
        return opened == 1

    @property
    def iban(self) -> str:
        """The account's number."""
        return text(self._store.read("SELECT iban FROM accounts WHERE folder = ?", (self.folder,))[0][0])

    def balance(self, *, stated_only: bool = False) -> int:
        """What is booked, or only what a statement has told of."""
        rows = self._store.read(
            "SELECT opening + coalesce((SELECT sum(amount) FROM entries WHERE entries.folder = accounts.folder"
            " AND (statement IS NOT NULL OR ?)), 0) FROM accounts WHERE folder = ?",
            (not stated_only, self.folder),
        )
        return whole(rows[0][0])

    def available(self) -> int:
        """What is booked, less what is accepted and not yet booked."""
        rows = self._store.read(
            "SELECT coalesce(sum(amount), 0) FROM payments WHERE folder = ? AND state = 'accepted'", (self.folder,)
        )
        return self.balance() - whole(rows[0][0])

    def first_sight(self, table: str, key: str) -> bool:
        """Remember a file's name (`taken`) or an order's id (`orders`); whether it is new."""
        statements = {
            "taken": "INSERT INTO taken (folder, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
            "orders": "INSERT INTO orders (folder, message_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        }
        return self._store.write(statements[table], (self.folder, key)) == 1

    def add_payment(self, payment: Payment) -> None:
        """Keep a payment as it was answered; its `id` is not used."""
        self._store.write(
            "INSERT INTO payments (folder, message_id, information_id, end_to_end_id, amount, iban, name, message,"
            " state, reason, accepted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.folder,
                payment.message_id,
                payment.information_id,
                payment.end_to_end_id,
                payment.amount,
                payment.iban,
                payment.name,
                payment.message,
                payment.state,
                payment.reason,
                time.time(),
            ),
        )

    def payments(self, where: str = "TRUE", *parameters: str | float) -> list[Payment]:
        """Payments of this account, oldest first. `where` is ours, never from outside."""
        rows = self._store.read(
            "SELECT id, message_id, information_id, end_to_end_id, amount, iban, name, message, state, reason"  # noqa: S608 - the condition is ours
            f" FROM payments WHERE folder = ? AND {where} ORDER BY id",
            (self.folder, *parameters),
        )
        return [payment_of(row) for row in rows]

    def standing(self, end_to_end_id: str) -> Payment | None:
        """The payment of this id that was not rejected."""
        found = self.payments("end_to_end_id = ? AND state <> 'rejected'", end_to_end_id)
        return found[0] if found else None

    def move(self, payment: Payment, state: str) -> None:
        """Give a payment its next state."""
        self._store.write("UPDATE payments SET state = ? WHERE id = ?", (state, payment.id))

    def add_entry(
        self, amount: int, end_to_end_id: str, name: str, iban: str, message: str, reason: str | None
    ) -> None:
        """Book a movement; the next statement tells of it."""
        self._store.write(
            "INSERT INTO entries (folder, amount, end_to_end_id, name, iban, message, reason, booked_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (self.folder, amount, end_to_end_id, name, iban, message, reason, time.time()),
        )

    def unstated(self, most: int) -> list[Entry]:
        """The oldest movements that no statement has told of."""
        rows = self._store.read(
            "SELECT id, amount, end_to_end_id, name, iban, message, reason, booked_at FROM entries"
            " WHERE folder = ? AND statement IS NULL ORDER BY id LIMIT ?",
            (self.folder, most),
        )
        return [entry_of(row) for row in rows]

    def next_statement(self, entries: list[Entry]) -> int:
        """Count one statement more, which tells of these."""
        self._store.write("UPDATE accounts SET statements = statements + 1 WHERE folder = ?", (self.folder,))
        rows = self._store.read("SELECT statements FROM accounts WHERE folder = ?", (self.folder,))
        number = whole(rows[0][0])
        for entry in entries:
            self._store.write("UPDATE entries SET statement = ? WHERE id = ?", (number, entry.id))
        return number

    def next_file(self) -> int:
        """The number of the file that will be added next."""
        return whole(self._store.read("SELECT coalesce(max(id), 0) + 1 FROM files")[0][0])

    def add_file(self, kind: str, body: bytes) -> None:
        """Keep a file for the inbox."""
        self._store.write("INSERT INTO files (folder, kind, body) VALUES (?, ?, ?)", (self.folder, kind, body))

    def unwritten(self) -> list[tuple[int, str, bytes]]:
        """Files that may not have reached the inbox: number, name, content."""
        rows = self._store.read(
            "SELECT id, kind, body FROM files WHERE folder = ? AND written = 0 ORDER BY id", (self.folder,)
        )
        files: list[tuple[int, str, bytes]] = []
        for number, kind, body in rows:
            if isinstance(body, bytes):
                files.append((whole(number), f"{whole(number):010d}-{text(kind)}.xml", body))
        return files

    def written(self, number: int) -> None:
        """A file is in the inbox."""
        self._store.write("UPDATE files SET written = 1 WHERE id = ?", (number,))
