"""A customer's visit for tests: a session that a partner has made, and the browser that it was given to."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.api.front import Caller, Front

Json = dict[str, Any]
BUY: Json = {
    "direction": "buy",
    "source": {"asset": "EUR"},
    "destination": {"asset": "BTC", "network": "bitcoin"},
    "allowed_origins": ["https://shop.example"],
}
_counter = itertools.count(1)


def credential() -> str:
    """What a browser makes for itself."""
    return f"rmp_ws_test_{secrets.token_urlsafe(32)}"


@dataclass(slots=True)
class Browser:
    """A page, with the credential that it has made and the requests that it sends."""

    http: httpx.AsyncClient
    session_id: str = ""
    credential: str = field(default_factory=credential, repr=False)
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """What a page's requests carry."""
        return {"Authorization": f"Bearer {self.credential}", "Sec-Fetch-Site": "same-origin", **self.extra}

    async def exchange(self, client_secret: str) -> httpx.Response:
        """Exchange the secret."""
        body = {"client_secret": client_secret, "credential": self.credential}
        return await self.http.post("/v1/session/exchange", json=body)

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        """POST below /v1/session, under a new key unless one is named."""
        headers = self.headers | {"Idempotency-Key": key or f"page-{next(_counter)}"}
        return await self.http.post(f"/v1/session{path}", json={} if body is None else body, headers=headers)

    async def get(self, path: str = "") -> httpx.Response:
        """GET below /v1/session."""
        return await self.http.get(f"/v1/session{path}", headers=self.headers)

    async def view(self) -> Json:
        """The view, which must be there."""
        response = await self.get()
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    async def quote(self, amount: str | None = "100.00") -> Json:
        """A quote."""
        response = await self.post("/quotes", {} if amount is None else {"amount": amount})
        assert response.status_code == 201, response.text
        found: Json = response.json()
        return found


async def new_session(caller: Caller, **changes: object) -> Json:
    """A session of the partner's."""
    response = await caller.post("/v1/sessions", BUY | changes)
    assert response.status_code == 201, response.text
    made: Json = response.json()
    return made


async def visit(caller: Caller, **changes: object) -> Browser:
    """A session that a browser has opened."""
    made = await new_session(caller, **changes)
    browser = Browser(caller.http, str(made["id"]))
    response = await browser.exchange(str(made["client_secret"]))
    assert response.status_code == 200, response.text
    return browser


async def make_old(front: Front, session_id: str, *, by: str = "1 hour") -> None:
    """Let a session's time have passed. What is bound does not change, so the database's guard looks away."""
    async with front.context.db.transaction() as tx:
        await tx.execute("SET LOCAL session_replication_role = replica")
        await tx.execute(
            "UPDATE sessions SET expires_at = expires_at - $2::text::interval WHERE id = $1", session_id, by
        )
