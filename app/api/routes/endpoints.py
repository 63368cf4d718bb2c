"""Webhook endpoints and what was delivered to them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answered, gives, page_of_items, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.headers import expected_sequences
from app.api.ids import DELIVERY_ID, ENDPOINT_ID, EVENT_ID, EndpointId
from app.api.queries import LIMIT, limit_of, parameter, wrong
from app.api.routing import StrictRoute
from app.schemas.base import Nothing
from app.schemas.endpoints import (
    DeliveryList,
    EndpointDeletedOut,
    EndpointIn,
    EndpointList,
    EndpointOut,
    EndpointPatch,
    EndpointTestOut,
    EndpointWithSecretOut,
    RotateIn,
)
from app.services import endpoint_actions, endpoints

router = APIRouter(prefix="/v1/webhook_endpoints", tags=["webhooks"], route_class=StrictRoute)
deliveries_router = APIRouter(prefix="/v1/webhook_deliveries", tags=["webhooks"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("webhooks:read"))]
Changer = Annotated[Call, Depends(Reading("webhooks:write"))]
Writer = Annotated[Write, Depends(Writing("webhooks:write"))]


@router.post("", status_code=201, responses=gives(EndpointWithSecretOut, status=201))
async def create_endpoint(body: EndpointIn, call: Writer) -> Response:
    """Add a URL that wants to hear of events. It starts disabled; the answer holds its signing secret, once."""
    context = call.context
    return answered(
        await endpoints.create(context.db, context.hooks, context.sealer, call.caller.partner_id, body, call.request)
    )


@router.get("", responses=gives(EndpointList))
async def list_endpoints(call: Reader) -> Response:
    """Every endpoint, newest first; there are never more than 20."""
    found = await endpoints.list_all(call.context.db, call.caller.partner_id)
    return page_of_items(EndpointList(data=found))


@router.get("/{endpoint_id}", responses=gives(EndpointOut))
async def get_endpoint(endpoint_id: EndpointId, request: Request, call: Reader) -> Response:
    """One endpoint."""
    endpoint = await endpoints.get(call.context.db, call.caller.partner_id, endpoint_id)
    return shown(request, endpoint, sequence=endpoint.sequence)


@router.patch("/{endpoint_id}", responses=gives(EndpointOut))
async def update_endpoint(endpoint_id: EndpointId, body: EndpointPatch, request: Request, call: Changer) -> Response:
    """Change what the body names; the rest stays."""
    context = call.context
    return page_of_items(
        await endpoints.update(
            context.db,
            context.hooks,
            call.caller.partner_id,
            endpoint_id,
            body,
            expected=expected_sequences(request.scope),
        )
    )


@router.delete("/{endpoint_id}", responses=gives(EndpointDeletedOut))
async def delete_endpoint(endpoint_id: EndpointId, request: Request, call: Changer) -> Response:
    """Remove an endpoint; what was still to be delivered to it is canceled."""
    await endpoints.delete(
        call.context.db, call.caller.partner_id, endpoint_id, expected=expected_sequences(request.scope)
    )
    return page_of_items(EndpointDeletedOut(id=endpoint_id))


@router.post("/{endpoint_id}/enable", responses=gives(EndpointOut))
async def enable_endpoint(endpoint_id: EndpointId, call: Writer, body: Nothing | None = None) -> Response:
    """Let events go to an endpoint from now on; what it missed stands in the log of events."""
    return answered(
        await endpoint_actions.enable(
            call.context.db, call.caller.partner_id, endpoint_id, call.request, expected=call.expected
        )
    )


@router.post("/{endpoint_id}/disable", responses=gives(EndpointOut))
async def disable_endpoint(endpoint_id: EndpointId, call: Writer, body: Nothing | None = None) -> Response:
    """Send nothing to an endpoint any more; what is pending is canceled."""
    return answered(
        await endpoint_actions.disable(
            call.context.db, call.caller.partner_id, endpoint_id, call.request, expected=call.expected
        )
    )


@router.post("/{endpoint_id}/rotate_secret", responses=gives(EndpointWithSecretOut))
async def rotate_secret(endpoint_id: EndpointId, call: Writer, body: RotateIn | None = None) -> Response:
    """Give an endpoint a new secret; the old ones go on signing beside it for the overlap."""
    context = call.context
    return answered(
        await endpoints.rotate_secret(
            context.db, context.sealer, call.caller.partner_id, endpoint_id, body or RotateIn(), call.request
        )
    )


@router.post("/{endpoint_id}/test", status_code=202, responses=gives(EndpointTestOut, status=202))
async def send_test(endpoint_id: EndpointId, call: Writer, body: Nothing | None = None) -> Response:
    """Send an event of type `webhook_endpoint.tested` to this endpoint alone, enabled or not."""
    return answered(await endpoint_actions.test(call.context.db, call.caller.partner_id, endpoint_id, call.request))


_FILTERS: Final = [
    LIMIT,
    parameter("starting_after", "The id after which to go on, to older deliveries", "wd_01JD0000000000000000000000"),
    parameter("endpoint_id", "Only deliveries to this endpoint", "we_01JD0000000000000000000000"),
    parameter("event_id", "Only deliveries of this event", "ev_01JD0000000000000000000000"),
]


@deliveries_router.get("", responses=gives(DeliveryList), openapi_extra={"parameters": _FILTERS})
async def list_deliveries(call: Reader) -> Response:
    """What was sent where, with every attempt, newest first."""
    query = call.query
    for name, form in (("starting_after", DELIVERY_ID), ("endpoint_id", ENDPOINT_ID), ("event_id", EVENT_ID)):
        if name in query and not form.fullmatch(query[name]):
            raise wrong(name, "invalid_format")
    found, more = await endpoints.list_deliveries(
        call.context.db,
        call.caller.partner_id,
        endpoint_id=query.get("endpoint_id"),
        event_id=query.get("event_id"),
        before=query.get("starting_after"),
        limit=limit_of(query),
    )
    return page_of_items(DeliveryList(data=found, has_more=more))
