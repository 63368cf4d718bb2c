"""The HTTP process: the front door, the providers' side door, and the operator's own port."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route

from app.api import reference
from app.api.calls import REQUEST_ID
from app.api.context import Context
from app.api.door import Door
from app.api.metrics import count_csp_report
from app.api.problems import answer_to
from app.api.reference import Reference
from app.api.routes import (
    catalogue,
    deposits,
    endpoints,
    events,
    external_accounts,
    files,
    health,
    idempotency,
    orders,
    payout_batches,
    payouts,
    quotes,
    reconciliation,
    session,
    sessions,
    simulate,
    simulate_payments,
    top_ups,
)
from app.api.streams import Streams, page_streams
from app.domain.errors import DomainError
from app.widget import pages
from webhooks.inbound.http import build_router

PUBLIC: tuple[APIRouter, ...] = (
    quotes.router,
    orders.router,
    catalogue.router,
    external_accounts.router,
    payouts.router,
    payout_batches.router,
    files.router,
    deposits.addresses_router,
    deposits.router,
    top_ups.accounts_router,
    top_ups.router,
    sessions.router,
    session.router,
    endpoints.router,
    endpoints.deliveries_router,
    events.router,
    idempotency.router,
    reconciliation.router,
    simulate.router,
    simulate_payments.router,
    health.router,
    reference.router,
)


def build_app(context: Context) -> FastAPI:
    """The public app. Whoever runs it also runs `context.board.run()` beside it."""
    rails, stripe = context.rails, not context.sessions.test_cards
    hooks = build_router(context.db, rails, api_versions=rails.api_versions)
    widget = pages.build_router(context.db, livemode=rails.livemode, stripe=stripe, reported=count_csp_report)
    return _build(context, (hooks, widget), public=True)


def build_operator_app(context: Context) -> FastAPI:
    """The operator's app: metrics and health, for a port that the public cannot reach."""
    return _build(context, (health.router, health.operator_router))


def _build(context: Context, routers: tuple[APIRouter, ...], *, public: bool = False) -> FastAPI:
    app = FastAPI(
        title="Rampwright",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        strict_content_type=False,  # what a body must be is decided in app.api.bodies
    )
    app.state.context = context
    app.state.streams = Streams()
    app.state.page_streams = page_streams()
    app.state.reference = Reference(PUBLIC)
    every = (*PUBLIC, *routers) if public else routers
    app.state.routes = [route for router in every for route in router.routes]
    if public:
        app.router.routes.extend(_public_routes())
    for router in routers:
        app.include_router(router)
    for kind in (DomainError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _refuse)
    app.add_middleware(Door, context=context)
    return app


@cache
def _public_routes() -> Sequence[BaseRoute]:
    """PUBLIC, for every app of this process: FastAPI makes all routes anew, slowly, when they are included."""
    parent = APIRouter(strict_content_type=False)  # as the app's own
    for router in PUBLIC:
        parent.include_router(router)
    return parent.routes


async def _refuse(request: Request, error: Exception) -> Response:
    response = answer_to(error, request.scope[REQUEST_ID])
    if response.status_code == 405:
        response.headers["Allow"] = ", ".join(sorted(_methods_of(request.app.state.routes, request.scope["path"])))
    return response


def _methods_of(routes: Sequence[BaseRoute], path: str) -> set[str]:
    """Every method that some route knows for this path."""
    found: set[str] = set()
    for route in routes:
        if isinstance(route, Route) and route.path_regex.match(path):
            found |= route.methods or set()
    return found | {"HEAD"} if "GET" in found else found
