"""Batches: how long ten thousand payments take to be accepted and to leave, and what a long file costs in memory."""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path

import asyncpg
import httpx
import orjson
from bitcoinlib.encoding import pubkeyhash_to_addr_bech32

from app.db import ledger
from app.domain import chart
from app.domain.assets import BTC
from app.domain.ledger import transfer
from app.domain.money import Money
from app.ports.chain import Branch
from app.services import follower, preparing
from app.services.deposit_rules import DepositRules
from app.wiring import gateway
from bench.instance import Instance, opened, process
from bench.report import Line
from providers.sandbox.client import SandboxClient

_ITEMS, _SHORT_FILE, _LONG_FILE = 10_000, 10_000, 100_000
_COINS, _PATIENCE = 200, 600.0
_ACCEPT_SECONDS, _LEAVE_SECONDS, _MEMORY_MB, _GROWTH_MB = 3.0, 60.0, 300.0, 30.0


def measure(instance: Instance) -> list[Line]:
    """A body of ten thousand, then files of ten thousand and of a hundred thousand rows."""
    asyncio.run(_prepare(instance))
    with process("bench.api", "instant", environment=instance.environment) as (api, port):
        url = f"http://127.0.0.1:{port}"
        _post(instance, url, _body(1))  # what is made on first use is not what is measured
        accepted, batch_id = _accept(instance, url, _body(_ITEMS))
        with process("bench.worker", environment=instance.environment) as (worker, _):
            started = time.monotonic()
            asyncio.run(_until(instance, _LEFT, batch_id, _ITEMS))
            left = time.monotonic() - started
            memory = max(_peak_mb(api.pid), _peak_mb(worker.pid))
        short, long = (_read(instance, url, rows) for rows in (_SHORT_FILE, _LONG_FILE))
    return [
        Line("10,000 payments accepted", f"{accepted:.1f} s", f"<= {_ACCEPT_SECONDS} s", accepted <= _ACCEPT_SECONDS),
        Line("... all signed and broadcast", f"{left:.1f} s", f"<= {_LEAVE_SECONDS} s", left <= _LEAVE_SECONDS),
        Line("... memory at the most", f"{memory:.0f} MB", f"< {_MEMORY_MB} MB", memory < _MEMORY_MB, "API or worker"),
        Line(
            "100,000 rows by file",
            f"{long.peak_mb:.0f} MB",
            "as for 10,000",
            long.peak_mb - short.peak_mb < _GROWTH_MB,
            f"{short.peak_mb:.0f} MB for 10,000; read in {long.seconds:.0f} s; peak RSS of a worker of its own",
        ),
    ]


# A batch has left when the node has taken the transaction of its every payout.
_LEFT = (
    "SELECT count(*) FROM moves JOIN payouts ON payouts.id = resource_id WHERE batch_id = $1 AND target = 'submitted'"
)
_READ = "SELECT count(*) FROM payout_batches WHERE id = $1 AND state IN ('processing', 'invalid')"


class _Reading:
    """What reading a file took."""

    def __init__(self, seconds: float, peak_mb: float) -> None:
        self.seconds = seconds
        self.peak_mb = peak_mb


def _item(number: int) -> dict[str, object]:
    amount = {"asset": "BTC", "network": "bitcoin", "amount": "0.00010000"}
    return {
        "amount": amount,
        "external_account": {"type": "wallet", "asset": "BTC", "network": "bitcoin", "address": _address()},
        "external_id": f"pay-{number}-{secrets.token_hex(4)}",
    }


def _address() -> str:
    found: str = pubkeyhash_to_addr_bech32(secrets.token_bytes(20), prefix="bcrt")
    return found


def _body(count: int) -> bytes:
    return orjson.dumps({"mode": "best_effort", "items": [_item(number) for number in range(count)]})


def _post(instance: Instance, url: str, body: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return _send(instance, f"{url}/v1/payout_batches", body, headers)


def _send(instance: Instance, url: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
    headers |= {"Authorization": f"Bearer {instance.key}", "Idempotency-Key": secrets.token_hex(8)}
    with httpx.Client(timeout=120, trust_env=False, verify=False) as http:  # noqa: S501 - nothing is encrypted here
        response = http.post(url, content=content, headers=headers)
    assert response.status_code == 201, response.text
    return response


def _accept(instance: Instance, url: str, body: bytes) -> tuple[float, str]:
    started = time.monotonic()
    response = _post(instance, url, body)
    return time.monotonic() - started, response.json()["id"]


def _read(instance: Instance, url: str, rows: int) -> _Reading:
    """Have a worker of its own read a file of so many rows, and refuse it: there is not so much money."""
    head = "amount,asset,network,type,address,external_id\n"
    lines = (f"21.00000000,BTC,bitcoin,wallet,{_address()},{rows}-{number}\n" for number in range(rows))
    file = _send(instance, f"{url}/v1/files", (head + "".join(lines)).encode(), {"Content-Type": "text/csv"})
    batch = _post(instance, url, orjson.dumps({"mode": "best_effort", "file_id": file.json()["id"]}))
    with process("bench.worker", environment=instance.environment) as (worker, _):
        started = time.monotonic()
        asyncio.run(_until(instance, _READ, batch.json()["id"], 1))
        return _Reading(time.monotonic() - started, _peak_mb(worker.pid))


def _peak_mb(pid: int) -> float:
    """The most memory that a process has had resident, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def _until(instance: Instance, statement: str, batch_id: str, count: int) -> None:
    connection = await asyncpg.connect(instance.database_url)
    try:
        deadline = time.monotonic() + _PATIENCE
        while await connection.fetchval(statement, batch_id) < count:
            assert time.monotonic() < deadline, "the worker does not come to an end"
            await asyncio.sleep(0.25)
    finally:
        await connection.close()


async def _prepare(instance: Instance) -> None:
    """Coins in the hot wallet, and a balance that suffices for the items."""
    async with opened(instance) as parts:
        rail = parts.rails.chains["bitcoin"]
        await preparing.open_wallet(parts.db, rail)
        far = SandboxClient(parts.http, instance.far_url)
        addresses = [rail.new_address(Branch.RECEIVE, index).text for index in range(preparing.POOL_SIZE)]
        await far.fund([(addresses[number % preparing.POOL_SIZE], 5_000_000) for number in range(_COINS)])
        context = gateway.context(instance.settings(), parts)
        rules = DepositRules(context.policy, context.board, livemode=False)
        while await follower.follow(parts.db, rail, rules):
            pass
        credit = chart.partner_available(instance.partner_id)
        gift = transfer("bench", "gift", debit=chart.EQUITY_OPERATOR, credit=credit, amount=Money(2 * 10**8, BTC))
        async with parts.db.transaction() as tx:
            await ledger.post(tx, gift)
