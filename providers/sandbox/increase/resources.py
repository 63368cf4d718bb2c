"""The table of Increase's endpoints that the sandbox knows, and how each reads its parameters."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from providers.sandbox.increase import objects
from providers.sandbox.increase.accounts import Accounts
from providers.sandbox.increase.books import Books, Key, new_id, stamp, visible
from providers.sandbox.increase.deliveries import Deliveries
from providers.sandbox.increase.errors import Document, Refusal, invalid
from providers.sandbox.increase.events import Events
from providers.sandbox.increase.fields import Fields, page_of
from providers.sandbox.increase.transfers import Transfers

# https://increase.com/documentation/sandbox-routing-numbers: a bank that takes no transfers of any kind.
NO_TRANSFERS_BANK = "790000051"
_READ_ONLY = (
    "account",
    "account_number",
    "ach_transfer",
    "event",
    "event_subscription",
    "inbound_ach_transfer",
    "inbound_real_time_payments_transfer",
    "inbound_wire_transfer",
    "real_time_payments_transfer",
    "transaction",
    "wire_transfer",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to an endpoint."""

    owner: str
    fields: Fields
    query: Mapping[str, str]
    key: Key | None


Handler = Callable[[Ask, str], Document]


class Resources:
    """Finds the endpoint and lets it answer."""

    def __init__(
        self, books: Books, events: Events, deliveries: Deliveries, accounts: Accounts, transfers: Transfers
    ) -> None:
        self._books = books
        self._events = events
        self._deliveries = deliveries
        self._accounts = accounts
        self._transfers = transfers
        table: list[tuple[str, str, Handler]] = [
            ("POST", "ach_transfers", self._create_ach),
            ("POST", "real_time_payments_transfers", self._create_rtp),
            ("POST", "wire_transfers", self._create_wire),
            ("POST", "account_numbers", self._create_number),
            ("POST", "event_subscriptions", self._create_subscription),
            ("PATCH", r"event_subscriptions/(\w+)", self._update_subscription),
            ("GET", r"accounts/(\w+)/balance", lambda ask, name: self._accounts.balance(ask.owner, name)),
        ]
        for kind in _READ_ONLY:
            table += [("GET", f"{kind}s", self._list(kind)), ("GET", rf"{kind}s/(\w+)", self._read(kind))]
        self._table = [(method, re.compile(f"/{path}"), handler) for method, path, handler in table]

    def handle(self, method: str, path: str, ask: Ask) -> Document:
        """Answer one request; raises Refusal."""
        for verb, pattern, handler in self._table:
            found = pattern.fullmatch(path) if verb == method else None
            if found is not None:
                return handler(ask, found[1] if pattern.groups else "")
        raise Refusal("api_method_not_found_error", f"{method} {path}")

    def _read(self, kind: str) -> Handler:
        return lambda ask, name: self._books.get(ask.owner, name, kind)

    def _list(self, kind: str) -> Handler:
        def read(ask: Ask, _: str) -> Document:
            found, cursor = self._books.page(ask.owner, page_of(kind, ask.query))
            next_cursor = f"cursor_{cursor}" if cursor is not None else None
            return {"data": [visible(document) for document in found], "next_cursor": next_cursor}

        return read

    def _create_ach(self, ask: Ask, _: str) -> Document:
        fields = ask.fields
        given = self._destination(ask, fields) | {
            "statement_descriptor": fields.text("statement_descriptor"),
            "individual_name": fields.optional("individual_name", 22),
            "individual_id": fields.optional("individual_id", 22),
            "company_name": fields.optional("company_name", 16),
            "company_entry_description": fields.optional("company_entry_description", 10),
            "funding": fields.one_of("funding", ("checking", "savings"), "checking"),
            "destination_account_holder": fields.one_of(
                "destination_account_holder", ("business", "individual", "unknown"), "unknown"
            ),
            "standard_entry_class_code": fields.one_of(
                "standard_entry_class_code",
                ("corporate_credit_or_debit", "prearranged_payments_and_deposit", "internet_initiated"),
                "corporate_credit_or_debit",
            ),
        }
        fields.end()
        return self._transfers.create(ask.owner, objects.ach_transfer(given), ask.key)

    def _create_rtp(self, ask: Ask, _: str) -> Document:
        fields = ask.fields
        source = self._books.get(ask.owner, fields.text("source_account_number_id"), "account_number")
        given = self._destination(ask, fields, source["account_id"]) | {
            "source_account_number_id": source["id"],
            "creditor_name": fields.text("creditor_name", 140),
            "debtor_name": fields.optional("debtor_name", 140),
            "ultimate_creditor_name": None,
            "ultimate_debtor_name": None,
            "unstructured_remittance_information": fields.text("unstructured_remittance_information", 140),
        }
        fields.end()
        return self._transfers.create(ask.owner, objects.real_time_payments_transfer(given), ask.key)

    def _create_wire(self, ask: Ask, _: str) -> Document:
        fields = ask.fields
        creditor, remittance = fields.inner("creditor"), fields.inner("remittance")
        if creditor is None or remittance is None:
            raise invalid("creditor" if creditor is None else "remittance", "This field is required.")
        remittance.one_of("category", ("unstructured",), "unstructured")
        unstructured = remittance.inner("unstructured")
        if unstructured is None:
            raise invalid("remittance.unstructured", "This field is required.")
        given = self._destination(ask, fields) | {
            "creditor": {"address": None, "name": creditor.text("name", 35)},
            "remittance": {
                "category": "unstructured",
                "tax": None,
                "unstructured": {"message": unstructured.text("message", 140)},
            },
        }
        for part in (creditor, remittance, unstructured, fields):
            part.end()
        return self._transfers.create(ask.owner, objects.wire_transfer(given), ask.key)

    def _destination(self, ask: Ask, fields: Fields, account_id: str | None = None) -> Document:
        """What all transfers have: who pays, how much, and to which account."""
        paying = account_id or fields.text("account_id")
        self._books.get(ask.owner, paying, "account")
        routing_number = fields.routing_number()
        if routing_number == NO_TRANSFERS_BANK:
            raise invalid("routing_number", "This bank does not take transfers of this kind.")
        return {
            "account_id": paying,
            "amount": fields.cents("amount"),
            "routing_number": routing_number,
            "account_number": fields.digits("account_number", 17),
        }

    def _create_number(self, ask: Ask, _: str) -> Document:
        account_id, name = ask.fields.text("account_id"), ask.fields.text("name")
        inbound = ask.fields.inner("inbound_ach") or Fields({})
        debits = inbound.one_of("debit_status", ("allowed", "blocked"), "allowed")
        inbound.end()
        ask.fields.end()
        return self._accounts.open_number(ask.owner, account_id, name, debits, ask.key)

    def _create_subscription(self, ask: Ask, _: str) -> Document:
        url, secret = _url(ask.fields.text("url", 2000)), ask.fields.optional("shared_secret")
        chosen = ask.fields.each("selected_event_categories")
        categories = None if chosen is None else [{"event_category": each.text("event_category")} for each in chosen]
        status = ask.fields.one_of("status", ("active", "disabled"), "active")
        ask.fields.end()
        subscription: Document = {
            "id": new_id("event_subscription"),
            "type": "event_subscription",
            "created_at": stamp(),
            "idempotency_key": ask.key.key if ask.key is not None else None,
            "oauth_connection_id": None,
            "selected_event_categories": categories,
            "status": status,
            "url": url,
            "_shared_secret": secret or secrets.token_urlsafe(32),
        }
        self._books.add(ask.owner, subscription, key=ask.key)
        self._deliveries.forget(ask.owner)
        return subscription

    def _update_subscription(self, ask: Ask, name: str) -> Document:
        subscription = self._books.get(ask.owner, name, "event_subscription")
        choices = ("active", "disabled", "deleted")
        subscription["status"] = ask.fields.one_of("status", choices, subscription["status"])
        ask.fields.end()
        self._books.save(subscription)
        self._deliveries.forget(ask.owner)
        return subscription


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("url", "This has to be an absolute URL.")
    return url
