"""Reports that browsers send when a page tried what its policy forbids; anybody can send one, so little is believed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from app.schemas import strict_json

MOST_READ: Final = 16 * 1024  # bytes of body
_MOST_REPORTS: Final = 20
_DIRECTIVES: Final = frozenset(
    {
        "base-uri",
        "connect-src",
        "default-src",
        "font-src",
        "form-action",
        "frame-ancestors",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
        "object-src",
        "script-src",
        "script-src-attr",
        "script-src-elem",
        "style-src",
        "style-src-attr",
        "style-src-elem",
        "worker-src",
    }
)
_BLOCKED: Final = re.compile(r"(?:inline|eval|data|blob|about|https?://[a-z0-9.-]{1,100}(?::[0-9]{1,5})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Report:
    """The directive that was broken, and whence what was blocked came; neither is ever free text."""

    directive: str
    blocked: str


def read_reports(raw: bytes) -> list[Report]:
    """The reports of one body, in the form of CSP 2 (`report-uri`) or of the Reporting API; none of anything else."""
    try:
        document = strict_json.read(raw)
    except (strict_json.NotJson, strict_json.RepeatedKey):
        return []
    if isinstance(document, dict):
        found = [_report(document.get("csp-report"), "effective-directive", "violated-directive", "blocked-uri")]
    elif isinstance(document, list):
        found = [
            _report(item.get("body"), "effectiveDirective", "violatedDirective", "blockedURL")
            for item in document[:_MOST_REPORTS]
            if isinstance(item, dict) and item.get("type") == "csp-violation"
        ]
    else:
        return []
    return [report for report in found if report is not None]


def _report(body: JsonValue, effective: str, violated: str, blocked: str) -> Report | None:
    if not isinstance(body, dict):
        return None
    directive = str(body.get(effective) or body.get(violated) or "").partition(" ")[0]
    source = _BLOCKED.match(str(body.get(blocked, "")).lower())
    return Report(directive if directive in _DIRECTIVES else "other", source[0] if source else "other")
