"""Events: a snapshot of an object at the moment something happened to it, kept for ever and posted to subscribers."""

from __future__ import annotations

import time

from providers.sandbox.stripe.books import Books, Caller, new_id
from providers.sandbox.stripe.deliveries import Deliveries
from providers.sandbox.stripe.errors import Document
from providers.sandbox.stripe.objects import API_VERSION, visible


class Events:
    """Writes events in the transaction of the change that they tell of."""

    def __init__(self, books: Books, deliveries: Deliveries) -> None:
        self._books = books
        self._deliveries = deliveries

    def tell(self, caller: Caller, kind: str, subject: Document, before: Document | None = None) -> None:
        """Record that `kind` happened to `subject`, and queue it for every endpoint that wants it."""
        data: Document = {"object": visible(subject)}
        if before is not None:
            data["previous_attributes"] = before
        event: Document = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(time.time()),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": caller.request_id, "idempotency_key": caller.key},
            "type": kind,
        }
        event["pending_webhooks"] = self._deliveries.queue(caller.account, event["id"], kind)
        self._books.add(caller.account, event)
