"""Test mode's levers; in live mode these paths do not exist."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from app.api.answers import answered, gives
from app.api.calls import Write, Writing
from app.api.routing import StrictRoute
from app.domain.errors import NotFound
from app.ports.simulator import Simulator
from app.schemas.simulate import (
    AchActOut,
    AchReturnIn,
    AchSettleIn,
    CardPaidOut,
    DepositedOut,
    DepositIn,
    MinedOut,
    MineIn,
    PayIn,
)
from app.services import simulate

router = APIRouter(prefix="/v1/simulate", tags=["simulate"], route_class=StrictRoute)
Writer = Annotated[Write, Depends(Writing("simulate:write"))]


def simulator_of(call: Write) -> Simulator:
    """The far side that can be told what to do; raises NotFound where there is none, and in live mode."""
    if call.context.simulator is None or call.context.rails.livemode:
        raise NotFound
    return call.context.simulator


@router.post("/card/pay", responses=gives(CardPaidOut))
async def pay_with_card(body: PayIn, call: Writer) -> Response:
    """Pay an order with one of Stripe's published test cards; the number decides the outcome and is not kept."""
    return answered(await simulate.pay(call.context.db, simulator_of(call), call.caller.partner_id, body, call.request))


@router.post("/chain/mine", responses=gives(MinedOut))
async def mine_blocks(body: MineIn, call: Writer) -> Response:
    """Mine blocks at the far side."""
    context = call.context
    return answered(await simulate.mine(context.db, context.rails, simulator_of(call), body, call.request))


@router.post("/chain/deposit", responses=gives(DepositedOut))
async def deposit_coins(body: DepositIn, call: Writer) -> Response:
    """Send coins from the far side's faucet to an order's address, or to a standing one."""
    context, simulator = call.context, simulator_of(call)
    return answered(await simulate.deposit(context.db, simulator, call.caller.partner_id, body, call.request))


@router.post("/ach/settle", responses=gives(AchActOut))
async def settle_ach(body: AchSettleIn, call: Writer) -> Response:
    """Let an ACH payout settle at the bank now."""
    context, simulator = call.context, simulator_of(call)
    return answered(await simulate.settle(context.db, simulator, call.caller.partner_id, body, call.request))


@router.post("/ach/return", responses=gives(AchActOut))
async def return_ach(body: AchReturnIn, call: Writer) -> Response:
    """Let the receiving bank send an ACH payout back, before it has settled or after."""
    context, simulator = call.context, simulator_of(call)
    return answered(await simulate.give_back(context.db, simulator, call.caller.partner_id, body, call.request))
