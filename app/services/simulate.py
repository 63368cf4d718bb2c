"""Test mode's levers: paying with a test card, mining blocks. They act on the far side, never on our own tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.db import idempotency
from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db.database import Database, Transaction
from app.domain.errors import ConflictState, NotFound
from app.ports.simulator import Simulator
from app.schemas.simulate import CardPaidOut, MinedOut, MineIn, PayIn
from app.services import idempotent
from app.services.idempotent import Answer, IdempotentRequest, replay
from app.services.rails import Rails


async def pay(db: Database, simulator: Simulator, partner_id: str, body: PayIn, request: IdempotentRequest) -> Answer:
    """Do what the customer's browser would do; what follows comes back as a notification, as in life.

    Raises NotFound, and ConflictState while the provider has not answered yet. The card is neither kept nor logged.
    """

    async def act() -> bytes:
        order = await order_rows.get(db, partner_id, body.order_id)
        if order is None:
            raise NotFound("There is no such order.", pointer="/order_id")
        async with db.connection() as connection:
            payment = await payment_rows.of_order(connection, order.id)
        if payment is None or payment.reference is None:
            raise ConflictState("The payment has not reached the provider yet.", retry_after=1)
        await simulator.pay(payment.reference, body.card)
        return CardPaidOut(order_id=order.id).model_dump_json().encode()

    return await _once(db, request, act)


async def mine(db: Database, rails: Rails, simulator: Simulator, body: MineIn, request: IdempotentRequest) -> Answer:
    """Let the far side mine; raises RouteUnsupported for a network that no rail serves."""
    rails.chain(body.network)

    async def act() -> bytes:
        hashes = await simulator.mine(body.network, body.blocks)
        return MinedOut(network=body.network, blocks=hashes).model_dump_json().encode()

    return await _once(db, request, act)


async def _once(db: Database, request: IdempotentRequest, act: Callable[[], Awaitable[bytes]]) -> Answer:
    """Act and keep the answer, or give the answer that was kept.

    No transaction is open while the far side works. Two requests with one key at the same moment may both act: this is
    play money, and the answer of one of them is kept.
    """
    async with db.connection() as connection:
        earlier = await idempotency.find(connection, request.partner_id, request.key)
    if earlier is not None:
        return replay(earlier, request)
    body = await act()

    async def keep(_tx: Transaction) -> tuple[int, bytes]:
        return 200, body

    return await idempotent.run(db, request, keep)
