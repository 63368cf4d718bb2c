"""Reports of broken policies: counted, told in one line, and never believed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import LogCapture
from structlog.typing import EventDict

from app.api.metrics import render
from app.widget.reports import MOST_READ, Report, read_reports
from tests.api.front import Front

PATH = "/widget/v1/csp-reports"
OLD = {
    "csp-report": {
        "document-uri": "https://pay.example/w/ss_1",
        "effective-directive": "script-src-elem",
        "violated-directive": "script-src-elem 'self'",
        "blocked-uri": "https://evil.example/steal.js?card=1",
    }
}
NEW = [
    {
        "type": "csp-violation",
        "url": "https://pay.example/w/ss_1",
        "body": {"effectiveDirective": "style-src-attr", "blockedURL": "inline", "sample": "color:red"},
    },
    {"type": "deprecation", "body": {}},
]


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    """What is logged during a test; the rest of the tests are silent."""
    usual = structlog.get_config()
    capture = LogCapture()
    structlog.configure(processors=[capture], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    yield capture.entries
    structlog.configure(**usual)


def counted(front: Front, directive: str) -> float:
    """The counter of a directive."""
    for line in render(front.context.board).decode().splitlines():
        if line.startswith(f'rampwright_csp_reports_total{{directive="{directive}"}}'):
            return float(line.rpartition(" ")[2])
    return 0.0


@pytest.mark.parametrize(
    ("media_type", "document", "report"),
    [
        ("application/csp-report", OLD, Report("script-src-elem", "https://evil.example")),
        ("application/reports+json", NEW, Report("style-src-attr", "inline")),
    ],
)
async def test_a_report_is_counted_and_told(
    front: Front, logs: list[EventDict], media_type: str, document: object, report: Report
) -> None:
    before = counted(front, report.directive)
    answer = await front.http.post(PATH, content=json.dumps(document), headers={"Content-Type": media_type})
    assert (answer.status_code, answer.content) == (204, b"")
    assert counted(front, report.directive) == before + 1
    [line] = [line for line in logs if line["event"] == "widget.policy_broken"]
    assert (line["directive"], line["blocked"], line["reports"]) == (report.directive, report.blocked, 1)
    assert "card" not in str(line)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b"1",
        b'"x"',
        b'[{"type":"csp-violation"}]',
        b"\xff",
        b"[" * 5000,
        b'{"a":1,"a":2}',
    ],
)
async def test_anything_else_is_refused_and_not_told(front: Front, logs: list[EventDict], body: bytes) -> None:
    answer = await front.http.post(PATH, content=body)
    assert answer.status_code == 400
    assert [line for line in logs if line["event"] == "widget.policy_broken"] == []


async def test_a_report_is_bounded(front: Front) -> None:
    sized = b'{"csp-report":{"blocked-uri":"%s"}}'
    fits = sized % (b"x" * (MOST_READ - len(sized) + 2))
    assert len(fits) == MOST_READ
    assert (await front.http.post(PATH, content=fits)).status_code == 204
    assert (await front.http.post(PATH, content=fits + b" ")).status_code == 413
    assert len(read_reports(json.dumps(NEW[:1] * 1000).encode())) == 20


@pytest.mark.parametrize("text", ["x\nevent=forged", "*", "script-src'", "é", "a" * 5000, "", "constructor"])
def test_what_is_said_is_never_free_text(text: str) -> None:
    """Labels of a metric and fields of a log line: closed lists and origins."""
    said = {"csp-report": {"effective-directive": text, "blocked-uri": text}}
    assert read_reports(json.dumps(said).encode()) == [Report("other", "other")]


async def test_s_10_reports_are_only_ever_posted(front: Front) -> None:
    answer = await front.http.get(PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
