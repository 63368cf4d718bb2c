"""The door for providers' webhooks: `POST /hooks/{provider}`, which says yes or no and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, Request, Response

from app.db.database import Database
from app.ports.errors import NotificationInvalid
from app.services.rails import Rails
from webhooks.inbound.receive import receive

log = structlog.get_logger(__name__)

MOST_READ = 1024 * 1024  # bytes of body


def build_router(
    db: Database,
    rails: Rails,
    *,
    api_versions: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The routes for every provider of `rails` that sends notifications; other methods are answered 405.

    `api_versions` says, by provider, which version of its API notifications must be of; without one any will do.
    """
    versions = api_versions or {}

    async def take(request: Request) -> Response:
        provider: str = request.path_params["provider"]
        source = rails.notifications.get(provider)
        if source is None:
            return Response(status_code=404)
        body = await _body_of(request)
        if body is None:
            return Response(status_code=400)
        try:
            await receive(
                db,
                source,
                body,
                request.headers,
                now=clock(),
                livemode=rails.livemode,
                api_version=versions.get(provider),
                account=rails.accounts.get(provider),
            )
        except NotificationInvalid as invalid:
            log.warning("notification.refused", provider=provider, reason=str(invalid))
            return Response(status_code=400)
        return Response(status_code=200)

    router = APIRouter()
    # A plain route: there is nothing for the framework to read or to document.
    router.add_route("/hooks/{provider}", take, methods=["POST"], include_in_schema=False)
    return router


async def _body_of(request: Request) -> bytes | None:
    """The raw bytes as they came; None when there are too many, of which the rest is not read."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_READ:
            return None
    return bytes(body)
