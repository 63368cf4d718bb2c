"""`POST /v1/payouts` beside what PostgreSQL alone does with the same statements."""

from __future__ import annotations

import asyncio
import itertools

import orjson

from app.db import external_accounts, ledger, partners, payout_placing
from app.domain import chart
from app.domain.assets import BTC
from app.domain.ledger import transfer
from app.domain.money import Money
from bench.instance import Instance, opened, process
from bench.load import Result, exchange, measured, request_bytes, run_load
from bench.pgbench import Step, literal, transactions_per_second
from bench.report import Line

_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
_PAYOUTS = 3000
_FLOAT = 10**15
_COUNTER = itertools.count(1)


def _post(instance: Instance, path: str, body: object) -> bytes:
    headers = {
        "Authorization": f"Bearer {instance.key}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"payout-{next(_COUNTER)}",
    }
    return request_bytes("POST", path, headers, orjson.dumps(body))


def measure(instance: Instance) -> list[Line]:
    """Payouts to one wallet, from one balance: the row that they all take turns on is part of the figure."""
    asyncio.run(_give(instance))
    with process("bench.api", "instant", environment=instance.environment) as (api, port):
        account_id = asyncio.run(_account(instance, int(port)))
        body = {
            "amount": {"asset": "BTC", "network": "bitcoin", "amount": "0.00010000"},
            "external_account_id": account_id,
        }
        asyncio.run(run_load(int(port), iter([_post(instance, "/v1/payouts", body) for _ in range(100)])))
        wanted = [_post(instance, "/v1/payouts", body) for _ in range(_PAYOUTS)]
        result, cpu = asyncio.run(measured(api.pid, lambda: run_load(int(port), iter(wanted), keep_bodies=True)))
    alone = transactions_per_second(instance.database_url, _steps(instance, account_id, result.bodies[0]))
    return [_line(result, cpu, alone)]


async def _give(instance: Instance) -> None:
    """More than all of it will need, from the operator."""
    async with opened(instance) as parts, parts.db.transaction() as tx:
        given = transfer(
            "bench:float",
            "float",
            debit=chart.EQUITY_OPERATOR,
            credit=chart.partner_available(instance.partner_id),
            amount=Money(_FLOAT, BTC),
        )
        await ledger.post(tx, given)


async def _account(instance: Instance, port: int) -> str:
    wallet = {"type": "wallet", "asset": "BTC", "network": "bitcoin", "address": _ADDRESS}
    status, body = await exchange(port, _post(instance, "/v1/external_accounts", wallet))
    assert status == 201, body
    return str(orjson.loads(body)["id"])


def _line(result: Result, cpu_ms: float, alone: float) -> Line:
    ratio = result.rate / alone
    met = ratio >= 0.25 and set(result.statuses) == {201}
    detail = (
        f"pgbench {alone:.0f}/s, CPU {cpu_ms:.2f} ms, p50 {result.percentile(0.5):.1f} ms, "
        f"p99 {result.percentile(0.99):.1f} ms"
    )
    return Line("POST /v1/payouts", f"{result.rate:.0f}/s = {ratio:.2f}", ">= 0.25 of pgbench", met, detail)


def _steps(instance: Instance, account_id: str, answer: bytes) -> list[Step]:
    partner, account = literal(instance.partner_id), literal(account_id)
    available = literal(chart.partner_available(instance.partner_id))
    snapshot = literal(orjson.dumps({"object": orjson.loads(answer), "previous": {}}).decode())
    place = [
        "'po_' || :n", partner, account, "NULL", "'BTC.bitcoin'", "10000", "'chain'", "'bitcoin'", "NULL",
        literal(_ADDRESS), "'0014'", "'queued'", "NULL::bytea", "'{}'", "'key'", "'req'", "false", "now()",
        "'created'", "'pk_' || :n", "'\\x00'::bytea", f"convert_to({literal(answer.decode())}, 'UTF8')", snapshot,
        available, f"{literal('payout:po_')} || :n::bigint", "'le_' || :n", f"'po_' || :n || {literal(':reserve')}",
        "'pe_' || :n",
        "'payout.created'", "false",
    ]  # fmt: skip
    return [
        Step(partners.FIND_CALLER, [f"'\\x{instance.key_hash.hex()}'::bytea"]),
        Step(external_accounts.GET, [partner, account]),
        Step(payout_placing.PLACE_PAYOUT, place),
    ]
