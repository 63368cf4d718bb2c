"""One widget session, as the page in the customer's browser uses it: with its own credential, and for nothing else."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from app.api.answers import answered, gives, page_of_items
from app.api.calls import REQUEST_ID
from app.api.context import Context, Ctx
from app.api.routing import StrictRoute
from app.api.session_calls import PageCall, PageReading, PageWrite, PageWriting
from app.api.streams import Streams, views_of
from app.db.sessions import Standing
from app.domain.errors import NotFound
from app.ports.simulator import Simulator
from app.schemas.base import Nothing
from app.schemas.orders import OrderOut
from app.schemas.quotes import QuoteOut
from app.schemas.session_page import (
    ExchangeIn,
    SessionAddressIn,
    SessionAddressOut,
    SessionAuthenticateIn,
    SessionOrderIn,
    SessionPayIn,
    SessionQuoteIn,
    SessionViewOut,
    TestPaymentOut,
)
from app.services import session_entry, session_orders, session_payments, session_quotes, session_view

router = APIRouter(prefix="/v1/session", tags=["session"], route_class=StrictRoute)
Reader = Annotated[PageCall, Depends(PageReading())]
Writer = Annotated[PageWrite, Depends(PageWriting())]


async def _view(context: Context, found: Standing) -> SessionViewOut:
    return await session_view.view_of(context.db, context.rails, context.policy, context.sessions, found)


def _simulator(call: PageWrite) -> Simulator:
    """Where test cards are presented; raises NotFound where there is no such place, and in live mode."""
    simulator = call.context.simulator
    if simulator is None or call.context.rails.livemode:
        raise NotFound
    return simulator


@router.post("/exchange", responses=gives(SessionViewOut))
async def exchange_secret(body: ExchangeIn, request: Request, context: Ctx) -> Response:
    """Exchange the client secret for the session. The browser makes the credential, so a lost answer loses nothing."""
    found = await session_entry.exchange(context.db, context.sessions, body, request.scope[REQUEST_ID])
    return page_of_items(await _view(context, found))


@router.get("", responses=gives(SessionViewOut))
async def view_session(call: Reader) -> Response:
    """All that the page shows, in one document."""
    return page_of_items(await _view(call.context, call.found))


@router.post("/quotes", status_code=201, responses=gives(QuoteOut, status=201))
async def quote_in_session(body: SessionQuoteIn, call: Writer) -> Response:
    """Ask for a firm price for what is bound and what the customer has typed."""
    context = call.context
    await call.bound(session_quotes.bound_in_quote(call.found.session, body))
    return answered(
        await session_quotes.quote(
            context.db, context.rails, context.board, context.policy, call.found, body, call.request
        )
    )


@router.post("/addresses", responses=gives(SessionAddressOut))
async def check_address(body: SessionAddressIn, call: Reader) -> Response:
    """Look at an address that the customer has typed. This changes nothing, and needs no key."""
    context = call.context
    return page_of_items(await session_quotes.look_at_address(context.db, context.rails, call.found, body.address))


@router.post("/orders", status_code=201, responses=gives(OrderOut, status=201))
async def order_in_session(body: SessionOrderIn, call: Writer) -> Response:
    """Place the session's order. The same quote again gives the same order, in whichever tab."""
    context = call.context
    await call.bound(session_orders.bound_in_order(call.found.session, body))
    return answered(
        await session_orders.place(
            context.db,
            context.rails,
            context.policy,
            context.sealer,
            call.found,
            body,
            call.request,
            call.request_id,
        )
    )


@router.post("/cancel", responses=gives(OrderOut))
async def cancel_in_session(call: Writer, body: Nothing | None = None) -> Response:
    """Call the session's order off, as long as no money can have moved."""
    return answered(await session_orders.cancel(call.context.db, call.context.rails, call.found, call.request))


@router.post("/pay", responses=gives(TestPaymentOut))
async def pay_in_session(body: SessionPayIn, call: Writer) -> Response:
    """Pay with one of Stripe's published test payment methods, where there is a sandbox."""
    simulator = _simulator(call)
    return answered(await session_payments.pay(call.context.db, simulator, call.found.session, body, call.request))


@router.post("/authenticate", responses=gives(TestPaymentOut))
async def authenticate_in_session(body: SessionAuthenticateIn, call: Writer) -> Response:
    """End the 3-D Secure challenge of a test card, where there is a sandbox."""
    simulator = _simulator(call)
    return answered(
        await session_payments.authenticate(call.context.db, simulator, call.found.session, body, call.request)
    )


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={
        **gives(SessionViewOut),
        200: {
            "description": "Server-sent events: `event` is `session`, `data` the view, at once and whenever it changes",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
    },
)
async def stream_session(request: Request, call: Reader) -> Response:
    """The view at once and on every change (server-sent events). It ends after five minutes, or with the session."""
    streams: Streams = request.app.state.page_streams
    return streams.open(call.found.session.id, views_of(call.context, call.found.session.id))
