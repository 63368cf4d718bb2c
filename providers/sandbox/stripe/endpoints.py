"""Webhook endpoints: who is told of an account's events, and the secrets that sign them."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from providers.sandbox.stripe.books import Books, Caller, new_id, token
from providers.sandbox.stripe.deliveries import ROLL_OVERLAP, Deliveries
from providers.sandbox.stripe.errors import Document, invalid, missing
from providers.sandbox.stripe.params import Params


class Endpoints:
    """The life of a webhook endpoint."""

    def __init__(self, books: Books, deliveries: Deliveries) -> None:
        self._books = books
        self._deliveries = deliveries

    def create(self, caller: Caller, params: Params) -> Document:
        """Register a URL; the only answer that shows the secret."""
        url, events = _url(params.required("url")), params.texts("enabled_events")
        if not events:
            raise missing("enabled_events")
        secret = f"whsec_{token(32)}"
        endpoint: Document = {
            "id": new_id("we"),
            "object": "webhook_endpoint",
            "api_version": params.text("api_version"),
            "application": None,
            "created": int(time.time()),
            "description": params.text("description"),
            "enabled_events": events,
            "livemode": False,
            "metadata": params.metadata({}),
            "status": "enabled",
            "url": url,
            "_secrets": [[secret, None]],
        }
        self._books.add(caller.account, endpoint)
        self._deliveries.forget(caller.account)
        return endpoint | {"secret": secret}

    def update(self, caller: Caller, name: str, params: Params) -> Document:
        """Change the URL, the events or the texts, or switch it off and on."""
        endpoint = self._books.get(caller.account, name, "webhook_endpoint")
        endpoint["url"] = _url(params.text("url") or endpoint["url"])
        endpoint["enabled_events"] = params.texts("enabled_events") or endpoint["enabled_events"]
        endpoint["description"] = params.text("description", endpoint["description"])
        endpoint["metadata"] = params.metadata(endpoint["metadata"])
        disabled = params.flag("disabled", default=endpoint["status"] == "disabled")
        endpoint["status"] = "disabled" if disabled else "enabled"
        self._books.save(endpoint)
        self._deliveries.forget(caller.account)
        return endpoint

    def delete(self, caller: Caller, name: str) -> Document:
        """Forget an endpoint; nothing more is sent to it."""
        endpoint = self._books.get(caller.account, name, "webhook_endpoint")
        self._books.remove(endpoint)
        self._deliveries.forget(caller.account)
        return {"id": name, "object": "webhook_endpoint", "deleted": True}

    def roll(self, caller: Caller, name: str) -> str:
        """Make a new secret; the old one signs beside it for a day (in Stripe this is done in the dashboard)."""
        endpoint = self._books.get(caller.account, name, "webhook_endpoint")
        secret, until = f"whsec_{token(32)}", int(time.time()) + ROLL_OVERLAP
        endpoint["_secrets"] = [[secret, None], [endpoint["_secrets"][0][0], until]]
        self._books.save(endpoint)
        self._deliveries.forget(caller.account)
        return secret


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid")
    return url
