"""Sessions: what partners ask of them, who may frame them, and their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.db import sessions as session_rows
from app.db.database import Database, Transaction
from app.db.pages import Page
from app.db.partners import Caller
from app.db.sessions import Session, SessionFilter, Standing
from app.domain.errors import NotFound
from app.domain.session import READABLE, SessionStatus
from app.schemas.sessions import SessionIn, SessionList, SessionOut, SessionWithSecretOut
from app.services import idempotent, session_terms
from app.services.idempotent import Answer, IdempotentRequest
from app.services.policy import Policy
from app.services.rails import Rails
from app.services.session_out import session_out, tell
from app.services.session_rules import SessionRules

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Frame:
    """What a page is served with. `open` says that it can still show something."""

    allowed_origins: tuple[str, ...]
    locale: str
    open: bool


async def frame_of(db: Database, session_id: str, now: datetime) -> Frame | None:
    """Who may frame a session's page; None when there is no such session. `now` decides what is over."""
    async with db.connection() as connection:
        found = await session_rows.standing(connection, session_id)
    if found is None:
        return None
    session = found.session
    ends = session.expires_at if session.order_id is None else session.expires_at + READABLE
    still_open = session.status != SessionStatus.REVOKED and now < ends
    return Frame(tuple(session.allowed_origins), session.locale, still_open)


async def create(
    db: Database,
    rails: Rails,
    policy: Policy,
    rules: SessionRules,
    caller: Caller,
    body: SessionIn,
    request: IdempotentRequest,
    request_id: str,
    base_url: str,
) -> Answer:
    """Bind all that the body says for one customer. The answer carries the client secret, which is stored nowhere.

    Raises what `session_terms.read`, `screen` and `check` raise.
    """
    terms = session_terms.read(rails, policy, rules, caller, body, request_id)
    await session_terms.screen(db, terms, request)

    async def act(tx: Transaction) -> tuple[int, bytes]:
        await session_terms.check(tx, rails, terms)
        session = terms.session
        await session_rows.insert(tx, session)
        await tell(tx, session, None)
        return 201, session_out(session, over=False, order=None).model_dump_json().encode()

    answer = await idempotent.run(db, request, act)
    return answer if answer.status != 201 else await _with_secret(db, rules, answer, base_url)


async def _with_secret(db: Database, rules: SessionRules, answer: Answer, base_url: str) -> Answer:
    """Add the client secret, which the session's row and our key say again for every repetition of the request."""
    shown = SessionOut.model_validate_json(answer.body)
    async with db.connection() as connection:
        found = await session_rows.standing(connection, shown.id)
    assert found is not None  # noqa: S101 - sessions are never deleted
    client_secret = rules.tokens.sign(found.session)
    told = shown.model_dump() | {"client_secret": client_secret, "url": f"{base_url}/w/{shown.id}#{client_secret}"}
    return Answer(answer.status, SessionWithSecretOut.model_validate(told).model_dump_json().encode(), answer.replayed)


async def _own(tx: Transaction, partner_id: str, session_id: str) -> Standing:
    found = await session_rows.standing(tx, session_id)
    if found is None or found.session.partner_id != partner_id:
        raise NotFound
    return found


async def get(db: Database, caller: Caller, session_id: str) -> SessionOut:
    """A partner's own session; raises NotFound."""
    async with db.connection() as connection:
        found = await _own(connection, caller.partner_id, session_id)
    return session_out(found.session, over=found.over, order=found.order_state)


async def list_sessions(db: Database, caller: Caller, wanted: SessionFilter, page: Page) -> SessionList:
    """A partner's sessions, newest first; raises NotFound when the cursor is not a session of theirs."""
    shown, more = await session_rows.page(db, caller.partner_id, wanted, page)
    states = await session_rows.order_states(db, [one.order_id for one in shown if one.order_id is not None])
    return SessionList(
        data=[
            session_out(one, over=one.expires_at <= caller.now, order=states.get(one.order_id or "")) for one in shown
        ],
        has_more=more,
    )


async def revoke(db: Database, caller: Caller, session_id: str, request: IdempotentRequest, request_id: str) -> Answer:
    """End a session at once; its order, if there is one, goes on. One that has ended stays as it is."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        await _own(tx, caller.partner_id, session_id)
        await _end(tx, session_id, "partner", request_id)
        after = await _own(tx, caller.partner_id, session_id)
        shown = session_out(after.session, over=after.over, order=after.order_state)
        return 200, shown.model_dump_json().encode()

    return await idempotent.run(db, request, act)


async def void(db: Database, session: Session, request_id: str) -> None:
    """End a session whose page has sent what is bound: whoever does that is not our page."""
    async with db.transaction() as tx:
        await _end(tx, session.id, "tampered", request_id)


async def _end(tx: Transaction, session_id: str, reason: str, request_id: str) -> None:
    before = await session_rows.lock(tx, session_id)
    assert before is not None  # noqa: S101 - sessions are never deleted
    ended = await session_rows.revoke(tx, session_id, reason)
    if ended is not None:
        ended.request_id = request_id
        await tell(tx, ended, SessionStatus(before.status))


async def expire(db: Database) -> int:
    """End the sessions whose time has passed with no order; how many there were."""
    async with db.transaction() as tx:
        ended = await session_rows.expire_due(tx, _AT_ONCE)
        for session in ended:
            session.request_id = None
            before = SessionStatus.CREATED if session.opened_at is None else SessionStatus.OPENED
            await tell(tx, session, before)
    return len(ended)
