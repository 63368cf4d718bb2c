"""Deposits, and standing addresses for them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answered, gives, page_of_items, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import DEPOSIT_ADDRESS_ID, DEPOSIT_ID, DepositAddressId, DepositId
from app.api.queries import CREATED_AT, METADATA, PAGING, Query, metadata_of, page_of, parameter, period_of, wrong
from app.api.routing import StrictRoute
from app.db.deposit_addresses import AddressFilter
from app.db.deposit_lists import DepositFilter
from app.domain.deposit import DepositState
from app.schemas.base import Nothing
from app.schemas.deposits import DepositAddressIn, DepositAddressList, DepositAddressOut, DepositList, DepositOut
from app.services import deposit_addresses, deposit_lists

router = APIRouter(prefix="/v1/deposits", tags=["deposits"], route_class=StrictRoute)
addresses_router = APIRouter(prefix="/v1/deposit_addresses", tags=["deposits"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("deposits:read"))]
Writer = Annotated[Write, Depends(Writing("deposits:write"))]

_STATUSES: Final = sorted(state.value for state in DepositState if state is not DepositState.NEW)
_ROUTES: Final = ["balance", "order", "sell"]
_STATUS: Final = parameter(
    "status", "Only deposits with this status", "credited", {"type": "string", "enum": _STATUSES}
)
_FILTERS: Final = [
    *PAGING,
    _STATUS,
    parameter("order_id", "Only deposits of this order", "or_01JD0000000000000000000000"),
    *CREATED_AT,
]
_ADDRESS_FILTERS: Final = [
    *PAGING,
    parameter("status", "Only such addresses", "active", {"type": "string", "enum": ["active", "deactivated"]}),
    parameter("route", "Only addresses with this route", "balance", {"type": "string", "enum": _ROUTES}),
    *CREATED_AT,
    METADATA,
]


def _one_of(query: Query, name: str, allowed: list[str]) -> str | None:
    value = query.get(name)
    if value is not None and value not in allowed:
        raise wrong(name, "not_allowed")
    return value


async def _deposits(call: Call, deposit_address_id: str | None) -> Response:
    page = page_of(call.query, DEPOSIT_ID)
    wanted = DepositFilter(
        state=_one_of(call.query, "status", _STATUSES),
        order_id=call.query.get("order_id"),
        deposit_address_id=deposit_address_id,
        created_at=period_of(call.query).bounds,
    )
    return page_of_items(
        await deposit_lists.list_deposits(
            call.context.db,
            call.caller.partner_id,
            wanted,
            page,
        )
    )


@router.get("", responses=gives(DepositList), openapi_extra={"parameters": _FILTERS})
async def list_deposits(call: Reader) -> Response:
    """Deposits, newest first. A deposit is listed when every filter holds."""
    return await _deposits(call, None)


@router.get("/{deposit_id}", responses=gives(DepositOut))
async def get_deposit(deposit_id: DepositId, request: Request, call: Reader) -> Response:
    """A deposit as it stands."""
    deposit = await deposit_lists.get(call.context.db, call.caller.partner_id, deposit_id)
    return shown(request, deposit, sequence=deposit.sequence)


@addresses_router.post("", status_code=201, responses=gives(DepositAddressOut, status=201))
async def create_deposit_address(body: DepositAddressIn, call: Writer) -> Response:
    """Get an address that stays. What arrives there is credited to your balance, or sold and paid out."""
    context = call.context
    return answered(
        await deposit_addresses.create(
            context.db, context.rails, context.policy, call.caller, body, call.request, call.request_id
        )
    )


@addresses_router.get("", responses=gives(DepositAddressList), openapi_extra={"parameters": _ADDRESS_FILTERS})
async def list_deposit_addresses(call: Reader) -> Response:
    """Addresses, newest first. An address is listed when every filter holds."""
    page = page_of(call.query, DEPOSIT_ADDRESS_ID)
    wanted = AddressFilter(
        route=_one_of(call.query, "route", _ROUTES),
        status=_one_of(call.query, "status", ["active", "deactivated"]),
        created_at=period_of(call.query).bounds,
        metadata=metadata_of(call.query),
    )
    return page_of_items(
        await deposit_addresses.list_addresses(
            call.context.db,
            call.caller.partner_id,
            wanted,
            page,
        )
    )


@addresses_router.get("/{deposit_address_id}", responses=gives(DepositAddressOut))
async def get_deposit_address(deposit_address_id: DepositAddressId, request: Request, call: Reader) -> Response:
    """An address as it stands."""
    address = await deposit_addresses.get(call.context.db, call.caller.partner_id, deposit_address_id)
    return shown(request, address, sequence=address.sequence)


@addresses_router.get(
    "/{deposit_address_id}/deposits",
    responses=gives(DepositList),
    openapi_extra={"parameters": [*PAGING, _STATUS, *CREATED_AT]},
)
async def list_deposits_of_address(deposit_address_id: DepositAddressId, call: Reader) -> Response:
    """What has arrived at an address, newest first."""
    await deposit_addresses.get(call.context.db, call.caller.partner_id, deposit_address_id)
    return await _deposits(call, deposit_address_id)


@addresses_router.post("/{deposit_address_id}/deactivate", responses=gives(DepositAddressOut))
async def deactivate_deposit_address(
    deposit_address_id: DepositAddressId, call: Writer, body: Nothing | None = None
) -> Response:
    """Give an address out no longer. Coins that are first seen there afterwards are held."""
    return answered(
        await deposit_addresses.deactivate(
            call.context.db,
            call.caller.partner_id,
            deposit_address_id,
            call.request,
            call.request_id,
            expected=call.expected,
        )
    )
