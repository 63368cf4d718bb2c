"""Webhook endpoints and what was delivered to them, as partners set them up and see them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, JsonValue, Strict, StringConstraints

from app.schemas.base import Label, ListOut, Metadata, Moment, Request, Resource

Url = Annotated[
    str, StringConstraints(min_length=1, max_length=8192), Field(examples=["https://hooks.example.com/rampwright"])
]
EventType = Annotated[str, StringConstraints(pattern=r"^[a-z_*]{1,40}(\.[a-z_*]{1,40})?$")]
EventTypes = Annotated[list[EventType], Field(min_length=1, max_length=100, examples=[["order.*"]])]

_DURATION = re.compile(r"P(?=[0-9T])([0-9]{1,3}D)?(T(?=[0-9])([0-9]{1,3}H)?([0-9]{1,4}M)?([0-9]{1,6}S)?)?", re.ASCII)


def _duration(value: object) -> object:
    """Refuse every spelling of a duration but ISO 8601's: `PT24H`, `P7D`."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or _DURATION.fullmatch(value) is None:
        raise ValueError("a duration is written like PT24H or P7D")
    return value


class EndpointIn(Request):
    """A URL that wants to hear of events. It starts disabled."""

    url: Url
    event_types: EventTypes = Field(description="Names, `order.*` for all of a resource, `*` for all there are")
    description: Label | None = Field(default=None, examples=["Shop, production"])
    metadata: Metadata = Field(default_factory=dict)


class EndpointPatch(Request):
    """What to change; a field that is not there stays as it is."""

    url: Url | None = None
    event_types: EventTypes | None = None
    description: Label | None = None
    metadata: Metadata | None = None


class RotateIn(Request):
    """How long the old secrets go on signing beside the new one."""

    overlap: Annotated[
        timedelta,
        Strict(False),  # a text it is, whose form is checked here
        BeforeValidator(_duration),
        Field(ge=timedelta(0), le=timedelta(days=7), examples=["PT24H"], description="Up to P7D"),
    ] = timedelta(hours=24)


class EndpointOut(Resource):
    """A subscriber's URL."""

    id: str = Field(examples=["we_01JD0000000000000000000000"])
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    sequence: int
    url: str
    event_types: list[str]
    description: str | None
    status: Literal["enabled", "disabled"]
    disabled_reason: str | None
    metadata: dict[str, JsonValue]
    created_at: Moment
    updated_at: Moment


class EndpointWithSecretOut(EndpointOut):
    """The only answer that holds the signing secret: on creation, and when it is rotated."""

    secret: str = Field(examples=["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])


class EndpointTestOut(Resource):
    """A test event is on its way."""

    object: Literal["webhook_endpoint_test"] = "webhook_endpoint_test"
    endpoint_id: str
    event_id: str


class EndpointDeletedOut(Resource):
    """The endpoint is gone; what was still to be delivered to it is canceled."""

    id: str
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    deleted: Literal[True] = True


class AttemptOut(Resource):
    """One POST of a delivery. `status` is the HTTP status, if there was an answer."""

    number: int
    status: int | None
    error: str | None
    response: str | None = Field(description="The beginning of what was answered")
    duration_ms: int
    at: Moment


class DeliveryOut(Resource):
    """One event to one endpoint."""

    id: str = Field(examples=["wd_01JD0000000000000000000000"])
    object: Literal["webhook_delivery"] = "webhook_delivery"
    event_id: str
    event_type: str
    endpoint_id: str
    status: Literal["pending", "succeeded", "exhausted", "canceled"]
    attempts: list[AttemptOut]
    next_attempt_at: Moment | None
    created_at: Moment
    updated_at: Moment


EndpointList = ListOut[EndpointOut]
DeliveryList = ListOut[DeliveryOut]
