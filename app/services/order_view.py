"""An order as the public sees it, in answers and in events alike."""

from __future__ import annotations

from app.db.orders import Order
from app.db.payments import Payment
from app.domain.assets import asset_by_id
from app.domain.money import Asset
from app.domain.order_public import allowed_actions, can_cancel, stage_of, status_of
from app.schemas.base import decimal_of
from app.schemas.orders import DestinationOut, NextActionOut, OrderDepositOut, OrderOut, PaymentOut, SourceOut
from app.schemas.quotes import FeeOut


def fees_out(fiat: Asset, *, processing: int, network: int, partner: int) -> list[FeeOut]:
    """The three fee lines, in units of the fiat side; a partner fee only where there is one."""
    lines = [
        FeeOut(type="processing", amount=decimal_of(processing, fiat), asset=fiat.code, recipient="operator"),
        FeeOut(type="network", amount=decimal_of(network, fiat), asset=fiat.code, recipient="network"),
    ]
    if partner:
        lines.append(FeeOut(type="partner", amount=decimal_of(partner, fiat), asset=fiat.code, recipient="partner"))
    return lines


def payment_out(payment: Payment, publishable_key: str | None, *, with_secret: bool) -> PaymentOut:
    """The payment; its client secret goes to the partner who asks, never into an event."""
    return PaymentOut(
        provider=payment.provider,
        reference=payment.reference,
        client_secret=payment.client_secret if with_secret else None,
        publishable_key=publishable_key,
        status=payment.status,
        failure=payment.failure,
    )


def _source_out(order: Order, asset: Asset) -> SourceOut:
    return SourceOut(
        asset=asset.code,
        network=asset.network,
        amount=decimal_of(order.source_units, asset),
        received=decimal_of(order.received_units, asset),
        refunded=decimal_of(order.refunded_units, asset),
    )


def _destination_out(order: Order, asset: Asset, confirmations: int) -> DestinationOut:
    return DestinationOut(
        asset=asset.code,
        network=asset.network,
        amount=decimal_of(order.destination_units, asset),
        delivered=decimal_of(order.delivered_units, asset),
        address=order.address,
        tx_hash=order.tx_hash,
        confirmations=confirmations,
    )


def _deposit_out(order: Order, asset: Asset) -> OrderDepositOut | None:
    if order.deposit_address is None or asset.network is None:
        return None
    return OrderDepositOut(
        address=order.deposit_address,
        network=asset.network,
        amount=decimal_of(order.source_units, asset),
        expires_at=order.expires_at,
    )


def _next_action_out(order: Order, payment: Payment | None) -> NextActionOut | None:
    """What the customer has still to do, as long as it can be done."""
    if payment is None or payment.next_action is None or not can_cancel(order.order_state):
        return None
    return NextActionOut.model_validate(payment.next_action)


def order_out(
    order: Order,
    payment: Payment | None,
    *,
    confirmations: int = 0,
    publishable_key: str | None = None,
    with_secret: bool = False,
) -> OrderOut:
    """Build the public order from its rows."""
    source, destination = asset_by_id(order.source_asset), asset_by_id(order.destination_asset)
    fiat = source if source.is_fiat else destination
    state, direction = order.order_state, order.order_direction
    return OrderOut(
        id=order.id,
        sequence=order.sequence,
        quote_id=order.quote_id,
        external_id=order.external_id,
        session_id=order.session_id,
        direction=direction.value,
        status=status_of(state).value,
        stage=stage_of(state),
        source=_source_out(order, source),
        destination=_destination_out(order, destination, confirmations),
        payment=None if payment is None else payment_out(payment, publishable_key, with_secret=with_secret),
        next_action=_next_action_out(order, payment),
        deliver_after=order.deliver_after,
        deposit=_deposit_out(order, source),
        external_account_id=order.external_account_id,
        refund_address=order.refund_address,
        fees=fees_out(
            fiat, processing=order.processing_units, network=order.network_units, partner=order.partner_units
        ),
        hold=order.hold,
        dispute=order.dispute,
        failure=order.failure,
        allowed_actions=list(allowed_actions(direction, state)),
        customer=order.customer,
        metadata=order.order_metadata,
        expires_at=order.expires_at,
        created_at=order.created_at,
        updated_at=order.updated_at,
        livemode=order.livemode,
    )
