"""What a partner has and what this instance offers: balances, assets, prices, providers, state machines."""

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
from app.schemas.providers import ProviderList
from app.schemas.rates import RateList
from app.services import catalogue, provider_health, rates, views

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


@router.get("/rates", tags=["discovery"], responses=gives(RateList))
async def list_rates(call: AnyCaller) -> Response:
    """The market price of every pair that is offered, before any fee."""
    return page_of_items(rates.rates(call.context.board, call.caller.now))


@router.get("/providers", tags=["discovery"], responses=gives(ProviderList))
async def list_providers(call: AnyCaller) -> Response:
    """Everybody that serves you through this instance, what they can do, and whether they work."""
    context = call.context
    return page_of_items(await provider_health.providers(context.db, context.rails, context.board))


@router.get("/state_machines/{resource}", tags=["discovery"], responses=gives(StateMachineOut))
async def get_state_machine(resource: MachineName, request: Request, call: AnyCaller) -> Response:
    """How orders, payouts, batches, deposits and external accounts move: every state, every edge, every event."""
    return shown(request, catalogue.state_machine(resource))
