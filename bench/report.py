"""How a measurement is written down."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Line:
    """One figure beside what was promised."""

    what: str
    measured: str
    wanted: str
    met: bool
    detail: str = ""


def show(title: str, lines: list[Line]) -> None:
    """Print the table."""
    table = Table(title=title)
    for name in ("what", "measured", "wanted", "", "detail"):
        table.add_column(name)
    for line in lines:
        table.add_row(line.what, line.measured, line.wanted, "ok" if line.met else "missed", line.detail)
    Console(width=160).print(table)
