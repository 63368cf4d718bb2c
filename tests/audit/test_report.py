"""The report: what decides the exit status, and what a person or a program reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

from app.audit.report import Finding, Report

AT = datetime(2026, 1, 2, tzinfo=UTC)


def report(*findings: Finding) -> Report:
    return Report(AT, findings, {"I-06": "no balance is cached"})


def test_pending_is_not_wrong() -> None:
    young = report(Finding("X-4", "Lines match.", (), ({"line": "txn_1"},)))
    assert young.clean
    assert young.violated == []
    assert "1 pending" in young.text()


def test_one_row_anywhere_is_wrong() -> None:
    rows = tuple({"entry": f"le_{number}", "units": Decimal("1E+4")} for number in range(7))
    wrong = report(Finding("I-01", "Sums are zero."), Finding("I-02", "Assets are too.", rows))
    assert not wrong.clean
    assert wrong.violated == ["I-02"]
    lines = wrong.text().splitlines()
    assert lines[0].split()[:2] == ["I-01", "0"]
    assert lines[1].split()[:2] == ["I-02", "7"]
    assert "and 2 more" in wrong.text()
    assert "I-06" in wrong.text()
    assert lines[-1].endswith("7 violations, 0 pending")


def test_the_document_is_json() -> None:
    rows = ({"entry": "le_1", "units": Decimal("1E+4"), "at": AT, "order": None},)
    document = json.loads(json.dumps(report(Finding("I-02", "Assets are zero.", rows)).document()))
    assert document["clean"] is False
    assert document["left_out"] == {"I-06": "no balance is cached"}
    [invariant] = document["invariants"]
    assert (invariant["id"], invariant["count"]) == ("I-02", 1)
    assert invariant["rows"] == [{"entry": "le_1", "units": "10000", "at": str(AT), "order": None}]
