"""From the transition to `paid` to a transaction that the node has taken, with one worker."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import orjson

from app.api.context import Context
from app.db import payments
from app.db.partners import find_caller
from app.domain.assets import EUR
from app.domain.money import Money
from app.ports.chain import Branch
from app.ports.payin import PaymentStatus
from app.schemas.orders import OrderIn
from app.schemas.quotes import QuoteIn
from app.services import follower, placing, preparing, quotes, receipts
from app.services.deposit_rules import DepositRules
from app.services.idempotent import IdempotentRequest
from app.wiring import gateway
from bench.card import InstantCard
from bench.instance import Instance, opened, process
from bench.load import cpu_seconds
from bench.report import Line
from providers.sandbox.client import SandboxClient

_ORDERS, _COINS, _PATIENCE = 600, 1200, 120.0
_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def measure(instance: Instance) -> list[Line]:
    """Pay many orders at once, then let one worker send the coins."""
    asyncio.run(_prepare(instance))
    with process("bench.worker", environment=instance.environment) as (worker, _):
        before = cpu_seconds(worker.pid)
        asyncio.run(_wait(instance))
        cpu_ms = (cpu_seconds(worker.pid) - before) * 1000 / _ORDERS
    rate, median = asyncio.run(_rate(instance))
    detail = f"worker CPU {cpu_ms:.1f} ms each, median {median:.0f} ms from stored bytes to broadcast"
    return [Line("paid to accepted by the node", f"{rate:.0f}/s", ">= 100/s", rate >= 100, detail)]


async def _prepare(instance: Instance) -> None:
    async with opened(instance) as parts:
        parts = replace(parts, rails=replace(parts.rails, payin={"stripe": InstantCard()}))
        rail = parts.rails.chains["bitcoin"]
        await preparing.open_wallet(parts.db, rail)
        far = SandboxClient(parts.http, instance.far_url)
        addresses = [rail.new_address(Branch.RECEIVE, index).text for index in range(preparing.POOL_SIZE)]
        await far.fund([(addresses[number % preparing.POOL_SIZE], 5_000_000) for number in range(_COINS)])
        context = gateway.context(instance.settings(), parts)
        rules = DepositRules(context.policy, context.board, livemode=False)
        while await follower.follow(parts.db, rail, rules):
            pass
        await context.board.refresh()
        prices = asyncio.create_task(context.board.run())
        for number in range(_ORDERS):
            await _pay(instance, context, number)
        prices.cancel()


async def _pay(instance: Instance, context: Context, number: int) -> None:
    """One order, from its quote to `paid`."""
    db, rails = context.db, context.rails
    caller = await find_caller(db, instance.key_hash)
    assert caller is not None
    request = IdempotentRequest(instance.partner_id, f"send-q{number}", b"\0", lambda refusal: (500, b""))
    body = {
        "direction": "buy",
        "source": {"asset": "EUR", "amount": "100.00"},
        "destination": {"asset": "BTC", "network": "bitcoin"},
    }
    quote = await quotes.create(db, rails, context.board, context.policy, caller, QuoteIn.model_validate(body), request)
    destination = {"address": _ADDRESS}
    order_in = OrderIn.model_validate({"quote_id": orjson.loads(quote.body)["id"], "destination": destination})
    request = replace(request, key=f"send-o{number}")
    order = await placing.place(db, rails, context.policy, caller, order_in, request, "req")
    async with db.transaction() as tx:
        payment = await payments.of_order(tx, orjson.loads(order.body)["id"])
        assert payment is not None
        receipt = InstantCard.receipt(payment.reference or "", PaymentStatus.CAPTURED, Money(10_000, EUR))
        await receipts.observe(tx, payment, receipt)


async def _wait(instance: Instance) -> None:
    async with opened(instance) as parts:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            async with parts.db.connection() as connection:
                if await connection.fetchval("SELECT count(*) FROM transitions WHERE target = 'sent'") >= _ORDERS:
                    return
            await asyncio.sleep(0.25)
        raise AssertionError("the worker does not come to an end")


async def _rate(instance: Instance) -> tuple[float, float]:
    async with opened(instance) as parts, parts.db.connection() as connection:
        seconds = await connection.fetchval(
            """
            SELECT extract(epoch FROM max(at) FILTER (WHERE target = 'sent')
                                      - min(at) FILTER (WHERE target = 'sending')) FROM transitions
            """
        )
        median = await connection.fetchval(
            """
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM sent.at - sending.at) * 1000)
            FROM transitions AS sent JOIN transitions AS sending USING (order_id)
            WHERE sent.target = 'sent' AND sending.target = 'sending'
            """
        )
    return _ORDERS / float(seconds), float(median)
