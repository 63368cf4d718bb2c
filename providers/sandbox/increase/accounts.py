"""Accounts and their money: one account for each API key, its numbers, its transactions and its balance."""

from __future__ import annotations

import secrets

from providers.sandbox.increase.books import Books, Key, new_id, stamp
from providers.sandbox.increase.errors import Document, wrong_state
from providers.sandbox.increase.events import Events

STARTING_BALANCE = 10_000_000_000  # cents: a hundred million dollars, so that nobody runs out of play money
ROUTING_NUMBER = "101050001"  # https://increase.com/documentation/sandbox-routing-numbers: First Bank of the US


class Accounts:
    """Writes one transaction for every movement of money, and keeps the balance in step with them."""

    def __init__(self, books: Books, events: Events) -> None:
        self._books = books
        self._events = events
        self._seen: set[str] = set()

    def ensure(self, owner: str) -> None:
        """Open the owner's account when the API key is seen for the first time."""
        if owner in self._seen:
            return
        if not self._books.all(owner, "account"):
            account: Document = {
                **dict.fromkeys(("account_revenue_rate", "closed_at", "idempotency_key", "informational_entity_id")),
                "id": new_id("account"),
                "type": "account",
                "bank": "first_internet_bank",
                "created_at": stamp(),
                "currency": "USD",
                "entity_id": new_id("entity"),
                "funding": "deposits",
                "interest_rate": "0.00",
                "loan": None,
                "name": "Operating account",
                "program_id": new_id("program"),
                "status": "open",
                "_balance": 0,
                "_held": 0,
            }
            self._books.add(owner, account)
            self.post(owner, account["id"], STARTING_BALANCE, "sample_funds", {"originator": "Sandbox"})
        self._seen.add(owner)

    def open_number(self, owner: str, account_id: str, name: str, debits: str, key: Key | None) -> Document:
        """A number to which money can be sent."""
        self._books.get(owner, account_id, "account")
        number: Document = {
            "id": new_id("account_number"),
            "type": "account_number",
            "account_id": account_id,
            "account_number": str(secrets.randbelow(9 * 10**9) + 10**9),
            "created_at": stamp(),
            "idempotency_key": key.key if key is not None else None,
            "inbound_ach": {"debit_status": debits},
            "inbound_checks": {"status": "check_transfers_only"},
            "name": name,
            "routing_number": ROUTING_NUMBER,
            "status": "active",
        }
        self._books.add(owner, number, key=key)
        self._events.tell(owner, number, "created")
        return number

    def post(self, owner: str, account_id: str, amount: int, category: str, details: Document) -> str:
        """Move the account's money; returns the transaction's id. `details` is the source of its category."""
        account = self._books.get(owner, account_id, "account")
        transaction: Document = {
            "id": new_id("transaction"),
            "type": "transaction",
            "account_id": account_id,
            "amount": amount,
            "created_at": stamp(),
            "currency": "USD",
            "description": category.replace("_", " "),
            "route_id": None,
            "route_type": None,
            "source": {"category": category, category: details},
        }
        account["_balance"] += amount
        self._books.save(account)
        self._books.add(owner, transaction)
        self._events.tell(owner, transaction, "created")
        return str(transaction["id"])

    def hold(self, owner: str, account_id: str, amount: int) -> None:
        """Set money aside for a transfer, or free it with a negative amount; raises Refusal when it is not there."""
        account = self._books.get(owner, account_id, "account")
        if amount > max(0, account["_balance"] - account["_held"]):
            raise wrong_state("There's an insufficient balance in the account.")
        account["_held"] += amount
        self._books.save(account)

    def balance(self, owner: str, account_id: str) -> Document:
        """What stands on the account, and what of it is free."""
        account = self._books.get(owner, account_id, "account")
        return {
            "type": "balance_lookup",
            "account_id": account_id,
            "available_balance": account["_balance"] - account["_held"],
            "current_balance": account["_balance"],
            "loan": None,
        }
