"""Quotes, orders and webhooks over HTTP, beside what PostgreSQL alone does with the same statements."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator

import asyncpg
import orjson

from app.db import partners, placing, quotes
from bench.instance import WEBHOOK_SECRET, Instance, process
from bench.load import Result, measured, request_bytes, run_load
from bench.pgbench import CLIENT_RANGE, CLIENTS, Step, literal, transactions_per_second
from bench.report import Line

_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
_QUOTES, _ORDERS, _STRIPE_ORDERS, _HOOKS = 4000, 2000, 400, 3000
_STOCK = 1500  # quotes for each client of pgbench
_COUNTER = itertools.count(1)


def _post(instance: Instance, path: str, body: object) -> bytes:
    headers = {
        "Authorization": f"Bearer {instance.key}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"bench-{next(_COUNTER)}",
    }
    return request_bytes("POST", path, headers, orjson.dumps(body))


def _quote(instance: Instance) -> bytes:
    return _post(
        instance,
        "/v1/quotes",
        {
            "direction": "buy",
            "source": {"asset": "EUR", "amount": "100.00"},
            "destination": {"asset": "BTC", "network": "bitcoin"},
            "payment_method": "card",
        },
    )


def _orders(instance: Instance, answers: list[bytes]) -> Iterator[bytes]:
    for answer in answers:
        body = {"quote_id": orjson.loads(answer)["id"], "destination": {"address": _ADDRESS}}
        yield _post(instance, "/v1/orders", body)


def _all(result: Result, status: int) -> bool:
    return set(result.statuses) == {status}


def _detail(result: Result, cpu_ms: float, alone: float | None = None) -> str:
    ratio = "" if alone is None else f"pgbench {alone:.0f}/s, "
    return f"{ratio}CPU {cpu_ms:.2f} ms, p50 {result.percentile(0.5):.1f} ms, p99 {result.percentile(0.99):.1f} ms"


def measure(instance: Instance) -> list[Line]:
    """Every figure of this file, in one run."""
    lines: list[Line] = []
    with process("bench.api", "instant", environment=instance.environment) as (api, port):
        asyncio.run(run_load(int(port), iter([_quote(instance) for _ in range(200)])))
        wanted = [_quote(instance) for _ in range(_QUOTES)]
        result, cpu = asyncio.run(measured(api.pid, lambda: run_load(int(port), iter(wanted), keep_bodies=True)))
        alone = transactions_per_second(instance.database_url, _quote_steps(instance, result.bodies[0]))
        lines.append(_ratio("POST /v1/quotes", result, cpu, alone))
        requests = _orders(instance, result.bodies[:_ORDERS])
        placed, cpu = asyncio.run(measured(api.pid, lambda: run_load(int(port), requests, keep_bodies=True)))
        asyncio.run(_stock_quotes(instance))
        alone = transactions_per_second(instance.database_url, _order_steps(instance, placed.bodies[0]))
        lines.append(_ratio("POST /v1/orders, card rail in process", placed, cpu, alone))
        hooks = [_hook(number) for number in range(_HOOKS)]
        told, cpu = asyncio.run(measured(api.pid, lambda: run_load(int(port), iter(hooks))))
        met = told.rate >= 500 and _all(told, 200) and told.percentile(1.0) < 1000
        lines.append(Line("inbound webhooks", f"{told.rate:.0f}/s", ">= 500/s", met, _detail(told, cpu)))
    with process("bench.api", "stripe", environment=instance.environment) as (api, port):
        requests = _orders(instance, result.bodies[_ORDERS : _ORDERS + _STRIPE_ORDERS])
        placed, cpu = asyncio.run(measured(api.pid, lambda: run_load(int(port), requests)))
        met = placed.rate >= 120 and _all(placed, 201)
        lines.append(Line("POST /v1/orders, Stripe SDK", f"{placed.rate:.0f}/s", ">= 120/s", met, _detail(placed, cpu)))
    return lines


def _ratio(what: str, result: Result, cpu_ms: float, alone: float) -> Line:
    ratio = result.rate / alone
    met = ratio >= 0.30 and cpu_ms <= 2.0 and _all(result, 201)
    return Line(
        what, f"{result.rate:.0f}/s = {ratio:.2f}", ">= 0.30 of pgbench, <= 2 ms", met, _detail(result, cpu_ms, alone)
    )


def _hook(number: int) -> bytes:
    body = json.dumps(
        {
            "id": f"evt_bench_{number}", "object": "event", "api_version": None, "livemode": False,
            "type": "payment_intent.created",
            "data": {"object": {"id": "pi_bench", "object": "payment_intent"}},
        }
    ).encode()  # fmt: skip
    at = int(time.time())
    signature = hmac.new(WEBHOOK_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={at},v1={signature}"}
    return request_bytes("POST", "/hooks/stripe", headers, body)


def _auth(instance: Instance) -> Step:
    return Step(partners.FIND_CALLER, [f"'\\x{instance.key_hash.hex()}'::bytea"])


def _quote_steps(instance: Instance, answer: bytes) -> list[Step]:
    values = [
        "'qt_' || :n", literal(instance.partner_id), "'buy'", "'source'", "'EUR'", "10000", "'BTC.bitcoin'", "161068",
        "9851", "49", "100", "0", "0", "'card'", "NULL",
        literal(orjson.dumps({"rate": "61000.00", "levels": [["61000.00", "0.00161068"]]}).decode()),
        "now() + interval '1 minute'", "now()", "false", "'key_' || :n", "'\\x00'::bytea",
        f"convert_to({literal(answer.decode())}, 'UTF8')", "NULL",
    ]  # fmt: skip
    return [_auth(instance), Step(quotes.INSERT, values)]


def _order_steps(instance: Instance, answer: bytes) -> list[Step]:
    partner, snapshot = literal(instance.partner_id), literal(orjson.dumps({"object": orjson.loads(answer)}).decode())
    place = [
        "'or_' || :n", partner, "'oq_' || :n", "NULL", "'buy'", "'awaiting_payment'", "'EUR'", "10000", "'BTC.bitcoin'",
        "161068", "9851", "49", "100", "0", "0", literal(_ADDRESS), "'0014'", "'card'", "'{}'", "'{}'", "'req'",
        "false", "now() + interval '15 minutes'", "now()", "'pay_' || :n", "'stripe'", "'op_' || :n", "'ok_' || :n",
        "'\\x00'::bytea", "'ev_' || :n", "'order.created'", snapshot, "'bitcoin'",
        "0", "NULL", "NULL",
    ]  # fmt: skip
    started = [partner, "'ok_' || :n", f"convert_to({literal(answer.decode())}, 'UTF8')", "'pay_' || :n",
               "'awaiting_customer'", "'pi_' || :n", "'secret'"]  # fmt: skip
    return [
        _auth(instance),
        Step(placing.QUOTE_FOR, ["'oq_' || :n", partner, "NULL"]),
        Step(placing.PLACE, place),
        Step(placing.STARTED, started),
    ]  # fmt: skip


async def _stock_quotes(instance: Instance) -> None:
    """Open quotes for pgbench to use, as many for each client as it could need."""
    connection = await asyncpg.connect(instance.database_url)
    await connection.execute(
        """
        INSERT INTO quotes SELECT (jsonb_populate_record(NULL::quotes, to_jsonb(sample) || jsonb_build_object(
            'id', 'oq_' || client * $1::bigint + number, 'status', 'open', 'order_id', NULL, 'used_at', NULL
        ))).* FROM (SELECT * FROM quotes LIMIT 1) AS sample,
             generate_series(0, $2::integer - 1) AS client, generate_series(1, $3::integer) AS number
        """,
        CLIENT_RANGE,
        CLIENTS,
        _STOCK,
    )
    await connection.execute("ANALYZE quotes")
    await connection.close()
