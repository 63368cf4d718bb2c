"""What a partner has and what this instance offers: balances, assets, payment methods, state machines."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import gives, page_of_items, shown
from app.api.calls import Call, Reading
from app.api.ids import MachineName
from app.api.routing import StrictRoute
from app.schemas.balances import BalanceList
from app.schemas.catalogue import AssetList, PaymentMethodList, StateMachineOut
from app.services import catalogue, views

router = APIRouter(prefix="/v1", route_class=StrictRoute)
AnyCaller = Annotated[Call, Depends(Reading())]


@router.get("/balances", tags=["balances"], responses=gives(BalanceList))
async def get_balances(call: Annotated[Call, Depends(Reading("ledger:read"))]) -> Response:
    """What you have of every asset."""
    return page_of_items(await views.balances(call.context.db, call.caller.partner_id, call.caller.now))


@router.get("/assets", tags=["discovery"], responses=gives(AssetList))
async def list_assets(call: AnyCaller) -> Response:
    """Every asset, and whether it can be exchanged here now."""
    return page_of_items(catalogue.assets(call.context.rails, call.context.policy))


@router.get("/payment_methods", tags=["discovery"], responses=gives(PaymentMethodList))
async def list_payment_methods(call: AnyCaller) -> Response:
    """Every way that customers can pay, with its limits."""
    return page_of_items(catalogue.payment_methods(call.context.rails, call.context.policy))


@router.get("/state_machines/{resource}", tags=["discovery"], responses=gives(StateMachineOut))
async def get_state_machine(resource: MachineName, request: Request, call: AnyCaller) -> Response:
    """How orders, payouts, batches, deposits and external accounts move: every state, every edge, every event."""
    return shown(request, catalogue.state_machine(resource))
