"""Placing a sell order: use a quote once, give out a fresh address for its coins, and write all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.db import deposit_addresses as address_rows
from app.db import external_accounts as account_rows
from app.db import placing as placing_rows
from app.db import selling as selling_rows
from app.db import wallet
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.deposit_addresses import DepositAddress
from app.db.orders import Order
from app.db.partners import Caller
from app.db.quotes import Quote
from app.domain.assets import asset_by_id
from app.domain.errors import (
    AddressInvalid,
    ConflictState,
    NotFound,
    QuoteExpired,
    QuoteUsed,
    ValidationFailed,
)
from app.domain.money import Asset
from app.ports.chain import Addresses, Branch, Destination
from app.schemas.orders import OrderIn
from app.services import external_accounts, idempotent, screening, sell_orders
from app.services.idempotent import Answer, IdempotentRequest
from app.services.order_view import order_out
from app.services.policy import Policy
from app.services.rails import Rails


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request to sell, read as far as it can be without a lock."""

    caller: Caller
    body: OrderIn
    rail: Addresses
    account_id: str
    refund_to: Destination | None
    request_id: str


async def place(
    db: Database,
    rails: Rails,
    policy: Policy,
    caller: Caller,
    body: OrderIn,
    quote: Quote,
    request: IdempotentRequest,
    request_id: str,
) -> Answer:
    """Place a sell order on a quote, in one transaction with its key.

    Raises ValidationFailed for what belongs to a buy or is missing, AddressInvalid, NetworkMismatch and AddressBlocked
    for a refund address. What the stored quote or account refuses is an answer that every repetition gets: NotFound,
    QuoteUsed,
    QuoteExpired, ExternalAccountUnverified, ConflictState for a known external_id. Two requests with one external_id
    at the same moment: UniqueViolationError for one of them.
    """
    asked = _read(rails, caller, body, asset_by_id(quote.source_asset), request_id)
    if asked.refund_to is not None:
        await screening.admit(db, asked.refund_to.text, caller=request, pointer="/refund_address")

    async def act(tx: Transaction) -> tuple[int, bytes]:
        order = await _place(tx, rails, policy, asked)
        return 201, order_out(order, None).model_dump_json().encode()

    return await idempotent.run(db, request, act)


def _read(rails: Rails, caller: Caller, body: OrderIn, coin: Asset, request_id: str) -> _Asked:
    if body.destination is not None:
        raise ValidationFailed("A sale is paid out to an external account.", pointer="/destination")
    if body.external_account_id is None:
        raise ValidationFailed("A sale needs an account to be paid out to.", pointer="/external_account_id")
    rail = rails.chain(coin.network)
    refund_to = None if body.refund_address is None else parsed(rail, body.refund_address, pointer="/refund_address")
    return _Asked(caller, body, rail, body.external_account_id, refund_to, request_id)


def parsed(rail: Addresses, text: str, *, pointer: str) -> Destination:
    """Read the customer's own address; raises AddressInvalid or NetworkMismatch with where it stood."""
    try:
        return rail.parse(text)
    except ValidationFailed as refusal:
        refusal.pointer = pointer
        raise


async def not_ours(tx: Transaction, network: str, destination: Destination, *, pointer: str) -> None:
    """Raises AddressInvalid when coins sent there would only come back to us."""
    if await wallet.is_ours(tx, network, destination.script):
        raise AddressInvalid("This is one of our own addresses.", pointer=pointer)


async def _place(tx: Transaction, rails: Rails, policy: Policy, asked: _Asked) -> Order:
    caller, body = asked.caller, asked.body
    quote = await _usable(tx, caller, body.quote_id)
    found = await account_rows.get(tx, caller.partner_id, asked.account_id)
    fiat = asset_by_id(quote.destination_asset)
    account = external_accounts.payable(found, fiat, pointer="/external_account_id")
    rails.payout_provider(rails.payout_method(account.scheme))
    if asked.refund_to is not None:
        await not_ours(tx, asked.rail.network, asked.refund_to, pointer="/refund_address")
    if body.external_id is not None:
        existing = await placing_rows.find_external(tx, caller.partner_id, body.external_id)
        if existing is not None:
            raise ConflictState(f"Order {existing} has this external_id.", pointer="/external_id")
    order = sell_orders.drafted(quote, external_account_id=account.id, window=policy.payment_window, at=caller.now)
    order.external_id, order.request_id, order.session_id = body.external_id, asked.request_id, caller.session_id
    order.customer = {} if body.customer is None else body.customer.model_dump(exclude_none=True)
    order.order_metadata = dict(body.metadata)
    if asked.refund_to is not None:
        order.refund_address, order.refund_script = asked.refund_to.text, asked.refund_to.script
    beside = rails.beside(asked.rail.network)
    given_out = await fresh_address(tx, asked.rail, caller, quote.source_asset, route="order", beside=beside)
    given_out.order_id, order.deposit_address = order.id, given_out.address
    await sell_orders.write(tx, order)
    await address_rows.insert(tx, given_out)
    return order


async def _usable(tx: Transaction, caller: Caller, quote_id: str) -> Quote:
    found = await selling_rows.lock_quote(tx, caller.partner_id, quote_id, caller.session_id)
    if found is None:
        raise NotFound("There is no such quote.", pointer="/quote_id")
    quote, is_held = found
    if quote.status != "open":
        raise QuoteUsed
    if not is_held:
        raise QuoteExpired
    return quote


async def fresh_address(
    tx: Transaction, rail: Addresses, caller: Caller, asset: str, *, route: str, beside: Sequence[str]
) -> DepositAddress:
    """An address that nobody was given before, watched from now on, on the networks `beside` its own as well.

    Its row is the caller's to complete and write.
    """
    address = rail.new_address(Branch.RECEIVE, await address_rows.next_index(tx))
    for network in (rail.network, *beside):
        await wallet.add_addresses(tx, network, [address], "deposit")
    return DepositAddress(
        id=new_id("da"),
        partner_id=caller.partner_id,
        network=rail.network,
        asset=asset,
        address=address.text,
        script=address.script,
        route=route,
        status="active",
        address_metadata={},
        created_at=caller.now,
        updated_at=caller.now,
    )
