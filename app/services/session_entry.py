"""Coming into a session: the client secret is exchanged, once, for a credential that the browser has made."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Final

import asyncpg

from app.db import sessions as session_rows
from app.db.database import Database
from app.db.partners import Caller
from app.db.sessions import Standing
from app.domain.errors import SessionExpired, SessionUsed, TooOften
from app.domain.session import CREDENTIAL, READABLE, SessionStatus
from app.schemas.session_page import ExchangeIn
from app.services.session_out import tell
from app.services.session_rules import SessionRules
from app.services.session_tokens import hash_of

# How often a page may do each of these in a minute: more than any customer does by hand.
MOST_A_MINUTE: Final = {"exchange": 20, "quote": 20, "address": 20, "order": 10, "pay": 10}
_SPAN: Final = timedelta(minutes=1)


async def limit(db: Database, session_id: str, act: str) -> None:
    """Count one more act of a session; raises TooOften above what is allowed in a minute."""
    async with db.connection() as connection:
        count, left = await session_rows.count_act(connection, session_id, act, _SPAN)
    if count > MOST_A_MINUTE[act]:
        raise TooOften("This was done too often in a minute.", retry_after=max(1, round(left)))


async def exchange(db: Database, rules: SessionRules, body: ExchangeIn, request_id: str) -> Standing:
    """Give the session to the browser that holds the credential; a second time to the same one changes nothing.

    Raises SessionExpired for a secret that is not good any more or never was, SessionUsed when the session is another
    browser's, TooOften.
    """
    async with db.connection() as connection:
        now = await connection.fetchval("SELECT now()")
        secret = rules.tokens.open(body.client_secret, now)
        found = await session_rows.standing(connection, secret.session_id)
    if found is None or not hmac.compare_digest(found.session.token_id, secret.token_id):
        raise SessionExpired
    await limit(db, found.session.id, "exchange")
    if found.over or found.session.status in {SessionStatus.EXPIRED, SessionStatus.REVOKED}:
        raise SessionExpired
    mode = CREDENTIAL.fullmatch(body.credential)
    if mode is None or (mode[1] == "live") is not found.session.livemode:
        raise SessionUsed("This credential is of the other mode.")
    wanted = hash_of(body.credential)
    if found.session.credential_hash is None:
        await _open(db, found.session.id, wanted, request_id)
    async with db.connection() as connection:
        after = await session_rows.standing(connection, secret.session_id)
    if after is None or after.session.status in {SessionStatus.EXPIRED, SessionStatus.REVOKED}:
        raise SessionExpired
    if not hmac.compare_digest(after.session.credential_hash or b"", wanted):
        raise SessionUsed
    return after


async def _open(db: Database, session_id: str, credential_hash: bytes, request_id: str) -> None:
    """Take the session, unless another request is quicker."""
    try:
        async with db.transaction() as tx:
            opened = await session_rows.open_for(tx, session_id, credential_hash)
            if opened is not None:
                opened.request_id = request_id
                await tell(tx, opened, SessionStatus.CREATED)
    except asyncpg.UniqueViolationError:
        raise SessionUsed("This credential belongs to another session.") from None


async def admit(db: Database, credential: str, *, livemode: bool) -> Standing | None:
    """The session that a credential is good for; None for one that nobody knows.

    Raises SessionExpired when the session was revoked, or is over. One that has an order can be looked at for a week.
    """
    mode = CREDENTIAL.fullmatch(credential)
    if mode is None or (mode[1] == "live") is not livemode:
        return None
    found = await session_rows.by_credential(db, hash_of(credential))
    if found is None:
        return None
    session = found.session
    ends = session.expires_at if session.order_id is None else session.expires_at + READABLE
    if session.status in {SessionStatus.EXPIRED, SessionStatus.REVOKED} or ends <= found.now:
        raise SessionExpired
    return found


def caller_of(found: Standing) -> Caller:
    """The partner in whose name a page acts, with no scope of a key's."""
    session = found.session
    return Caller(
        partner_id=session.partner_id,
        key_id=session.id,
        mode="live" if session.livemode else "test",
        scopes=frozenset(),
        now=found.now,
        expired=False,
        revoked=False,
        used_recently=True,
        session_id=session.id,
    )


def require_time(found: Standing) -> None:
    """Raises SessionExpired once the session's time has passed: what is ordered goes on, but nothing new begins."""
    if found.over:
        raise SessionExpired
