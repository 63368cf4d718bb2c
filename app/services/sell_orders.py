"""Writing a sell order, whoever placed it: a partner on a quote, or coins at a standing address."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.db import events
from app.db import selling as selling_rows
from app.db.columns import new_id
from app.db.database import Transaction
from app.db.orders import Order
from app.db.quotes import Quote
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_public import event_of
from app.services.order_view import order_out


def drafted(quote: Quote, *, external_account_id: str, window: timedelta, at: datetime) -> Order:
    """The order that a quote becomes at a moment; nothing is written yet."""
    return Order(
        id=new_id("or"),
        partner_id=quote.partner_id,
        quote_id=quote.id,
        direction=quote.direction,
        state=OrderState.AWAITING_DEPOSIT.value,
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
        external_account_id=external_account_id,
        payment_method=quote.payment_method,
        customer={},
        order_metadata={},
        livemode=quote.livemode,
        expires_at=at + window,
        created_at=at,
        updated_at=at,
    )


async def write(tx: Transaction, order: Order) -> None:
    """Use the quote and write the order with its first transition and event, in the caller's transaction.

    The quote was locked, or written, by that transaction. Raises UniqueViolationError for a known external_id.
    """
    await selling_rows.insert_order(tx, order)
    await events.record(
        tx,
        partner_id=order.partner_id,
        kind=event_of(OrderState.CREATED, OrderTrigger.PLACED, order.order_state),
        resource_type="order",
        resource_id=order.id,
        resource_sequence=1,
        data=f'{{"object":{order_out(order, None).model_dump_json()},"previous":{{}}}}',
        request_id=order.request_id,
    )
