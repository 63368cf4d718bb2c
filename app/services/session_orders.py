"""What a customer does in a session: prices, addresses and the order, by the same paths as the partner's own."""

from __future__ import annotations

from typing import Final

import asyncpg
import orjson

from app.db import session_views
from app.db.database import Database
from app.db.sessions import Session, Standing
from app.domain.errors import (
    ConflictState,
    NotFound,
    SessionExpired,
    ValidationFailed,
)
from app.domain.order import Direction, OrderState
from app.domain.session import ENDED_EMPTY
from app.schemas.external_accounts import AchAccountIn, ExternalAccountOut, SepaAccountIn
from app.schemas.orders import CustomerIn, DestinationIn, OrderIn, OrderOut
from app.schemas.session_page import SessionBankIn, SessionOrderIn
from app.services import account_actions, order_actions, placing, selling, views
from app.services.idempotent import Answer, IdempotentRequest
from app.services.policy import Policy
from app.services.rails import Rails
from app.services.sealing import Sealer
from app.services.session_entry import caller_of, limit, require_time
from app.services.session_quotes import coin_network
from app.services.session_view import shown_order

# Where a partner's request has what a page's has elsewhere.
_AS_THE_PAGE_SAYS: Final = {
    "/destination": "/address",
    "/destination/address": "/address",
    "/external_account_id": "/bank",
}


def bound_in_order(session: Session, body: SessionOrderIn) -> str | None:
    """The pointer to what the body names although it is bound; None when it names nothing of the kind."""
    bound = {"address": session.address, "refund_address": session.refund_address, "bank": session.external_account_id}
    return next((f"/{name}" for name, value in bound.items() if value is not None and getattr(body, name)), None)


async def place(
    db: Database,
    rails: Rails,
    policy: Policy,
    sealer: Sealer,
    found: Standing,
    body: SessionOrderIn,
    request: IdempotentRequest,
    request_id: str,
) -> Answer:
    """Place the session's order. On a quote that it has ordered on before, that order is the answer.

    Raises SessionExpired, TooOften, ConflictState while another order is alive, and all that `placing.place` and,
    for a bank account, `account_actions.create` raise.
    """
    require_time(found)
    session = found.session
    await limit(db, session.id, "order")
    earlier = await _order_on(db, rails, session, body)
    if earlier is not None:
        return earlier
    account_id = session.external_account_id
    if body.bank is not None:
        account_id = await _account(db, rails, sealer, policy, found, body.bank, request, request_id)
    wanted = _wanted(session, body, account_id, await _external_id(db, session))
    try:
        answer = await placing.place(db, rails, policy, caller_of(found), wanted, request, request_id)
    except asyncpg.CheckViolationError as refused:
        if refused.constraint_name == "orders_session_open":  # it ended while this was on its way
            raise SessionExpired from None
        raise
    except ValidationFailed as refusal:
        refusal.pointer = _AS_THE_PAGE_SAYS.get(refusal.pointer or "", refusal.pointer)
        raise
    if answer.status >= 400:  # another request may have been quicker with this very quote
        return await _order_on(db, rails, session, body) or answer
    return _shown(answer)


def _wanted(session: Session, body: SessionOrderIn, account_id: str | None, external_id: str | None) -> OrderIn:
    """The order as the partner itself would have asked for it."""
    address = session.address or body.address
    return OrderIn(
        quote_id=body.quote_id,
        destination=None if address is None else DestinationIn(address=address),
        external_account_id=account_id,
        refund_address=session.refund_address or body.refund_address,
        external_id=external_id,
        customer=CustomerIn.model_validate(session.customer) if session.customer else None,
        metadata={name: str(value) for name, value in session.session_metadata.items()},
    )


async def _order_on(db: Database, rails: Rails, session: Session, body: SessionOrderIn) -> Answer | None:
    """The order that this session has on the quote, as an answer; raises ConflictState when it goes elsewhere."""
    async with db.connection() as connection:
        order_id = await session_views.order_on(connection, session.id, body.quote_id)
    if order_id is None:
        return None
    order = await views.own_order(db, session.partner_id, order_id)
    if body.address is not None:
        rail = rails.chain(coin_network(session))
        if selling.parsed(rail, body.address, pointer="/address").text != order.address:
            raise ConflictState("This quote was ordered on with another address.", pointer="/address")
    shown = await views.get_order(db, rails, session.partner_id, order_id)
    return Answer(201, shown_order(shown).model_dump_json().encode(), replayed=True)


async def _account(
    db: Database,
    rails: Rails,
    sealer: Sealer,
    policy: Policy,
    found: Standing,
    bank: SessionBankIn,
    request: IdempotentRequest,
    request_id: str,
) -> str:
    """The id of the partner's external account for the bank account that the customer has typed.

    It is made under a key of its own, by what was typed: the same account is made once in a session.
    """
    session = found.session
    body = _bank_account(session, bank)
    told = sealer.fingerprint(orjson.dumps([session.id, bank.model_dump()]))
    made_once = IdempotentRequest(
        session.partner_id, f"{session.id}:bank:{told.hex()}", fingerprint=told, render=request.render
    )
    try:
        answer = await account_actions.create(db, rails, sealer, policy, caller_of(found), body, made_once, request_id)
    except ValidationFailed as refusal:
        refusal.pointer = f"/bank{refusal.pointer or ''}"
        raise
    return ExternalAccountOut.model_validate_json(answer.body).id


def _bank_account(session: Session, bank: SessionBankIn) -> SepaAccountIn | AchAccountIn:
    """What was typed, as the partner would have said it; raises ValidationFailed for half of it, or for both kinds."""
    if session.direction == Direction.BUY:
        raise ValidationFailed("This belongs to a sale.", pointer="/bank")
    whose = {"session_id": session.id}
    american = bank.routing_number is not None and bank.account_number is not None
    if bank.iban is not None and bank.routing_number is None and bank.account_number is None:
        return SepaAccountIn(type="bank", scheme="sepa", iban=bank.iban, holder_name=bank.holder_name, metadata=whose)
    if bank.iban is not None or not american:
        raise ValidationFailed("Either an IBAN, or a routing and an account number.", pointer="/bank")
    return AchAccountIn(
        type="bank",
        scheme="ach",
        routing_number=bank.routing_number or "",
        account_number=bank.account_number or "",
        holder_name=bank.holder_name,
        metadata=whose,
    )


async def _external_id(db: Database, session: Session) -> str | None:
    """The partner's own name for the order, unless an order that came to nothing bears it already.

    Raises ConflictState when an order that did not come to nothing does: what it stands for was bought before.
    """
    if session.external_id is None:
        return None
    async with db.connection() as connection:
        called = await session_views.order_called(connection, session.partner_id, session.external_id)
    if called is None:
        return session.external_id
    _, state = called
    if OrderState(state) not in ENDED_EMPTY:
        raise ConflictState("There is an order for this already.")
    return None


async def cancel(db: Database, rails: Rails, found: Standing, request: IdempotentRequest) -> Answer:
    """Call the session's order off, as long as no money can have moved; raises NotFound when there is none."""
    session = found.session
    if session.order_id is None:
        raise NotFound("This session has no order.")
    answer = await order_actions.cancel(db, rails, session.partner_id, session.order_id, request, expected=None)
    return answer if answer.status >= 400 else _shown(answer)


def _shown(answer: Answer) -> Answer:
    """An order's answer as the page may see it."""
    order = shown_order(OrderOut.model_validate_json(answer.body))
    return Answer(answer.status, order.model_dump_json().encode(), answer.replayed)
