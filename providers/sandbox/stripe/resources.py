"""The table of Stripe's endpoints that the sandbox knows, and how each reads its parameters."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace

from providers.sandbox.stripe.balance import Balance
from providers.sandbox.stripe.books import Books, Page
from providers.sandbox.stripe.deliveries import Deliveries
from providers.sandbox.stripe.endpoints import Endpoints
from providers.sandbox.stripe.errors import Document, Refusal, invalid
from providers.sandbox.stripe.objects import visible
from providers.sandbox.stripe.params import Params
from providers.sandbox.stripe.verbs import Ask, Verbs

LONGEST_PAGE = 100
UNDELIVERED = "EXISTS (SELECT 1 FROM deliveries WHERE event = documents.id AND state <> 'delivered')"


Handler = Callable[[Ask, str], Document]


class Resources:
    """Finds the endpoint and lets the right noun answer."""

    def __init__(
        self,
        books: Books,
        verbs: Verbs,
        balance: Balance,
        endpoints: Endpoints,
        deliveries: Deliveries,
    ) -> None:
        self._books = books
        self._balance = balance
        self._deliveries = deliveries
        table = [*self._payments(verbs), *self._money(), *self._told(endpoints)]
        self._table = [(method, re.compile(f"/v1/{path}"), handler) for method, path, handler in table]

    def _payments(self, verbs: Verbs) -> list[tuple[str, str, Handler]]:
        """What is asked of payments, and whom they are from."""
        intents = "payment_intents"
        return [
            ("POST", intents, verbs.create_payment),
            ("GET", intents, self._list("payment_intent")),
            ("GET", f"{intents}/(pi_\\w+)", self._read("payment_intent")),
            ("POST", f"{intents}/(pi_\\w+)", verbs.update_payment),
            ("POST", f"{intents}/(pi_\\w+)/confirm", verbs.confirm_payment),
            ("POST", f"{intents}/(pi_\\w+)/capture", verbs.capture_payment),
            ("POST", f"{intents}/(pi_\\w+)/cancel", verbs.cancel_payment),
            ("POST", "customers", verbs.create_customer),
            ("GET", "customers/(cus_\\w+)", self._read("customer")),
            ("GET", "customers/(cus_\\w+)/cash_balance", verbs.read_cash_balance),
            ("GET", "mandates/(mandate_\\w+)", self._read("mandate")),
            ("GET", "charges", self._list("charge")),
            ("GET", "charges/(\\w+)", self._read("charge")),
            ("POST", "refunds", verbs.create_refund),
            ("GET", "refunds", self._list("refund")),
            ("GET", "refunds/(\\w+)", self._read("refund")),
        ]

    def _money(self) -> list[tuple[str, str, Handler]]:
        """What there is to read about our balance, and about what endangers it."""
        return [
            ("GET", "reviews/(prv_\\w+)", self._read("review")),
            ("GET", "radar/early_fraud_warnings/(issfr_\\w+)", self._read("radar.early_fraud_warning")),
            ("GET", "payouts", self._list("payout")),
            ("GET", "payouts/(po_\\w+)", self._read("payout")),
            ("GET", "disputes", self._list("dispute")),
            ("GET", "disputes/(\\w+)", self._read("dispute")),
            ("GET", "balance", lambda ask, _: self._balance.now(ask.caller.account)),
            ("GET", "balance_transactions", self._list("balance_transaction")),
            ("GET", "balance_transactions/(\\w+)", self._read("balance_transaction")),
        ]

    def _told(self, endpoints: Endpoints) -> list[tuple[str, str, Handler]]:
        """What has happened, and who is told."""
        hooks = "webhook_endpoints"
        return [
            ("GET", "events", self._list("event")),
            ("GET", "events/(\\w+)", self._read("event")),
            ("GET", hooks, self._list("webhook_endpoint")),
            ("GET", f"{hooks}/(we_\\w+)", self._read("webhook_endpoint")),
            ("POST", hooks, lambda ask, _: endpoints.create(ask.caller, ask.params)),
            ("POST", f"{hooks}/(we_\\w+)", lambda ask, name: endpoints.update(ask.caller, name, ask.params)),
            ("DELETE", f"{hooks}/(we_\\w+)", lambda ask, name: endpoints.delete(ask.caller, name)),
        ]

    def handle(self, method: str, path: str, ask: Ask) -> Document:
        """Answer one request; raises Refusal."""
        for verb, pattern, handler in self._table:
            found = pattern.fullmatch(path) if verb == method else None
            if found is not None:
                document = handler(ask, found[1] if pattern.groups else "")
                ask.params.end()
                return document
        raise Refusal(f"Unrecognized request URL ({method}: {path}).", status=404, stored=False)

    def _read(self, noun: str) -> Handler:
        def read(ask: Ask, name: str) -> Document:
            ask.params.text("client_secret")
            return self._current(self._books.get(ask.caller.account, name, noun))

        return read

    def _list(self, noun: str) -> Handler:
        def read(ask: Ask, _: str) -> Document:
            page = _filtered(ask.params, _page(ask.params, noun))
            found, more = self._books.page(ask.caller.account, page)
            data = [self._current(document) for document in found]
            return {"object": "list", "data": data, "has_more": more, "url": f"/v1/{noun}s"}

        return read

    def _current(self, document: Document) -> Document:
        """What time and deliveries have changed since the document was written."""
        if document["object"] == "event":
            document["pending_webhooks"] = self._deliveries.undelivered(document["id"])
        if document["object"] == "balance_transaction" and document["available_on"] <= time.time():
            document["status"] = "available"
        return visible(document)


def _page(params: Params, noun: str) -> Page:
    limit = params.whole("limit")
    if limit is not None and not 1 <= limit <= LONGEST_PAGE:
        raise invalid(f"Invalid integer: limit must be between 1 and {LONGEST_PAGE}", "limit")
    return Page(
        object=noun,
        limit=limit or 10,
        starting_after=params.text("starting_after"),
        ending_before=params.text("ending_before"),
        created=tuple(params.range("created").items()),
    )


def _filtered(params: Params, page: Page) -> Page:
    """Add the filters that this kind of list knows."""
    members: tuple[str, ...] = ()
    if page.object in ("charge", "refund", "dispute"):
        page = replace(page, payment_intent=params.text("payment_intent"))
        members = () if page.object == "charge" else ("charge",)
    if page.object in ("balance_transaction", "event"):
        kind = params.text("type")
        page = replace(page, types=(kind,) if kind else ())
    if page.object == "balance_transaction":
        members = ("source", "currency")
    if page.object == "payment_intent":
        members = ("customer",)
    if page.object == "event":
        delivered = params.text("delivery_success")
        page = replace(page, types=tuple(params.texts("types")) or page.types)
        if delivered is not None:
            page = replace(page, condition=f"NOT {UNDELIVERED}" if delivered == "true" else UNDELIVERED)
    given = [(name, value) for name in members if (value := params.text(name)) is not None]
    if given:
        condition = " AND ".join(f"json_extract(body, '$.{name}') = ?" for name, _ in given)
        page = replace(page, condition=condition, values=tuple(value for _, value in given))
    return page
