"""Events: that something happened to an object, never what; kept, listed, and posted to subscribers."""

from __future__ import annotations

from providers.sandbox.increase.books import Books, new_id, stamp
from providers.sandbox.increase.deliveries import Deliveries
from providers.sandbox.increase.errors import Document


class Events:
    """Writes events in the transaction of the change that they tell of."""

    def __init__(self, books: Books, deliveries: Deliveries) -> None:
        self._books = books
        self._deliveries = deliveries

    def tell(self, owner: str, subject: Document, what: str = "updated") -> None:
        """Record that the subject was `created` or `updated`, and queue it for every subscription that wants it."""
        event: Document = {
            "id": new_id("event"),
            "type": "event",
            "associated_object_id": subject["id"],
            "associated_object_type": subject["type"],
            "category": f"{subject['type']}.{what}",
            "created_at": stamp(),
        }
        self._books.add(owner, event)
        self._deliveries.queue(owner, event["id"], event["category"])
