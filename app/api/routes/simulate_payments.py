"""Test mode's levers on payments; in live mode these paths do not exist."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from app.api.answers import answered, gives
from app.api.routes.simulate import Writer, simulator_of
from app.api.routing import StrictRoute
from app.schemas.simulate import (
    AuthenticateIn,
    ChargebackIn,
    DebitIn,
    DebitReturnIn,
    DebitSettleIn,
    PaymentActOut,
    TransferIn,
)
from app.services import simulate_payments as acts

router = APIRouter(prefix="/v1/simulate", tags=["simulate"], route_class=StrictRoute)


@router.post("/card/authenticate", responses=gives(PaymentActOut))
async def authenticate_card(body: AuthenticateIn, call: Writer) -> Response:
    """Pass or fail the 3-D Secure challenge of an order's card."""
    context, simulator = call.context, simulator_of(call)
    return answered(await acts.authenticate(context.db, simulator, call.caller.partner_id, body, call.request))


@router.post("/card/chargeback", responses=gives(PaymentActOut))
async def charge_card_back(body: ChargebackIn, call: Writer) -> Response:
    """Let the customer's bank dispute an order's payment, or end the dispute."""
    context, simulator = call.context, simulator_of(call)
    return answered(await acts.charge_back(context.db, simulator, call.caller.partner_id, body, call.request))


@router.post("/debit/authorize", responses=gives(PaymentActOut))
async def authorize_debit(body: DebitIn, call: Writer) -> Response:
    """Give a mandate for a test bank account, by ACH or SEPA."""
    context, simulator = call.context, simulator_of(call)
    return answered(await acts.debit(context.db, simulator, call.caller.partner_id, body, call.request))


@router.post("/debit/settle", responses=gives(PaymentActOut))
async def settle_debit(body: DebitSettleIn, call: Writer) -> Response:
    """Let the customer's bank answer to a debit now."""
    context, simulator = call.context, simulator_of(call)
    return answered(await acts.settle_debit(context.db, simulator, call.caller.partner_id, body, call.request))


@router.post("/debit/return", responses=gives(PaymentActOut))
async def return_debit(body: DebitReturnIn, call: Writer) -> Response:
    """Let the customer's bank return a debit, before it has succeeded or after."""
    context, simulator = call.context, simulator_of(call)
    return answered(await acts.return_debit(context.db, simulator, call.caller.partner_id, body, call.request))


@router.post("/transfer/credit", responses=gives(PaymentActOut))
async def credit_transfer(body: TransferIn, call: Writer) -> Response:
    """Let a bank transfer arrive for an order."""
    context, simulator = call.context, simulator_of(call)
    return answered(await acts.transfer(context.db, simulator, call.caller.partner_id, body, call.request))
