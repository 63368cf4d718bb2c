"""What PostgreSQL alone can do with our own statements: pgbench runs them with the same parameters."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from app.embedded_programs import pgbench_path

CLIENTS = 16
CLIENT_RANGE = 100_000  # ids that one client may use


@dataclass(frozen=True, slots=True)
class Step:
    """One statement as our code sends it, and the SQL expression that stands for each of its parameters."""

    sql: str
    values: Sequence[str] = ()


def literal(text: str) -> str:
    """A text as a constant that pgbench leaves alone: it takes `:name` for a variable even inside quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\u003a")
    return f"E'{escaped}'"


def _filled(step: Step) -> str:
    sql = re.sub(r"\$(\d+)", lambda found: step.values[int(found[1]) - 1], step.sql)
    return " ".join(sql.split()) + ";"


def transactions_per_second(url: str, steps: Sequence[Step], *, clients: int = CLIENTS, seconds: int = 5) -> float:
    """How often per second the steps run, one after the other; `:n` in a value counts up, apart for each client."""
    counting = ["\\set k :k + 1", f"\\set n :client_id * {CLIENT_RANGE} + :k"]
    script = "\n".join([*counting, *(_filled(step) for step in steps)]) + "\n"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(  # noqa: S603
            [str(pgbench_path()), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds),
             "-D", "k=0", "-f", file.name, url],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return float(found[1])
