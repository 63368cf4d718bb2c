"""Standing deposit addresses: coins that come to a partner's balance, or are sold as they come."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from app.db import deposit_addresses as address_rows
from app.db import events
from app.db import external_accounts as account_rows
from app.db.database import Database, Transaction
from app.db.deposit_addresses import AddressFilter, DepositAddress
from app.db.pages import Page
from app.db.partners import Caller
from app.domain.assets import asset_of
from app.domain.errors import ConflictState, NotFound, PreconditionFailed, RouteUnsupported, ValidationFailed
from app.domain.money import Asset
from app.schemas.deposits import DepositAddressIn, DepositAddressList, DepositAddressOut
from app.services import external_accounts, idempotent, selling
from app.services.deposit_view import address_out
from app.services.idempotent import Answer, IdempotentRequest
from app.services.policy import Policy
from app.services.rails import Rails


async def create(
    db: Database,
    rails: Rails,
    policy: Policy,
    caller: Caller,
    body: DepositAddressIn,
    request: IdempotentRequest,
    request_id: str,
) -> Answer:
    """Give out an address that stays.

    Raises ValidationFailed and RouteUnsupported for a route that cannot be, NotFound and ExternalAccountUnverified
    for an account that sales could not be paid out to.
    """
    coin = asset_of(body.asset, body.network, pointer="/asset")
    rail = rails.chain(coin.network)
    fiat = _sold_for(policy, body)

    async def act(tx: Transaction) -> tuple[int, bytes]:
        if fiat is not None:
            found = await account_rows.get(tx, caller.partner_id, body.external_account_id or "")
            account = external_accounts.payable(found, fiat, pointer="/external_account_id")
            rails.payout_provider(rails.payout_method(account.scheme))
        beside = rails.beside(rail.network)
        row = await selling.fresh_address(tx, rail, caller, coin.id, route=body.route, beside=beside)
        row.external_account_id = body.external_account_id
        row.sell_asset = None if fiat is None else fiat.id
        row.address_metadata = dict(body.metadata)
        await address_rows.insert(tx, row)
        await _tell(tx, row, "deposit_address.created", previous="{}", request_id=request_id)
        return 201, address_out(row).model_dump_json().encode()

    return await idempotent.run(db, request, act)


def _sold_for(policy: Policy, body: DepositAddressIn) -> Asset | None:
    """What sales are paid in; None for a balance's address."""
    named = {"external_account_id": body.external_account_id, "destination_asset": body.destination_asset}
    for field, value in named.items():
        if body.route == "balance" and value is not None:
            raise ValidationFailed("This belongs to the route `sell`.", pointer=f"/{field}")
        if body.route == "sell" and value is None:
            raise ValidationFailed("The route `sell` needs this.", pointer=f"/{field}")
    if body.destination_asset is None:
        return None
    fiat = asset_of(body.destination_asset, None, pointer="/destination_asset")
    if fiat.code not in policy.limits:
        raise RouteUnsupported(pointer="/destination_asset")
    return fiat


async def deactivate(
    db: Database,
    partner_id: str,
    address_id: str,
    request: IdempotentRequest,
    request_id: str,
    *,
    expected: AbstractSet[int] | None,
) -> Answer:
    """Give an address out no longer: what is first seen there from now on is held for a person.

    Raises NotFound, PreconditionFailed when it is at another sequence, ConflictState for an order's address.
    """

    async def act(tx: Transaction) -> tuple[int, bytes]:
        row = await address_rows.of_id(tx, address_id, locked=True)
        if row is None or row.partner_id != partner_id:
            raise NotFound
        if expected is not None and row.sequence not in expected:
            raise PreconditionFailed
        if row.route == "order":
            raise ConflictState("This address is its order's as long as there is one.")
        if row.status == "active":
            await address_rows.deactivate(tx, row)
            was = '{"status":"active"}'
            await _tell(tx, row, "deposit_address.deactivated", previous=was, request_id=request_id)
        return 200, address_out(row).model_dump_json().encode()

    return await idempotent.run(db, request, act)


async def _tell(tx: Transaction, row: DepositAddress, kind: str, *, previous: str, request_id: str) -> None:
    await events.record(
        tx,
        partner_id=row.partner_id,
        kind=kind,
        resource_type="deposit_address",
        resource_id=row.id,
        resource_sequence=row.sequence,
        data=f'{{"object":{address_out(row).model_dump_json()},"previous":{previous}}}',
        request_id=request_id,
    )


async def get(db: Database, partner_id: str, address_id: str) -> DepositAddressOut:
    """A partner's own address; raises NotFound."""
    row = await address_rows.get(db, partner_id, address_id)
    if row is None:
        raise NotFound
    return address_out(row)


async def list_addresses(db: Database, partner_id: str, wanted: AddressFilter, page: Page) -> DepositAddressList:
    """A page of addresses, newest first; raises NotFound when the cursor is not an address of this partner."""
    shown, more = await address_rows.page(db, partner_id, wanted, page)
    return DepositAddressList(data=[address_out(row) for row in shown], has_more=more)
