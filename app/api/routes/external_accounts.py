"""External accounts: where payouts may go."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import Response

from app.api.answers import answered, gives, page_of_items, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import EXTERNAL_ACCOUNT_ID, ExternalAccountId
from app.api.queries import CREATED_AT, LIMIT, METADATA, Query, metadata_of, page_of, parameter, period_of, wrong
from app.api.routing import StrictRoute
from app.db.external_accounts import AccountFilter
from app.domain.external_account import AccountState, AccountType, BankScheme
from app.schemas.base import Nothing
from app.schemas.external_accounts import ExternalAccountIn, ExternalAccountList, ExternalAccountOut
from app.services import account_actions

router = APIRouter(prefix="/v1/external_accounts", tags=["payouts"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("external_accounts:read"))]
Writer = Annotated[Write, Depends(Writing("external_accounts:write"))]

_EXAMPLE: Final = "xa_01JD0000000000000000000000"
_CHOICES: Final[dict[str, list[str]]] = {
    "type": [kind.value for kind in AccountType],
    "status": [state.value for state in AccountState if state is not AccountState.NEW],
    "scheme": [scheme.value for scheme in BankScheme],
}
_FILTERS: Final = [
    LIMIT,
    parameter("starting_after", "The id after which to go on, to older accounts", _EXAMPLE),
    parameter("ending_before", "The id before which to end, to newer accounts", _EXAMPLE),
    *(
        parameter(name, f"Only accounts of this {name}", allowed[0], {"type": "string", "enum": allowed})
        for name, allowed in _CHOICES.items()
    ),
    *CREATED_AT,
    METADATA,
]


@router.post("", status_code=201, responses=gives(ExternalAccountOut, status=201))
async def create_external_account(body: Annotated[ExternalAccountIn, Body()], call: Writer) -> Response:
    """Add a bank account or a wallet that payouts may go to. Its numbers are checked, sealed, and never shown again."""
    context = call.context
    return answered(
        await account_actions.create(
            context.db,
            context.rails,
            context.sealer,
            context.policy,
            call.caller,
            body,
            call.request,
            call.request_id,
        )
    )


@router.get("", responses=gives(ExternalAccountList), openapi_extra={"parameters": _FILTERS})
async def list_external_accounts(call: Reader) -> Response:
    """External accounts, newest first. An account is listed when every filter holds."""
    page = page_of(call.query, EXTERNAL_ACCOUNT_ID)
    return page_of_items(
        await account_actions.list_accounts(
            call.context.db,
            call.caller.partner_id,
            _filter(call.query),
            page,
        )
    )


def _filter(query: Query) -> AccountFilter:
    for name, allowed in _CHOICES.items():
        if name in query and query[name] not in allowed:
            raise wrong(name, "not_allowed")
    return AccountFilter(
        type=query.get("type"),
        status=query.get("status"),
        scheme=query.get("scheme"),
        created_at=period_of(query).bounds,
        metadata=metadata_of(query),
    )


@router.get("/{account_id}", responses=gives(ExternalAccountOut))
async def get_external_account(account_id: ExternalAccountId, request: Request, call: Reader) -> Response:
    """An external account as it stands."""
    account = await account_actions.get(call.context.db, call.caller.partner_id, account_id)
    return shown(request, account, sequence=account.sequence)


@router.post("/{account_id}/close", responses=gives(ExternalAccountOut))
async def close_external_account(account_id: ExternalAccountId, call: Writer, body: Nothing | None = None) -> Response:
    """Never pay to an account again. Closing it twice changes nothing."""
    return answered(
        await account_actions.close(
            call.context.db,
            call.caller.partner_id,
            account_id,
            call.request,
            call.request_id,
            expected=call.expected,
        )
    )
