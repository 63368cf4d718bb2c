"""Who is calling: the API key in the Authorization header, and what it may do."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from starlette.types import Scope

from app.api.headers import values
from app.api.refusals import KeyExpired, ScopeMissing, Unauthenticated
from app.db.database import Database
from app.db.partners import Caller, find_caller
from app.services.keys import allows, hash_of, mode_of

_CALLER: Final = "rampwright.caller"


async def authenticate(db: Database, scope: Scope, *, livemode: bool) -> Caller:
    """Find the caller and leave them in the scope; raises Unauthenticated or KeyExpired.

    A key of the other mode is refused before the database is asked: it is not ours to know.
    """
    if b"rmp_sk_" in scope["query_string"]:
        raise Unauthenticated("An API key was sent in the URL. Revoke it, and send keys in the Authorization header.")
    found = values(scope, b"authorization")
    if len(found) != 1:
        raise Unauthenticated
    scheme, _, key = found[0].decode("latin-1").partition(" ")
    mode = mode_of(key) if scheme.lower() == "bearer" else None
    if mode != ("live" if livemode else "test"):
        raise Unauthenticated
    caller = await find_caller(db, hash_of(key))
    if caller is None or caller.revoked or caller.mode != mode:
        raise Unauthenticated
    if caller.expired:
        raise KeyExpired
    scope[_CALLER] = caller
    return caller


def caller_of(scope: Scope) -> Caller:
    """The caller of this request; every path below /v1 has one."""
    caller: Caller = scope[_CALLER]
    return caller


def caller_or_none(scope: Scope) -> Caller | None:
    """The caller, where the path needs one and the key was good."""
    return scope.get(_CALLER)


def require_scope(request: Request, wanted: str | None) -> Caller:
    """The caller, if their key may do this; raises ScopeMissing."""
    caller = caller_of(request.scope)
    if wanted is not None and not allows(caller.scopes, wanted):
        raise ScopeMissing(f"This needs the scope {wanted}.")
    return caller
