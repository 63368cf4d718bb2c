"""Publishing: a partner's new events are numbered, and each becomes one delivery for every endpoint that wants it."""

from __future__ import annotations

import structlog

from app.db import deliveries, endpoints, events
from app.db.columns import new_id
from app.db.database import Database
from app.db.endpoints import Endpoint
from app.db.events import Event
from app.db.jobs import Job, JobName, enqueue
from app.domain.event_types import ENDPOINT_TESTED, subscribes

log = structlog.get_logger(__name__)


async def publish_waiting(db: Database) -> int:
    """Publish the new events of every partner that has some; how many partners. One that fails stops no other."""
    waiting = await events.partners_waiting(db)
    for partner_id in waiting:
        try:
            await publish_events(db, partner_id)
        except Exception as error:  # the others' events must go out; these are tried again in a moment
            log.error("publish.failed", partner_id=partner_id, error=f"{type(error).__name__}: {error}")
    return len(waiting)


async def publish_events(db: Database, partner_id: str) -> None:
    """Number a partner's new events, write their deliveries and the jobs of these, all in one transaction."""
    async with db.transaction() as tx:
        new = await events.number(tx, partner_id)
        if not new:
            return
        listening = await endpoints.of_partner(tx, partner_id)
        wanted = [
            (new_id("wd"), event.id, endpoint.id) for event in new for endpoint in listening if wants(endpoint, event)
        ]
        written = await deliveries.insert(tx, wanted)
        await enqueue(tx, [Job(JobName.DELIVER, delivery_id) for delivery_id in written])


def wants(endpoint: Endpoint, event: Event) -> bool:
    """Whether an event goes to an endpoint: a test to the one that is tested, all else to whoever subscribes."""
    if event.type == ENDPOINT_TESTED:
        return event.resource_id == endpoint.id
    return endpoint.is_enabled and subscribes(endpoint.event_types, event.type)
