"""Homes to start PostgreSQL in, owners to kill, and a question to ask a server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.embedded_cluster import processes, wait_until
from app.embedded_programs import binary

ROOT = Path(__file__).parents[2]


@dataclass
class Owner:
    """A process that owns a PostgreSQL; `url` and `pid` are the server's."""

    process: subprocess.Popen[str]
    url: str
    pid: int

    def kill(self) -> None:
        """SIGKILL the owner, not the server."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that does not exist yet, in a directory that every account can enter (pytest's own it cannot)."""
    above = Path(tempfile.mkdtemp(prefix="rampwright-test-"))
    above.chmod(0o755)
    yield above / "home"
    data = (above / "home" / "postgres").resolve() / "data"
    assert wait_until(lambda: not processes(data), 10), "a server outlived its test"
    shutil.rmtree(above)


@pytest.fixture
def own(home: Path) -> Iterator[Callable[..., Owner]]:
    """Start an owner in another process."""
    started: list[Owner] = []

    def start(*flags: str, environ: dict[str, str] | None = None) -> Owner:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.owner", str(home), *flags],
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process.stdout:
            line = process.stdout.readline()
        if not line:
            process.wait()
            pytest.fail("the owner did not start")
        owner = Owner(process, **json.loads(line))
        started.append(owner)
        return owner

    yield start
    for owner in started:
        owner.kill()


def ask(url: str, sql: str) -> str:
    """Run `sql` through psql and return what it says."""
    command = [str(binary("psql")), url, "-XAtqc", sql]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
