"""The routes of the page: itself, what embeds it, its files, the playground, and reports of broken policies."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.database import Database
from app.services.sessions import Frame, frame_of
from app.widget import policy
from app.widget.files import File, load, load_site
from app.widget.reports import MOST_READ, Report, read_reports

CHECKOUT: Final = "/widget/v1/checkout/"
PLAYGROUND: Final = "/playground/"
_HTML_TYPE: Final = "text/html; charset=utf-8"
_FRAME_MARK: Final = "<!--frame-->"  # where the page wants to be told who may frame it
_HTML: Final = re.compile(r"<html\b[^>]*>")
_SESSION_ID: Final = re.compile(r"ss_[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)
_RIGHT_TO_LEFT: Final = frozenset({"ar"})
_NOT_STORED: Final = {"Cache-Control": "no-store"}
_EMBED: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=300",
    "Cross-Origin-Resource-Policy": "cross-origin",  # it is made to be loaded by other people's pages
}
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
log = structlog.get_logger(__name__)


def build_router(
    db: Database,
    *,
    livemode: bool,
    stripe: bool,
    reported: Callable[[str], None],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """Every route of the widget; the playground is one in test mode only.

    `stripe`: cards are paid with Stripe.js. `reported` is told the directive of each broken policy.
    """
    router = APIRouter()
    checkout = load_site("checkout", CHECKOUT)
    routes: dict[str, Handler] = {
        "/w/{session_id}": _page(db, checkout.page, clock, livemode=livemode, stripe=stripe),
        "/widget/v1/rampwright.js": _constant(load("rampwright.js"), _EMBED),
        "/widget/v1/missing.css": _constant(load("missing.css")),
        CHECKOUT + "{name:path}": _files(checkout.files),
    }
    if not livemode:
        playground = load_site("playground", PLAYGROUND)
        page = File(playground.page.encode(), _HTML_TYPE)
        routes["/playground"] = _constant(page, _NOT_STORED | _guarded(policy.PLAYGROUND))
        routes[PLAYGROUND + "{name:path}"] = _files(playground.files)
    for path, handler in routes.items():
        router.add_api_route(path, handler, methods=["GET"], include_in_schema=False)
    router.add_api_route(policy.REPORTS_PATH, _collect(reported), methods=["POST"], include_in_schema=False)
    return router


def _guarded(content_policy: str, permissions: str = policy.PERMISSIONS) -> dict[str, str]:
    return {
        "Content-Security-Policy": content_policy,
        "Reporting-Endpoints": policy.REPORTING_ENDPOINTS,
        "Permissions-Policy": permissions,
    }


def _page(db: Database, template: str, clock: Callable[[], datetime], *, livemode: bool, stripe: bool) -> Handler:
    missing = load("missing.html")
    permissions = policy.STRIPE_PERMISSIONS if stripe else policy.PERMISSIONS

    async def page(request: Request) -> Response:
        session_id: str = request.path_params["session_id"]
        frame = await frame_of(db, session_id, clock()) if _SESSION_ID.fullmatch(session_id) else None
        if frame is None:
            return missing.answer(request, _NOT_STORED | _guarded(policy.MISSING), 404)
        headers = _NOT_STORED | _guarded(policy.checkout(frame.allowed_origins, stripe=stripe), permissions)
        document = File(written(template, session_id, frame, livemode=livemode).encode(), _HTML_TYPE)
        return document.answer(request, headers)

    return page


def written(template: str, session_id: str, frame: Frame, *, livemode: bool) -> str:
    """The page of one session: in its language, and told by whom it may be framed.

    What the partner chose is written as JSON in which nothing can end the element that holds it.
    """
    facts = {
        "session": session_id,
        "livemode": livemode,
        "locale": frame.locale,
        "allowed_origins": frame.allowed_origins,
    }
    told = orjson.dumps(facts).decode()
    for character in "<>&\u2028\u2029":
        told = told.replace(character, f"\\u{ord(character):04x}")
    language = frame.locale if frame.locale.isalpha() and frame.locale.isascii() else "en"
    direction = "rtl" if language in _RIGHT_TO_LEFT else "ltr"
    block = f'<script type="application/json" id="frame">{told}</script>'
    html = _HTML.sub(f'<html lang="{language}" dir="{direction}">', template, count=1)
    return html.replace(_FRAME_MARK, block, 1)


def _constant(file: File, headers: Mapping[str, str] | None = None) -> Handler:
    async def constant(request: Request) -> Response:
        return file.answer(request) if headers is None else file.answer(request, headers)

    return constant


def _files(known: Mapping[str, File]) -> Handler:
    """Answers by exact name: what was not read at the start is not there, whatever the path says."""

    async def named(request: Request) -> Response:
        file = known.get(request.path_params["name"])
        return Response(status_code=404) if file is None else file.answer(request)

    return named


def _collect(reported: Callable[[str], None]) -> Handler:
    async def collect(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_READ:
                return Response(status_code=413)
        reports = read_reports(bytes(body))
        for report in reports:
            reported(report.directive)
        if reports:
            log.warning("widget.policy_broken", reports=len(reports), **_first(reports))
        return Response(status_code=204 if reports else 400)

    return collect


def _first(reports: list[Report]) -> dict[str, str]:
    return {"directive": reports[0].directive, "blocked": reports[0].blocked}
