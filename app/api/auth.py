"""Who is calling: the API key or a page's credential in the Authorization header, and what it may do."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from starlette.types import Scope

from app.api.headers import only, values
from app.api.refusals import KeyExpired, ScopeMissing, Unauthenticated
from app.db.database import Database
from app.db.partners import Caller, find_caller
from app.db.sessions import Standing
from app.domain.errors import SessionOriginMismatch
from app.services import session_entry
from app.services.keys import allows, hash_of, mode_of

_CALLER: Final = "rampwright.caller"
_STANDING: Final = "rampwright.session"
_PAGE: Final = "/v1/session"
EXCHANGE: Final = "/v1/session/exchange"  # where a page has nothing yet but its secret
_SECRETS: Final = (b"rmp_sk_", b"rmp_ws_")


async def authenticate(db: Database, scope: Scope, *, livemode: bool) -> Caller:
    """Find the caller and leave them in the scope; raises Unauthenticated, KeyExpired, or ScopeMissing for a page.

    A key of the other mode is refused before the database is asked: it is not ours to know.
    """
    key = _bearer(scope)
    mode = mode_of(key)
    if mode != ("live" if livemode else "test"):
        if await session_entry.admit(db, key, livemode=livemode) is not None:
            raise ScopeMissing("A page's credential is good for its own session only.")
        raise Unauthenticated
    caller = await find_caller(db, hash_of(key))
    if caller is None or caller.revoked or caller.mode != mode:
        raise Unauthenticated
    if caller.expired:
        raise KeyExpired
    scope[_CALLER] = caller
    return caller


async def authenticate_page(db: Database, scope: Scope, *, livemode: bool) -> None:
    """Find the session that a page's credential opens, and leave it in the scope.

    Raises Unauthenticated for anything else, an API key too, and SessionExpired.
    """
    found = await session_entry.admit(db, _bearer(scope), livemode=livemode)
    if found is None:
        raise Unauthenticated("Send the session's credential as `Authorization: Bearer <credential>`.")
    scope[_STANDING] = found
    scope[_CALLER] = session_entry.caller_of(found)


def _bearer(scope: Scope) -> str:
    """What the Authorization header bears; raises Unauthenticated."""
    if any(secret in scope["query_string"] for secret in _SECRETS):
        raise Unauthenticated("An API key was sent in the URL. Revoke it, and send keys in the Authorization header.")
    found = values(scope, b"authorization")
    if len(found) != 1:
        raise Unauthenticated
    scheme, _, key = found[0].decode("latin-1").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return key


def is_page(path: str) -> bool:
    """Whether a path belongs to the page in the customer's browser, and not to partners."""
    return path == _PAGE or path.startswith(_PAGE + "/")


def standing_of(scope: Scope) -> Standing:
    """The session of this request; every path of the page's but the exchange has one."""
    found: Standing = scope[_STANDING]
    return found


def require_own_page(scope: Scope, own_origin: str) -> None:
    """Raises SessionOriginMismatch for a request that a browser has sent from any other page.

    Browsers send `Origin` with every POST, and `Sec-Fetch-Site` with everything (Fetch Metadata); who is no browser
    sends neither, and has no page that could be misled.
    """
    origin = only(scope, b"origin")
    site = only(scope, b"sec-fetch-site")
    if (origin is not None and origin != own_origin.encode()) or site not in (None, b"same-origin", b"none"):
        raise SessionOriginMismatch


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
    if caller.session_id is not None:
        raise ScopeMissing("A page's credential is good for its own session only.")
    if wanted is not None and not allows(caller.scopes, wanted):
        raise ScopeMissing(f"This needs the scope {wanted}.")
    return caller
