"""Running commands as a person would, on the database of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import build
from app.db.database import Database

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def environment(db: Database, tmp_path: Path) -> dict[str, str]:
    """The settings of commands that need nothing but the database."""
    return {"RAMPWRIGHT_DATABASE_URL": db.url, "RAMPWRIGHT_HOME": str(tmp_path), "COLUMNS": "300"}


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Run a command in a thread: commands have event loops of their own."""

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, build(arguments), arguments, env=environment)

    return invoke
