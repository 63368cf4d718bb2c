"""Webhook endpoints and deliveries as the public sees them, in answers and in events alike."""

from __future__ import annotations

from app.db.deliveries import Delivered
from app.db.endpoints import Endpoint
from app.schemas.endpoints import AttemptOut, DeliveryOut, EndpointOut


def endpoint_out(endpoint: Endpoint) -> EndpointOut:
    """An endpoint as the public sees it."""
    return EndpointOut(
        id=endpoint.id,
        sequence=endpoint.sequence,
        url=endpoint.url,
        event_types=endpoint.event_types,
        description=endpoint.description,
        status="enabled" if endpoint.is_enabled else "disabled",
        disabled_reason=endpoint.disabled_reason,
        metadata=endpoint.endpoint_metadata,
        created_at=endpoint.created_at,
        updated_at=endpoint.updated_at,
    )


def delivery_out(delivered: Delivered) -> DeliveryOut:
    """A delivery as the public sees it."""
    delivery = delivered.delivery
    return DeliveryOut.model_validate(
        {
            "id": delivery.id,
            "event_id": delivery.event_id,
            "event_type": delivered.event_type,
            "endpoint_id": delivery.endpoint_id,
            "status": delivery.state,
            "attempts": [
                AttemptOut.model_validate(attempt.model_dump(exclude={"id", "delivery_id"}))
                for attempt in delivered.attempts
            ],
            "next_attempt_at": delivery.due_at if delivery.state == "pending" else None,
            "created_at": delivery.created_at,
            "updated_at": delivery.updated_at,
        }
    )
