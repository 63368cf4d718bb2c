"""What every command shares: errors in one line, tables for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, NoReturn

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from app.domain.errors import DomainError, RampwrightError
from app.ports.errors import ProviderError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Value = str | int | bool | None | datetime | Sequence[str]
Row = Mapping[str, Value]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

FAILED = 1
MISUSED = 2  # as the shell's own tools have it: the command line or the settings are wrong


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Say what is wrong, on standard error, and end."""
    err.print(f"[red]error:[/] {_escaped(message)}")
    raise typer.Exit(code)


@contextmanager
def told(*expected: type[Exception]) -> Iterator[None]:
    """Turn refusals, unsafe settings and `expected` errors into one line and an exit code; the rest are bugs."""
    try:
        yield
    except ValidationError as error:
        fail("; ".join(_problem(problem["loc"], problem["msg"]) for problem in error.errors()), MISUSED)
    except DomainError as refusal:
        fail(f"{refusal.detail} ({refusal.code})")
    except Exception as error:
        if not isinstance(error, (RampwrightError, ProviderError, OSError, *expected)):
            raise
        fail(str(error) or type(error).__name__)


def show(rows: Sequence[Row], *, title: str, as_json: bool) -> None:
    """Print rows, all with the same columns."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        out.print(f"[dim]no {title}[/]")
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    out.print(table)


def print_json(value: object) -> None:
    """Print one JSON document; times in UTC."""
    out.print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), markup=False, soft_wrap=True)


def _problem(place: tuple[int | str, ...], message: str) -> str:
    """A settings problem without the value: it may be a secret."""
    words = message.removeprefix("Value error, ")
    return f"RAMPWRIGHT_{str(place[-1]).upper()}: {words}" if place else words


def _cell(value: Value) -> str:
    if value is None:
        return "[dim]-[/]"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, str) or not isinstance(value, Sequence):
        return _escaped(str(value))
    return _escaped(", ".join(value))


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
