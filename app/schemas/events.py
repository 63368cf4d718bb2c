"""Events as subscribers get them and as the log shows them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from app.schemas.base import ListOut, Moment, Resource

API_VERSION = "2026-11-01"


class EventResourceOut(Resource):
    """What an event is about; `sequence` is the resource's own, for putting its events in order."""

    type: str = Field(examples=["order"])
    id: str
    sequence: int


class EventDataOut(Resource):
    """The whole resource after the event, and what its changed fields were before."""

    object: dict[str, JsonValue]
    previous: dict[str, JsonValue]
    omitted: list[str] | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="What was left out because the event would have been larger than 20 kB",
    )


class EventOut(Resource):
    """Something that happened. `partner_sequence` counts a partner's events without gaps."""

    id: str = Field(examples=["ev_01JD0000000000000000000000"])
    object: Literal["event"] = "event"
    type: str = Field(examples=["order.completed"])
    timestamp: Moment
    api_version: str = API_VERSION
    created_at: Moment
    partner_id: str
    partner_sequence: int | None
    resource: EventResourceOut
    data: EventDataOut
    request_id: str | None
    livemode: bool
    test_clock_id: str | None = None
    replay_of: str | None = None


EventList = ListOut[EventOut]
