"""What a customer asks in a session before ordering: what it comes to, and whether an address is right."""

from __future__ import annotations

from app.db import session_views, wallet
from app.db.database import Database
from app.db.sessions import Session, Standing
from app.domain.assets import asset_by_id
from app.domain.errors import AddressBlocked, AddressInvalid, NetworkMismatch, ValidationFailed
from app.domain.order import Direction
from app.domain.quote import AmountSide
from app.domain.session import LOOK_ALIKE_ENDS
from app.schemas.base import decimal_of
from app.schemas.quotes import QuoteIn, QuoteSide
from app.schemas.session_page import SessionAddressOut, SessionQuoteIn
from app.services import quotes, screening
from app.services.idempotent import Answer, IdempotentRequest
from app.services.policy import Policy
from app.services.prices import PriceBoard
from app.services.rails import Rails
from app.services.session_entry import caller_of, limit, require_time


def bound_in_quote(session: Session, body: SessionQuoteIn) -> str | None:
    """The pointer to what the body names although it is bound; None when it names nothing of the kind."""
    if session.amount_units is not None:
        for name in ("amount", "side"):
            if getattr(body, name) is not None:
                return f"/{name}"
    return "/payment_method" if session.payment_method is not None and body.payment_method is not None else None


async def quote(
    db: Database,
    rails: Rails,
    board: PriceBoard,
    policy: Policy,
    found: Standing,
    body: SessionQuoteIn,
    request: IdempotentRequest,
) -> Answer:
    """Price what is bound together with what the customer has typed, and hold the price for this session alone.

    Raises SessionExpired, TooOften, and all that `quotes.create` raises.
    """
    require_time(found)
    session = found.session
    await limit(db, session.id, "quote")
    side, amount = AmountSide(body.side or "source"), body.amount
    if session.amount_side is not None:
        side = AmountSide(session.amount_side)
        asset_id = session.source_asset if side is AmountSide.SOURCE else session.destination_asset
        amount = decimal_of(session.amount_units or 0, asset_by_id(asset_id))
    if amount is None:
        raise ValidationFailed("An amount is needed.", pointer="/amount")
    wanted = QuoteIn.model_validate(
        {
            "direction": session.direction,
            "source": _side(session.source_asset, amount if side is AmountSide.SOURCE else None),
            "destination": _side(session.destination_asset, amount if side is AmountSide.DESTINATION else None),
            "payment_method": session.payment_method or body.payment_method,
            "country": session.country,
        }
    )
    try:
        return await quotes.create(db, rails, board, policy, caller_of(found), wanted, request)
    except ValidationFailed as refusal:
        if refusal.pointer in {"/source/amount", "/destination/amount"}:
            refusal.pointer = "/amount"  # as the page knows it
        raise


def _side(asset_id: str, amount: str | None) -> QuoteSide:
    asset = asset_by_id(asset_id)
    return QuoteSide(asset=asset.code, network=asset.network, amount=amount)


async def look_at_address(db: Database, rails: Rails, found: Standing, text: str) -> SessionAddressOut:
    """Whether an address could be used, and whether it only looks like one that this customer has used before.

    Raises SessionExpired, TooOften, and RouteUnavailable while addresses cannot be checked.
    """
    require_time(found)
    session = found.session
    await limit(db, session.id, "address")
    rail = rails.chain(coin_network(session))
    try:
        destination = rail.parse(text)
        await screening.require_clear(db, session.partner_id, destination.text, pointer="/address")
        async with db.connection() as connection:
            if await wallet.is_ours(connection, rail.network, destination.script):
                raise AddressInvalid
    except NetworkMismatch:
        return SessionAddressOut(valid=False, code="network_mismatch")
    except AddressBlocked:
        return SessionAddressOut(valid=False, code="address_blocked")
    except AddressInvalid:
        return SessionAddressOut(valid=False, code="address_invalid")
    reference = session.customer.get("reference")
    alike: list[str] = []
    if isinstance(reference, str):
        async with db.connection() as connection:
            alike = await session_views.addresses_like(
                connection, session.partner_id, reference, destination.text, LOOK_ALIKE_ENDS
            )
    return SessionAddressOut(valid=True, normalised=destination.text, look_alike=bool(alike))


def coin_network(session: Session) -> str | None:
    """The network of the session's coin."""
    buys = session.direction == Direction.BUY
    return asset_by_id(session.destination_asset if buys else session.source_asset).network
