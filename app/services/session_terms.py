"""What a partner binds in a session, checked as a quote and an order would be, before anything is written."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from app.db import external_accounts as account_rows
from app.db import wallet
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.partners import Caller
from app.db.sessions import Session
from app.domain.assets import asset_by_id, asset_of
from app.domain.errors import AddressInvalid, RouteUnsupported, ValidationFailed
from app.domain.money import Asset, parse_units
from app.domain.order import Direction
from app.domain.origins import is_origin, origin_of
from app.domain.quote import AmountSide
from app.domain.session import LIFETIME
from app.ports.chain import Destination
from app.schemas.sessions import SessionIn
from app.services import external_accounts, quotes, screening, selling
from app.services.idempotent import IdempotentRequest
from app.services.policy import Policy
from app.services.quotes import Wanted
from app.services.rails import Rails
from app.services.session_rules import SessionRules


@dataclass(frozen=True, slots=True)
class Terms:
    """A session's row, not written yet, with the addresses in it that have still to be looked up: by their pointers."""

    session: Session
    network: str
    addresses: dict[str, Destination]


def read(rails: Rails, policy: Policy, rules: SessionRules, caller: Caller, body: SessionIn, request_id: str) -> Terms:
    """Check a body for all that can be known without a database.

    Raises ValidationFailed, RouteUnsupported, AmountBelowMin, AmountAboveMax, AddressInvalid and NetworkMismatch, each
    with a pointer to what is wrong.
    """
    direction = Direction(body.direction)
    source = asset_of(body.source.asset, body.source.network, pointer="/source/asset")
    destination = asset_of(body.destination.asset, body.destination.network, pointer="/destination/asset")
    quotes.check_sides(direction, source, destination)
    coin = destination if direction is Direction.BUY else source
    amount = _amount(body, source, destination)
    wanted = Wanted(direction, source, destination, *(amount or (AmountSide.SOURCE, 0)))
    _check_route(rails, policy, body, wanted, fixed=amount is not None)
    _check_pages(rules, body)
    addresses = _addresses(rails, body, direction, coin)
    session = _row(caller, body, rails, wanted, request_id)
    session.amount_side, session.amount_units = (None, None) if amount is None else (amount[0].value, amount[1])
    session.address = _text(addresses, "/destination/address")
    session.refund_address = _text(addresses, "/refund_address")
    return Terms(session, coin.network or "", addresses)


def _text(addresses: dict[str, Destination], pointer: str) -> str | None:
    return addresses[pointer].text if pointer in addresses else None


def _amount(body: SessionIn, source: Asset, destination: Asset) -> tuple[AmountSide, int] | None:
    """The side whose amount is bound, with its units; raises ValidationFailed for both, or for nothing of something."""
    if body.source.amount is not None and body.destination.amount is not None:
        raise ValidationFailed("At most one of the two sides has an amount.", pointer="/destination/amount")
    for side, text, asset in (
        (AmountSide.SOURCE, body.source.amount, source),
        (AmountSide.DESTINATION, body.destination.amount, destination),
    ):
        if text is not None:
            units = parse_units(text, asset.decimals, pointer=f"/{side.value}/amount")
            if units == 0:
                raise ValidationFailed("The amount must be above zero.", pointer=f"/{side.value}/amount")
            return side, units
    return None


def _check_route(rails: Rails, policy: Policy, body: SessionIn, wanted: Wanted, *, fixed: bool) -> None:
    """Whether such an exchange is offered, and within its limits as far as the amount is bound."""
    rails.chain(wanted.coin.network)
    limits = policy.limits.get(wanted.fiat.code)
    if limits is None:
        raise RouteUnsupported("This currency is not exchanged here.", pointer="/source/asset")
    if body.destination.memo is not None:
        raise ValidationFailed("This network knows no memos.", pointer="/destination/memo")
    if wanted.direction is Direction.SELL and body.payment_method is not None:
        raise ValidationFailed("A sale is paid by its deposit.", pointer="/payment_method")
    if fixed:
        quotes.check_fixed(wanted, limits)
    if body.payment_method is not None:
        rails.provider_of(body.payment_method)
        quotes.payable(body.payment_method, wanted, policy)


def _check_pages(rules: SessionRules, body: SessionIn) -> None:
    """Whether the origins are exact ones, and the customer is sent back to one of them."""
    for place, origin in enumerate(body.allowed_origins):
        if not is_origin(origin, allow_loopback=rules.allow_loopback):
            raise ValidationFailed(
                "An origin is `https://` and a host name, in lower case, with nothing behind it but perhaps a port.",
                pointer=f"/allowed_origins/{place}",
            )
    if body.return_url is not None:
        returns_to = origin_of(body.return_url, allow_loopback=rules.allow_loopback)
        if returns_to is None or (body.allowed_origins and returns_to not in body.allowed_origins):
            raise ValidationFailed("The URL is not of an allowed origin.", pointer="/return_url")


def _addresses(rails: Rails, body: SessionIn, direction: Direction, coin: Asset) -> dict[str, Destination]:
    """The customer's addresses that are bound, by their pointers."""
    rail = rails.chain(coin.network)
    given = {"/destination/address": body.destination.address, "/refund_address": body.refund_address}
    if direction is Direction.SELL and body.destination.address is not None:
        raise ValidationFailed("A sale is paid out to an external account.", pointer="/destination/address")
    for name in ("refund_address", "external_account_id"):
        if direction is Direction.BUY and getattr(body, name) is not None:
            raise ValidationFailed("This belongs to a sale.", pointer=f"/{name}")
    return {pointer: selling.parsed(rail, text, pointer=pointer) for pointer, text in given.items() if text is not None}


def _row(caller: Caller, body: SessionIn, rails: Rails, wanted: Wanted, request_id: str) -> Session:
    return Session(
        id=new_id("ss"),
        partner_id=caller.partner_id,
        direction=wanted.direction.value,
        source_asset=wanted.source.id,
        destination_asset=wanted.destination.id,
        payment_method=body.payment_method,
        country=body.country,
        external_account_id=body.external_account_id,
        external_id=body.external_id,
        customer={} if body.customer is None else body.customer.model_dump(exclude_none=True),
        session_metadata=dict(body.metadata),
        locale=body.locale,
        theme=body.theme.model_dump(),
        allowed_origins=list(body.allowed_origins),
        return_url=body.return_url,
        token_id=secrets.token_urlsafe(16),
        request_id=request_id,
        livemode=rails.livemode,
        expires_at=caller.now + LIFETIME,
        created_at=caller.now,
        updated_at=caller.now,
    )


async def screen(db: Database, terms: Terms, request: IdempotentRequest) -> None:
    """Look the bound addresses up; raises AddressBlocked, and RouteUnavailable while nobody can tell."""
    for pointer, destination in terms.addresses.items():
        await screening.admit(db, destination.text, caller=request, pointer=pointer)


async def check(tx: Transaction, rails: Rails, terms: Terms) -> None:
    """What only the database knows of the terms.

    Raises AddressInvalid for one of our own addresses, and for the account NotFound, ExternalAccountUnverified,
    ValidationFailed and RouteUnsupported.
    """
    session = terms.session
    for pointer, destination in terms.addresses.items():
        if await wallet.is_ours(tx, terms.network, destination.script):
            raise AddressInvalid("This is one of our own addresses.", pointer=pointer)
    if session.external_account_id is not None:
        found = await account_rows.get(tx, session.partner_id, session.external_account_id)
        fiat = asset_by_id(session.destination_asset)
        account = external_accounts.payable(found, fiat, pointer="/external_account_id")
        rails.payout_provider(rails.payout_method(account.scheme))
