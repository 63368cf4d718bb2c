"""A real `rampwright dev` in a home of its own, started and stopped as a person would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.dev.home import Home, Instance

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120.0  # several test processes may share two cores


class Dev:
    """One instance; it may be started several times."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.said = home.parent / f"{home.name}.out"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Ours, without any setting but the home and a free port."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RAMPWRIGHT_")}
        return clean | {"RAMPWRIGHT_HOME": str(self.home), "RAMPWRIGHT_PORT": "0"}

    @property
    def instance(self) -> Instance:
        """What dev.json says now."""
        found = Home(self.home).instance()
        assert found is not None
        return found

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        with self.said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "dev"], cwd=ROOT, env=self.environment, stdout=said, stderr=said
            )
        wait_for(lambda: "ready after" in self.said.read_text() or self._process_ended, "ready")
        assert not self._process_ended, self.said.read_text()

    @property
    def _process_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait; its exit status."""
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(PATIENCE_SECONDS)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the same home."""
        return subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def json(self, *arguments: str) -> object:
        """What a command that must succeed prints for machines."""
        ran = self.run(*arguments, "--json")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)

    def logs(self) -> str:
        """The last lines of every child's log, for the message of a test that fails."""
        return "\n".join(f"== {path.name}\n{path.read_text()[-2000:]}" for path in (self.home / "logs").glob("*.log"))


@contextmanager
def running(home: Path) -> Iterator[Dev]:
    """An instance for as long as the block takes."""
    dev = Dev(home)
    dev.start()
    try:
        yield dev
    finally:
        dev.end()


def wait_for(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Look every 20 ms until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not {what} within {seconds} s"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
