"""The whole development instance: how soon it is ready, and how soon a paid order is on its way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import orjson

from bench.load import exchange, request_bytes
from bench.report import Line

_RATE, _SECONDS = 20, 15
_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def measure() -> list[Line]:
    """Start twice, the second time warm; then a steady stream of orders."""
    with tempfile.TemporaryDirectory(prefix="rampwright-bench-dev-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with _dev(home):
            pass
        with _dev(home) as ready_seconds:
            found = json.loads((home / "home" / "dev.json").read_text())
            late = asyncio.run(_stream(found))
    ready = Line("rampwright dev ready, warm", f"{ready_seconds:.1f} s", "<= 5 s", ready_seconds <= 5)
    p50, p95, count = late
    stream = Line(
        f"paid to broadcast at {_RATE} orders/s", f"p95 {p95:.0f} ms", "<= 500 ms", p95 <= 500,
        f"{count} orders in {_SECONDS} s, p50 {p50:.0f} ms",
    )  # fmt: skip
    return [ready, stream]


@contextmanager
def _dev(home: Path) -> Iterator[float]:
    """A running instance; yields the seconds until it said that it was ready."""
    started = time.perf_counter()
    environment = {**os.environ, "RAMPWRIGHT_HOME": str(home / "home"), "RAMPWRIGHT_PORT": "0"}
    child = subprocess.Popen(
        [sys.executable, "-m", "app", "dev"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment,
    )  # fmt: skip
    assert child.stdout is not None
    try:
        while not child.stdout.readline().startswith("ready after"):
            assert child.poll() is None
        yield time.perf_counter() - started
    finally:
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=30)


async def _stream(found: dict[str, str]) -> tuple[float, float, int]:
    """So many orders a second, each quoted, placed and paid; then how long each waited, in milliseconds."""
    tasks = []
    for number in range(_RATE * _SECONDS):
        tasks.append(asyncio.create_task(_buy(found, number)))
        await asyncio.sleep(1 / _RATE)
    await asyncio.gather(*tasks)
    connection = await asyncpg.connect(found["database_url"])
    try:
        while await connection.fetchval("SELECT count(*) FROM transitions WHERE target = 'sent'") < len(tasks):
            await asyncio.sleep(0.2)
        record = await connection.fetchrow(
            """
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS p50,
                   percentile_cont(0.95) WITHIN GROUP (ORDER BY waited) AS p95, count(*) AS count
            FROM (SELECT extract(epoch FROM sent.at - paid.at) * 1000 AS waited
                  FROM transitions AS sent JOIN transitions AS paid USING (order_id)
                  WHERE sent.target = 'sent' AND paid.target = 'paid') AS waits
            """
        )
    finally:
        await connection.close()
    assert record is not None
    return float(record["p50"]), float(record["p95"]), int(record["count"])


async def _buy(found: dict[str, str], number: int) -> None:
    port = int(found["api_url"].rpartition(":")[2])

    async def post(path: str, body: object, key: str) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {found['api_key']}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"{key}-{number}",
        }
        status, answer = await exchange(port, request_bytes("POST", path, headers, orjson.dumps(body)))
        assert status < 300, answer
        document: dict[str, str] = orjson.loads(answer)
        return document

    quote = await post(
        "/v1/quotes",
        {
            "direction": "buy",
            "source": {"asset": "EUR", "amount": "100.00"},
            "destination": {"asset": "BTC", "network": "bitcoin"},
        },
        "quote",
    )
    order = await post("/v1/orders", {"quote_id": quote["id"], "destination": {"address": _ADDRESS}}, "order")
    await post("/v1/simulate/card/pay", {"order_id": order["id"], "card": "4242424242424242"}, "pay")
