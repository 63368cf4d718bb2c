"""Placing an order: use a quote once, write everything down, then ask the provider, then keep its answer."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import structlog

from app.db import idempotency, wallet
from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db import placing as placing_rows
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.idempotency import StoredAnswer
from app.db.orders import Order
from app.db.partners import Caller
from app.db.payments import Payment
from app.db.quotes import Quote
from app.domain.assets import asset_by_id
from app.domain.errors import (
    AddressInvalid,
    ConflictState,
    DomainError,
    InsufficientLiquidity,
    NotFound,
    QuoteExpired,
    QuoteUsed,
    ValidationFailed,
)
from app.domain.money import Money
from app.domain.order import Direction, OrderState, OrderTrigger
from app.domain.order_public import event_of
from app.ports.chain import Destination
from app.ports.errors import ProviderError
from app.ports.payin import PaymentStatus
from app.schemas.orders import OrderIn, OrderOut
from app.services import intents, payments, screening, selling
from app.services.idempotent import Answer, IdempotentRequest, refuse, replay
from app.services.order_view import order_out, payment_out
from app.services.policy import Policy
from app.services.rails import Rails

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Placement:
    """Everything an order is made of, decided before anything is written."""

    order: Order
    payment: Payment
    shown: OrderOut


async def place(
    db: Database,
    rails: Rails,
    policy: Policy,
    caller: Caller,
    body: OrderIn,
    request: IdempotentRequest,
    request_id: str,
) -> Answer:
    """Place an order on a quote. Transaction A writes it, then the provider is asked, then B keeps the answer.

    Raises NotFound, QuoteUsed, QuoteExpired, ConflictState for a known external_id, AddressInvalid, NetworkMismatch,
    RouteUnsupported, AddressBlocked, InsufficientLiquidity, and the refusals of a repeated key. When the provider
    cannot be reached the order stands, its payment has no reference yet, and a job completes it.
    """
    quote = await placing_rows.quote_for(db, caller.partner_id, body.quote_id, caller.session_id)
    if quote is None:
        return await refuse(db, request, NotFound("There is no such quote.", pointer="/quote_id"))
    try:
        if Direction(quote.direction) is Direction.SELL:
            return await selling.place(db, rails, policy, caller, body, quote, request, request_id)
        placement = _decide(rails, policy, caller, body, quote, request_id)
        if policy.floats is not None:
            await policy.floats.require(db, Money(quote.destination_units, asset_by_id(quote.destination_asset)))
            policy.floats.promised(_network(quote.destination_asset))
        address = placement.order.address or ""
        await screening.admit(db, address, caller=request, pointer="/destination/address")
        async with db.connection() as connection:
            written = await _write(connection, placement, request)
    except InsufficientLiquidity as short:
        return await refuse(db, request, short)  # unless it is this very order that has used the rest
    except asyncpg.UniqueViolationError as violation:
        return await refuse(db, request, await _taken(db, caller, body, violation))
    if not written:
        return await _not_written(db, rails, request, placement)
    return await _start(db, rails, request, placement)


def _decide(rails: Rails, policy: Policy, caller: Caller, body: OrderIn, quote: Quote, request_id: str) -> Placement:
    destination = _address(rails, body, quote)
    order = Order(
        id=new_id("or"),
        partner_id=caller.partner_id,
        quote_id=quote.id,
        external_id=body.external_id,
        direction=quote.direction,
        state=OrderState.AWAITING_PAYMENT.value,
        sequence=1,
        source_asset=quote.source_asset,
        source_units=quote.source_units,
        destination_asset=quote.destination_asset,
        destination_units=quote.destination_units,
        venue_units=quote.venue_units,
        spread_units=quote.spread_units,
        processing_units=quote.processing_units,
        partner_units=quote.partner_units,
        network_units=quote.network_units,
        address=destination.text,
        script=destination.script,
        payment_method=quote.payment_method,
        customer={} if body.customer is None else body.customer.model_dump(exclude_none=True),
        order_metadata=dict(body.metadata),
        request_id=request_id,
        session_id=caller.session_id,
        livemode=rails.livemode,
        expires_at=caller.now + policy.window_of(quote.payment_method),
        created_at=caller.now,
        updated_at=caller.now,
    )
    intents.seal_order(rails.intents, order)
    payment = _payment_of(order, rails.provider_of(quote.payment_method), policy)
    return Placement(order, payment, order_out(order, payment))


def _payment_of(order: Order, provider: str, policy: Policy) -> Payment:
    return Payment(
        id=new_id("pay"),
        order_id=order.id,
        provider=provider,
        method=order.payment_method,
        asset=order.source_asset,
        units=order.source_units,
        status="intended",
        hold_seconds=int(policy.hold_of(order.payment_method, order.source_units).total_seconds()),
        poll_at=order.created_at,
        created_at=order.created_at,
        updated_at=order.created_at,
    )


def _address(rails: Rails, body: OrderIn, quote: Quote) -> Destination:
    if body.destination is None:
        raise ValidationFailed("A buy needs an address to deliver to.", pointer="/destination")
    for field in ("external_account_id", "refund_address"):
        if getattr(body, field) is not None:
            raise ValidationFailed("This belongs to a sale.", pointer=f"/{field}")
    try:
        return rails.chain(_network(quote.destination_asset)).parse(body.destination.address)
    except ValidationFailed as refusal:
        refusal.pointer = "/destination/address"
        raise


def _network(asset_id: str) -> str:
    return asset_by_id(asset_id).network or ""


async def _write(tx: Transaction, placement: Placement, request: IdempotentRequest) -> bool:
    """Transaction A, one statement: the key, the quote, the order, its payment, first transition, event and jobs."""
    order = placement.order
    return await placing_rows.insert_placed(
        tx,
        order,
        placement.payment,
        operation_id=new_id("op"),
        event_id=new_id("ev"),
        event_type=event_of(OrderState.CREATED, OrderTrigger.PLACED, order.order_state),
        event_data=f'{{"object":{placement.shown.model_dump_json()},"previous":{{}}}}',
        key=request.key,
        request_hash=request.fingerprint,
        network=_network(order.destination_asset),
    )


async def _start(db: Database, rails: Rails, request: IdempotentRequest, placement: Placement) -> Answer:
    """Ask the provider with nothing open, then keep its answer: almost always that the customer can pay now."""
    payment = placement.payment
    try:
        receipt = await rails.payin[payment.provider].start(payments.request_for(payment))
    except ProviderError as error:
        log.warning("payment.not_started", payment_id=payment.id, error=str(error))
        await payments.not_started(db, payment.id, error)
        return await _answer(db, rails, request, payment.id)
    waits = receipt.status is PaymentStatus.AWAITING_CUSTOMER and receipt.next_action is None
    if not waits or receipt.decline is not None:
        await payments.record_start(db, payment, receipt)
        return await _answer(db, rails, request, payment.id)
    payment.status, payment.reference = receipt.status.value, receipt.reference
    payment.client_secret = receipt.client_secret
    paying = payment_out(payment, rails.publishable_keys.get(payment.provider), with_secret=True)
    body = placement.shown.model_copy(update={"payment": paying}).model_dump_json().encode()
    async with db.connection() as connection:
        await placing_rows.record_started(
            connection, payment, partner_id=request.partner_id, key=request.key, response=body
        )
    return Answer(201, body)


async def _answer(db: Database, rails: Rails, request: IdempotentRequest, payment_id: str) -> Answer:
    """Give, and keep, the order as it stands now as the answer to this request."""
    async with db.transaction() as tx:
        payment = await payment_rows.get(tx, payment_id)
        assert payment is not None  # noqa: S101 - written in transaction A
        order = await order_rows.lock(tx, payment.order_id)
        assert order is not None  # noqa: S101 - a payment always has its order
        publishable_key = rails.publishable_keys.get(payment.provider)
        shown = order_out(order, payment, publishable_key=publishable_key, with_secret=True)
        body = shown.model_dump_json().encode()
        await idempotency.answer(tx, request.partner_id, request.key, 201, body)
    return Answer(201, body)


async def _not_written(db: Database, rails: Rails, request: IdempotentRequest, placement: Placement) -> Answer:
    """Find out why: a repeated request, one that died on its way and is carried on here, or one that cannot be met."""
    async with db.transaction() as tx:
        stored = await idempotency.find(tx, request.partner_id, request.key)
        if stored is not None and not await _take_over(tx, stored, request):
            return replay(stored, request)
        payment = None if stored is None else await payment_rows.of_order(tx, stored.resource_id or "")
    if payment is not None:
        try:
            await payments.start(db, rails, payment.id)
        except ProviderError as error:
            log.warning("payment.not_started", payment_id=payment.id, error=str(error))
        return await _answer(db, rails, request, payment.id)
    order = placement.order
    async with db.connection() as connection:
        if await wallet.is_ours(connection, _network(order.destination_asset), order.script or ""):
            raise AddressInvalid("This is one of our own addresses.", pointer="/destination/address")
    gone: DomainError = QuoteUsed() if await placing_rows.is_used(db, order.quote_id) else QuoteExpired()
    return await refuse(db, request, gone)


async def _take_over(tx: Transaction, stored: StoredAnswer, request: IdempotentRequest) -> bool:
    """Whether this repetition carries on for a request that died after transaction A."""
    died = stored.request_hash == request.fingerprint and stored.status is None and stored.stale
    return died and await idempotency.take_over(tx, request.partner_id, request.key)


async def _taken(db: Database, caller: Caller, body: OrderIn, violation: asyncpg.UniqueViolationError) -> DomainError:
    """Which uniqueness was violated: the session's one order, the partner's own external_id, or the quote."""
    if violation.constraint_name == "orders_session_live":
        return ConflictState("This session has an order already.")
    if body.external_id is not None and "external_id" in (violation.constraint_name or ""):
        existing = await placing_rows.id_of_external(db, caller.partner_id, body.external_id)
        return ConflictState(f"Order {existing} has this external_id.", pointer="/external_id")
    return QuoteUsed()
