"""SIGKILL at named points of a buy order: whatever dies and whenever, the same order completes once.

Each point is reached with the help of the far side, which holds a request or an answer for some seconds, or of a lock
in the database: so the kill falls where its name says, and no code of ours knows that it is being tested.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import httpx
import pytest

from app.cli.receiver import receiving
from tests.journeys.crash_ramp import Customer, HoldingReceiver, Ramp, until
from tests.journeys.dev_process import running

After = Callable[[], Awaitable[None]]
Point = Callable[[Ramp, Customer, set[asyncio.Task[None]]], Awaitable[After | None]]

MOVES = ["placed", "payment_authorised", "payment_captured", "send_prepared", "send_broadcast", "send_confirmed"]


@pytest.fixture(scope="module")
async def ramp(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ramp]:
    """One instance for all the rounds, with a subscriber."""
    with running(tmp_path_factory.mktemp("crash") / "home") as dev, receiving(HoldingReceiver()) as receiver:
        assert isinstance(receiver, HoldingReceiver)
        headers = {"Authorization": f"Bearer {dev.instance.api_key}"}
        async with (
            httpx.AsyncClient(base_url=dev.instance.api_url, headers=headers, timeout=60) as api,
            httpx.AsyncClient(base_url=dev.instance.sandbox_url, timeout=60) as far,
        ):
            made = await api.post(
                "/v1/webhook_endpoints",
                json={"url": receiver.url, "event_types": ["order.*"]},
                headers={"Idempotency-Key": "endpoint"},
            )
            receiver.secret = made.json()["secret"]
            path = f"/v1/webhook_endpoints/{made.json()['id']}/enable"
            enabled = await api.post(path, json={}, headers={"Idempotency-Key": "enable"})
            assert enabled.status_code == 200, enabled.text
            yield Ramp(dev, api, far, receiver)


async def quoted(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> None:
    """After the quote."""
    await customer.quote()


async def placing(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> None:
    """The order is written; the provider has not yet been reached."""
    await customer.quote()
    fault = await ramp.arm("delay_before", method="POST", path="/payment_intents$")
    tasks.add(asyncio.create_task(customer.place()))
    await ramp.used(fault)


async def placing_answered(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> None:
    """The provider has opened the payment; its answer is on the way."""
    await customer.quote()
    fault = await ramp.arm("delay", method="POST", path="/payment_intents$")
    tasks.add(asyncio.create_task(customer.place()))
    await ramp.used(fault)


async def placed(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> None:
    """After the order."""
    await customer.quote()
    await customer.place()


async def paid_untold(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> None:
    """The customer has paid; the notification is on the way."""
    await placed(ramp, customer, tasks)
    await ramp.arm("webhook_delay", seconds=4.0, event="amount_capturable")
    await customer.pay()


async def capturing(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> None:
    """Authorised: the capture has left us, and has not been done."""
    await placed(ramp, customer, tasks)
    fault = await ramp.arm("delay_before", method="POST", path="/capture$")
    await customer.pay()
    await ramp.used(fault)


async def captured(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> None:
    """The capture is done; its answer is on the way, and so is every notification of it."""
    await placed(ramp, customer, tasks)
    await ramp.arm("webhook_delay", event=r"^(payment_intent\.succeeded|charge\.)", times=4)
    fault = await ramp.arm("delay", method="POST", path="/capture$")
    await customer.pay()
    await ramp.used(fault)


async def paid(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> After:
    """Paid, and no coin is free for the send."""
    connection = await asyncpg.connect(ramp.dev.instance.database_url)
    lock = connection.transaction()
    await lock.start()
    await connection.execute("SELECT 1 FROM coins FOR UPDATE")
    await placed(ramp, customer, tasks)
    await customer.pay()
    await ramp.state_is(customer.order_id, "paid")

    async def free() -> None:
        connection.terminate()

    return free


async def signed(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> None:
    """The transaction's bytes are stored; the broadcast has left us, and has not been done."""
    await placed(ramp, customer, tasks)
    fault = await ramp.arm("delay_before", target="bitcoin", path="/sendrawtransaction$")
    await customer.pay()
    await ramp.used(fault)


async def broadcast(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> None:
    """The node has the transaction; its answer is on the way."""
    await placed(ramp, customer, tasks)
    fault = await ramp.arm("delay", target="bitcoin", path="/sendrawtransaction$")
    await customer.pay()
    await ramp.used(fault)


async def sent(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> After:
    """Broadcast and recorded; in no block. The next ones come while whatever dies is dead."""
    await ramp.mining(paused=True)
    await placed(ramp, customer, tasks)
    await customer.pay()
    await ramp.state_is(customer.order_id, "sent")

    async def mine() -> None:
        await ramp.mining(paused=False)

    return mine


async def delivering(ramp: Ramp, customer: Customer, tasks: set[asyncio.Task[None]]) -> After:
    """Completed; the subscriber has been told, and has not answered."""
    await placed(ramp, customer, tasks)
    ramp.receiver.hold = customer.order_id
    await customer.pay()

    async def held() -> bool:
        return ramp.receiver.holding.is_set()

    await until(held, "the delivery held")

    async def answer() -> None:
        ramp.receiver.release.set()

    return answer


# What our own books say of the order at each point.
STATES: dict[Point, set[str | None]] = {
    quoted: {None},
    placing: {"awaiting_payment"},
    placing_answered: {"awaiting_payment"},
    placed: {"awaiting_payment"},
    paid_untold: {"awaiting_payment", "authorised"},  # the poller may have asked by itself
    capturing: {"authorised"},
    captured: {"authorised"},
    paid: {"paid"},
    signed: {"sending"},
    broadcast: {"sending"},
    sent: {"sent"},
    delivering: {"completed"},
}

ROUNDS: dict[tuple[str, ...], list[Point]] = {
    ("api",): [quoted, placed, placing, placing_answered, paid_untold],
    ("worker",): [delivering, sent, capturing, captured, signed, broadcast],
    ("sandbox",): [quoted, placed, capturing, sent],
    ("postgres",): [placed, captured, sent, paid],
    ("api", "worker", "sandbox", "postgres"): [placed, captured, signed],
}


@pytest.mark.parametrize("victims", ROUNDS, ids="+".join)
async def test_a_kill_at_any_point_completes_the_same_order_once(ramp: Ramp, victims: tuple[str, ...]) -> None:
    customers: list[Customer] = []
    tasks: set[asyncio.Task[None]] = set()
    afterwards: list[After] = []
    for point in ROUNDS[victims]:
        customers.append(Customer(ramp))
        after = await point(ramp, customers[-1], tasks)
        assert await customers[-1].state() in STATES[point]
        if after is not None:
            afterwards.append(after)
    await ramp.kill(*victims)
    await ramp.disarm()
    for after in afterwards:
        await after()
    await asyncio.gather(*tasks)
    orders = await asyncio.gather(*(customer.finish() for customer in customers))
    for customer, order in zip(customers, orders, strict=True):
        await _completed_once(ramp, customer, order)
    assert await ramp.audit() == ""


async def _completed_once(ramp: Ramp, customer: Customer, order: dict[str, object]) -> None:
    """By our own records, by the far side's, and by what the subscriber heard."""
    source, destination = order["source"], order["destination"]
    assert isinstance(source, dict)
    assert isinstance(destination, dict)
    timeline = (await ramp.api.get(f"/v1/orders/{customer.order_id}/timeline")).json()["data"]
    moves = Counter(move["trigger"] for move in timeline)
    # A crash can hide the broadcast from us until the chain shows it.
    assert moves + Counter(["send_broadcast"]) >= Counter(MOVES)
    # A far side that forgot it and mined on meanwhile: the same coins pay it once more, at a higher fee.
    del moves["send_replaced"]
    assert moves <= Counter(MOVES)
    assert source["received"] == source["amount"] == "100.00"
    assert await ramp.charges_of(customer.order_id) == [("succeeded", 10_000)]
    units = round(float(destination["amount"]) * 10**8)
    assert await ramp.coins_at(customer.address) == [units]
    listed = (await ramp.api.get("/v1/orders", params={"external_id": customer.name})).json()["data"]
    assert [each["id"] for each in listed] == [customer.order_id]

    async def told() -> bool:
        return ramp.receiver.told[customer.order_id, "order.completed"] > 0

    await until(told, f"{customer.name} told")
    assert ramp.receiver.told[customer.order_id, "order.completed"] == 1


def test_the_points_are_many() -> None:
    assert {point for points in ROUNDS.values() for point in points} == STATES.keys()
    assert len(STATES) >= 10
    assert sum(len(points) for points in ROUNDS.values()) >= 20
