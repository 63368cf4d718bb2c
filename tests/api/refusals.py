"""What every refusal must be, whatever was refused: a problem document that repeats nothing and has changed nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

import httpx

from app.api.reference import document
from app.main import PUBLIC
from tests.api.front import Front

DOCUMENT = document(PUBLIC)
ULID = "01JD0000000000000000000000"
# Every operation that needs a key, as (method, path with ids of things that do not exist).
OPERATIONS: list[tuple[str, str]] = []
SCOPES: dict[tuple[str, str], str] = {}
BODIES: dict[tuple[str, str], object] = {}
for _path, _item in DOCUMENT["paths"].items():
    for _method, _operation in _item.items():
        if "security" not in _operation or "api_key" not in _operation["security"][0]:
            continue
        _real = _path
        for _name, _prefix in (
            ("order", "or"),
            ("quote", "qt"),
            ("event", "ev"),
            ("endpoint", "we"),
            ("account", "xa"),
            ("batch", "pb"),
            ("file", "fi"),
            ("deposit_address", "da"),
            ("deposit", "dp"),
            ("payout", "po"),
            ("top_up", "tu"),
            ("session", "ss"),
        ):
            _real = _real.replace(f"{{{_name}_id}}", f"{_prefix}_{ULID}")
        _where = (_method.upper(), _real.replace("{key}", "no-such-key"))
        OPERATIONS.append(_where)
        for _scope in _operation["security"][0]["api_key"]:
            SCOPES[_where] = _scope
        if "application/json" in _operation.get("requestBody", {}).get("content", {}):
            BODIES[_where] = _operation["requestBody"]["content"]["application/json"]["example"]
POSTS = [where for where in OPERATIONS if where[0] == "POST"]
WITH_BODY = sorted(BODIES)
NEEDS_BODY = [
    where
    for where in WITH_BODY
    if not where[1].endswith(
        (
            "/cancel",
            "/refund",
            "able",
            "/rotate_secret",
            "/test",
            "/close",
            "/approve",
            "/reject",
            "/deactivate",
            "/revoke",
        )
    )
]


def check(response: httpx.Response, status: int, code: str, *, unsaid: Sequence[str] = ()) -> None:
    """Assert the response contract; `unsaid` are texts that the answer must not repeat."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    problem = response.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"] == f"https://docs.rampwright.org/problems/{code}"
    if "idempotency-replayed" not in response.headers:
        assert problem["request_id"] == response.headers["request-id"]
    assert problem["instance"].endswith(problem["request_id"])
    assert set(problem) <= set(DOCUMENT["components"]["schemas"]["Problem"]["properties"])
    assert len(response.content) <= 8192
    for text in unsaid:
        assert text not in response.text
    if status == 401:
        assert response.headers["www-authenticate"].startswith("Bearer")
    if status == 503 or code == "idempotency_in_progress":
        assert int(response.headers["retry-after"]) >= 1


async def refused(
    front: Front,
    sending: Awaitable[httpx.Response],
    status: int,
    code: str,
    *,
    unsaid: Sequence[str] = (),
    kept: bool = False,
) -> httpx.Response:
    """Send, and assert that the refusal is right and that nothing in the database is different.

    `kept` is for what was decided under lock: such a refusal, and nothing else, is stored under its key.
    """
    before = await front.state(but_keys=kept)
    response = await sending
    check(response, status, code, unsaid=unsaid)
    assert await front.state(but_keys=kept) == before
    return response


def pointers(response: httpx.Response) -> list[str]:
    """Where the answer says that something is wrong."""
    return [error["pointer"] for error in response.json()["errors"]]
