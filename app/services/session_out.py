"""A session as its partner sees it, in answers and in events alike."""

from __future__ import annotations

from app.db import events
from app.db.database import Transaction
from app.db.sessions import Session
from app.domain.assets import asset_by_id
from app.domain.order import OrderState
from app.domain.session import SessionStatus, status_of
from app.schemas.base import decimal_of
from app.schemas.sessions import SessionDestinationOut, SessionOut, SessionSideOut, ThemeOut


def _amount(session: Session, side: str, asset_id: str) -> str | None:
    if session.amount_side != side or session.amount_units is None:
        return None
    return decimal_of(session.amount_units, asset_by_id(asset_id))


def source_out(session: Session) -> SessionSideOut:
    """What the customer gives, as far as it is bound."""
    asset = asset_by_id(session.source_asset)
    return SessionSideOut(
        asset=asset.code, network=asset.network, amount=_amount(session, "source", session.source_asset)
    )


def destination_out(session: Session) -> SessionDestinationOut:
    """What the customer gets, as far as it is bound."""
    asset = asset_by_id(session.destination_asset)
    return SessionDestinationOut(
        asset=asset.code,
        network=asset.network,
        amount=_amount(session, "destination", session.destination_asset),
        address=session.address,
    )


def theme_out(session: Session) -> ThemeOut:
    """How the page looks."""
    return ThemeOut.model_validate(session.theme)


def session_out(session: Session, *, over: bool, order: OrderState | None) -> SessionOut:
    """Build the public session; `over` says that its time has passed, `order` is the state of its order."""
    return SessionOut.model_validate(
        {
            "id": session.id,
            "sequence": session.sequence,
            "status": status_of(session.status, over=over, order=order).value,
            "direction": session.direction,
            "source": source_out(session),
            "destination": destination_out(session),
            "payment_method": session.payment_method,
            "country": session.country,
            "external_account_id": session.external_account_id,
            "refund_address": session.refund_address,
            "external_id": session.external_id,
            "customer": session.customer,
            "metadata": session.session_metadata,
            "locale": session.locale,
            "theme": theme_out(session),
            "allowed_origins": session.allowed_origins,
            "return_url": session.return_url,
            "order_id": session.order_id,
            "revoked_reason": session.revoked_reason,
            "opened_at": session.opened_at,
            "revoked_at": session.revoked_at,
            "expires_at": session.expires_at,
            "created_at": session.created_at,
            "updated_at": session.updated_at,
            "livemode": session.livemode,
        }
    )


async def tell(tx: Transaction, session: Session, before: SessionStatus | None) -> None:
    """Write the event of what a locked session has become: the whole of it, and its status `before`."""
    shown = session_out(session, over=session.status == SessionStatus.EXPIRED, order=None)
    previous = "{}" if before is None else f'{{"status":"{before.value}"}}'
    await events.record(
        tx,
        partner_id=session.partner_id,
        kind=f"session.{session.status}",
        resource_type="session",
        resource_id=session.id,
        resource_sequence=session.sequence,
        data=f'{{"object":{shown.model_dump_json()},"previous":{previous}}}',
        request_id=session.request_id,
    )
