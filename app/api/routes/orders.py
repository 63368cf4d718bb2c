"""Orders: place, look, list, cancel, refund."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answered, gives, page_of_items, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import ORDER_ID, OrderId
from app.api.queries import CREATED_AT, METADATA, PAGING, Query, metadata_of, page_of, parameter, period_of, wrong
from app.api.routing import StrictRoute
from app.db.order_lists import OrderFilter
from app.domain.order_public import OrderStatus, states_with
from app.schemas.base import Nothing
from app.schemas.orders import OrderIn, OrderList, OrderOut, PostingList, RefundIn, TransitionList
from app.services import order_actions, placing, views

router = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("orders:read"))]
Writer = Annotated[Write, Depends(Writing("orders:write"))]

_FILTERS: Final = [
    *PAGING,
    parameter("status", "Only orders with this status", "completed", {"type": "string", "enum": list(OrderStatus)}),
    parameter("external_id", "Only the order that you call this", "inv-42"),
    *CREATED_AT,
    METADATA,
]


@router.post("", status_code=201, responses=gives(OrderOut, status=201))
async def place_order(body: OrderIn, call: Writer) -> Response:
    """Place an order on a quote. The customer then pays with `payment.client_secret`."""
    context = call.context
    return answered(
        await placing.place(context.db, context.rails, context.policy, call.caller, body, call.request, call.request_id)
    )


@router.get("", responses=gives(OrderList), openapi_extra={"parameters": _FILTERS})
async def list_orders(call: Reader) -> Response:
    """Orders, newest first. An order is listed when every filter holds."""
    page = page_of(call.query, ORDER_ID)
    return page_of_items(
        await views.list_orders(
            call.context.db,
            call.context.rails,
            call.caller.partner_id,
            _filter(call.query),
            page,
        )
    )


def _filter(query: Query) -> OrderFilter:
    status = query.get("status")
    if status is not None and status not in set(OrderStatus):
        raise wrong("status", "not_allowed")
    return OrderFilter(
        states=None if status is None else states_with(OrderStatus(status)),
        external_id=query.get("external_id"),
        created_at=period_of(query).bounds,
        metadata=metadata_of(query),
    )


@router.get("/{order_id}", responses=gives(OrderOut))
async def get_order(order_id: OrderId, request: Request, call: Reader) -> Response:
    """An order as it stands."""
    order = await views.get_order(call.context.db, call.context.rails, call.caller.partner_id, order_id)
    return shown(request, order, sequence=order.sequence)


@router.get("/{order_id}/timeline", responses=gives(TransitionList))
async def get_timeline(order_id: OrderId, call: Reader) -> Response:
    """Every transition of an order, in order."""
    return page_of_items(await views.timeline(call.context.db, call.caller.partner_id, order_id))


@router.get("/{order_id}/ledger", responses=gives(PostingList))
async def get_ledger(order_id: OrderId, call: Reader) -> Response:
    """Every posting of an order, in the order of booking: debit positive, credit negative."""
    return page_of_items(await views.order_ledger(call.context.db, call.caller.partner_id, order_id))


@router.post("/{order_id}/cancel", responses=gives(OrderOut))
async def cancel_order(order_id: OrderId, call: Writer, body: Nothing | None = None) -> Response:
    """Call an order off, as long as no money can have moved."""
    context = call.context
    return answered(
        await order_actions.cancel(
            context.db, context.rails, call.caller.partner_id, order_id, call.request, expected=call.expected
        )
    )


@router.post("/{order_id}/refund", responses=gives(OrderOut))
async def refund_order(order_id: OrderId, call: Writer, body: RefundIn | None = None) -> Response:
    """Give money back: the amount that the body names, or all that is held."""
    context = call.context
    return answered(
        await order_actions.refund(
            context.db,
            context.rails,
            call.caller.partner_id,
            order_id,
            body or RefundIn(),
            call.request,
            expected=call.expected,
        )
    )
