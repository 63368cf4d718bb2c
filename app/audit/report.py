"""What an audit found: each invariant with its count, as lines to read or as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

Row = Mapping[str, object]

_ROWS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant and what violates it. `pending` is what is too young to be called wrong yet."""

    id: str
    statement: str
    rows: tuple[Row, ...] = ()
    pending: tuple[Row, ...] = ()

    @property
    def count(self) -> int:
        """How many violations there are; pending ones are none."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one audit."""

    taken_at: datetime
    findings: tuple[Finding, ...]
    left_out: Mapping[str, str]  # invariants that were not checked, with the reason

    @property
    def clean(self) -> bool:
        """Whether every count is zero."""
        return not any(finding.rows for finding in self.findings)

    @property
    def violated(self) -> list[str]:
        """The ids of the invariants that do not hold."""
        return [finding.id for finding in self.findings if finding.rows]

    def text(self) -> str:
        """One line for each invariant, offending rows below it, and the verdict."""
        lines = [line for finding in self.findings for line in _lines(finding)]
        lines += [f"{name:<6}     -  not checked: {reason}" for name, reason in sorted(self.left_out.items())]
        pending = sum(len(finding.pending) for finding in self.findings)
        lines.append(
            f"{len(self.findings)} invariants at {self.taken_at.isoformat()}: "
            f"{sum(finding.count for finding in self.findings)} violations, {pending} pending"
        )
        return "\n".join(lines)

    def document(self) -> dict[str, object]:
        """The whole report as data that JSON can carry."""
        return {
            "taken_at": self.taken_at.isoformat(),
            "clean": self.clean,
            "invariants": [
                {
                    "id": finding.id,
                    "statement": finding.statement,
                    "count": finding.count,
                    "rows": _plain(finding.rows),
                    "pending": _plain(finding.pending),
                }
                for finding in self.findings
            ],
            "left_out": dict(self.left_out),
        }


def _lines(finding: Finding) -> list[str]:
    waiting = f" ({len(finding.pending)} pending)" if finding.pending else ""
    lines = [f"{finding.id:<6} {finding.count:>5}  {finding.statement}{waiting}"]
    for row in finding.rows[:_ROWS_SHOWN]:
        lines.append("              " + ", ".join(f"{name} {_said(value)}" for name, value in row.items()))
    if finding.count > _ROWS_SHOWN:
        lines.append(f"              and {finding.count - _ROWS_SHOWN} more")
    return lines


def _plain(rows: Sequence[Row]) -> list[dict[str, str | None]]:
    return [{name: None if value is None else _said(value) for name, value in row.items()} for row in rows]


def _said(value: object) -> str:
    """A value in words; an amount in all its digits, where the driver says 1E+4."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)
