"""Test mode's levers on payments: challenges, chargebacks, mandates, returns and transfers at the far side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db.database import Database
from app.db.orders import Order
from app.domain.assets import asset_by_id
from app.domain.errors import AmountBelowMin, ConflictState, NotFound
from app.domain.money import parse_units
from app.ports.simulator import Simulator
from app.schemas.simulate import (
    AuthenticateIn,
    ChargebackIn,
    DebitIn,
    DebitReturnIn,
    DebitSettleIn,
    PaymentActOut,
    TransferIn,
)
from app.services.idempotent import Answer, IdempotentRequest
from app.services.simulate import once


async def authenticate(
    db: Database, simulator: Simulator, partner_id: str, body: AuthenticateIn, request: IdempotentRequest
) -> Answer:
    """End a 3-D Secure challenge. Raises NotFound and ConflictState, as all of these do."""
    passed = body.outcome == "succeeded"
    return await _act(
        db,
        partner_id,
        body.order_id,
        request,
        "card.authenticate",
        lambda order, payment: simulator.authenticate(payment, succeeded=passed),
    )


async def charge_back(
    db: Database, simulator: Simulator, partner_id: str, body: ChargebackIn, request: IdempotentRequest
) -> Answer:
    """Open a dispute, or end the one that is open."""

    async def act(order: Order, payment: str) -> None:
        units = None if body.amount is None else _units(order, body.amount)
        await simulator.dispute(payment, units=units, outcome=body.outcome)

    return await _act(db, partner_id, body.order_id, request, "card.chargeback", act)


async def debit(
    db: Database, simulator: Simulator, partner_id: str, body: DebitIn, request: IdempotentRequest
) -> Answer:
    """Give a mandate."""
    return await _act(
        db,
        partner_id,
        body.order_id,
        request,
        "debit.authorize",
        lambda order, payment: simulator.debit(payment, body.account),
    )


async def settle_debit(
    db: Database, simulator: Simulator, partner_id: str, body: DebitSettleIn, request: IdempotentRequest
) -> Answer:
    """Let the bank answer."""
    return await _act(
        db,
        partner_id,
        body.order_id,
        request,
        "debit.settle",
        lambda order, payment: simulator.settle_debit(payment),
    )


async def return_debit(
    db: Database, simulator: Simulator, partner_id: str, body: DebitReturnIn, request: IdempotentRequest
) -> Answer:
    """Let the bank return the debit."""
    return await _act(
        db,
        partner_id,
        body.order_id,
        request,
        "debit.return",
        lambda order, payment: simulator.return_debit(payment, body.code),
    )


async def transfer(
    db: Database, simulator: Simulator, partner_id: str, body: TransferIn, request: IdempotentRequest
) -> Answer:
    """Let money arrive. Raises AmountBelowMin for none."""

    async def act(order: Order, payment: str) -> None:
        await simulator.transfer(payment, _units(order, body.amount))

    return await _act(db, partner_id, body.order_id, request, "transfer.credit", act)


def _units(order: Order, amount: str) -> int:
    units = parse_units(amount, asset_by_id(order.source_asset).decimals, pointer="/amount")
    if not units:
        raise AmountBelowMin("The amount must be above zero.", pointer="/amount")
    return units


async def _act(
    db: Database,
    partner_id: str,
    order_id: str,
    request: IdempotentRequest,
    name: str,
    act: Callable[[Order, str], Awaitable[object]],
) -> Answer:
    async def do() -> bytes:
        order = await order_rows.get(db, partner_id, order_id)
        if order is None:
            raise NotFound("There is no such order.", pointer="/order_id")
        async with db.connection() as connection:
            payment = await payment_rows.of_order(connection, order.id)
        if payment is None or payment.reference is None:
            raise ConflictState("The payment has not reached the provider yet.", retry_after=1)
        await act(order, payment.reference)
        return PaymentActOut.model_validate({"act": name, "order_id": order.id}).model_dump_json().encode()

    return await once(db, request, do)
