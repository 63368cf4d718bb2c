"""All that the page in the customer's browser shows, in one document; nothing in it is for the partner alone."""

from __future__ import annotations

from app.db import external_accounts as account_rows
from app.db import partners, session_views
from app.db import quotes as quote_rows
from app.db import sessions as session_rows
from app.db.database import Database, Transaction
from app.db.quotes import Quote
from app.db.sessions import Session, Standing
from app.domain.assets import asset_by_id, asset_of, confirmations_needed
from app.domain.money import Asset, Money, parse_units
from app.domain.names import ASSET_NAMES, NETWORK_NAMES, SYMBOLS
from app.domain.order import Direction
from app.domain.session import PAYABLE, status_of
from app.schemas.base import decimal_of
from app.schemas.orders import OrderOut
from app.schemas.session_page import (
    AssetNameOut,
    DepositRequestOut,
    PartnerNameOut,
    SessionAccountOut,
    SessionLimitsOut,
    SessionViewOut,
    StageOut,
)
from app.services import views
from app.services.policy import Policy
from app.services.qr import qr_code
from app.services.quotes import quote_out
from app.services.rails import Rails
from app.services.session_out import destination_out, source_out, theme_out
from app.services.session_payments import checkout_out
from app.services.session_rules import SessionRules

_SHOWN_HOLD = {"reason": "review"}  # why is not for the customer: who is looked for must not be warned


async def view_of(db: Database, rails: Rails, policy: Policy, rules: SessionRules, found: Standing) -> SessionViewOut:
    """The page's document as of now."""
    session = found.session
    order = None
    if session.order_id is not None:
        order = await views.get_order(db, rails, session.partner_id, session.order_id)
    async with db.connection() as connection:
        quote = await quote_rows.newest_of_session(connection, session.id)
        partner = await partners.name_of(connection, session.partner_id)
        account = await _account(connection, session)
        deposit = await _deposit(connection, order)
    stages = [] if order is None else (await views.timeline(db, session.partner_id, order.id)).data
    source, destination = asset_by_id(session.source_asset), asset_by_id(session.destination_asset)
    fiat, coin = (source, destination) if source.is_fiat else (destination, source)
    return SessionViewOut.model_validate(
        _bound(session)
        | {
            "status": status_of(session.status, over=found.over, order=found.order_state).value,
            "now": found.now,
            "partner": PartnerNameOut(name=partner),
            "external_account": account,
            "limits": _limits(policy, session, fiat),
            "payment_methods": _methods(rails, policy, session, fiat),
            "assets": {_key(asset): _named(asset) for asset in (fiat, coin)},
            "checkout": checkout_out(rails, rules, session),
            "confirm_in_window": _is_large(rules, fiat, session, quote, order),
            "explorer": rules.explorers.get(coin.network or ""),
            "confirmations_needed": _confirmations(policy, coin, session, quote, order),
            "quote": None if quote is None else quote_out(quote, found.now),
            "order": None if order is None else shown_order(order),
            "deposit": deposit,
            "timeline": [StageOut(status=one.status, stage=one.stage, at=one.at) for one in stages],
        }
    )


def _bound(session: Session) -> dict[str, object]:
    """What never changes in a session."""
    return {
        "id": session.id,
        "livemode": session.livemode,
        "expires_at": session.expires_at,
        "opened_at": session.opened_at,
        "direction": session.direction,
        "source": source_out(session),
        "destination": destination_out(session),
        "refund_address": session.refund_address,
        "payment_method": session.payment_method,
        "locale": session.locale,
        "theme": theme_out(session),
        "return_url": session.return_url,
        "allowed_origins": session.allowed_origins,
        "customer": session.customer or None,
    }


def shown_order(order: OrderOut) -> OrderOut:
    """The order without what its partner keeps for itself; its payment's secret only while it can be paid with."""
    hidden: dict[str, object] = {"metadata": {}, "external_id": None, "dispute": None}
    if order.hold is not None:
        hidden["hold"] = _SHOWN_HOLD
    if order.payment is not None and order.status not in PAYABLE:
        hidden["payment"] = order.payment.model_copy(update={"client_secret": None})
    return order.model_copy(update=hidden)


def _key(asset: Asset) -> str:
    return asset.code if asset.network is None else f"{asset.code}@{asset.network}"


def _named(asset: Asset) -> AssetNameOut:
    return AssetNameOut(
        name=ASSET_NAMES[asset.code],
        decimals=asset.decimals,
        symbol=SYMBOLS.get(asset.code),
        network_name=None if asset.network is None else NETWORK_NAMES[asset.network],
    )


def _limits(policy: Policy, session: Session, fiat: Asset) -> SessionLimitsOut | None:
    limits = policy.limits.get(fiat.code)
    if session.direction == Direction.BUY:
        limits = policy.limits_of(session.payment_method or "card", fiat.code) or limits
    if limits is None:  # the operator has taken the currency off since
        return None
    return SessionLimitsOut(min=decimal_of(limits.least, fiat), max=decimal_of(limits.most, fiat), asset=fiat.code)


def _methods(rails: Rails, policy: Policy, session: Session, fiat: Asset) -> list[str]:
    if session.direction == Direction.SELL:
        return []
    if session.payment_method is not None:
        return [session.payment_method]
    return sorted(name for name in rails.methods if policy.limits_of(name, fiat.code) is not None)


def _units(session: Session, quote: Quote | None, order: OrderOut | None, asset: Asset) -> int | None:
    """How many units of one side it is about, as far as that is known: by the order, the quote, or what is bound."""
    sides = (("source", session.source_asset), ("destination", session.destination_asset))
    [side] = [name for name, asset_id in sides if asset_id == asset.id]
    if order is not None:
        amount = order.source.amount if side == "source" else order.destination.amount
        return int(amount.replace(".", ""))
    if quote is not None:
        return quote.source_units if side == "source" else quote.destination_units
    return session.amount_units if session.amount_side == side else None


def _is_large(rules: SessionRules, fiat: Asset, session: Session, quote: Quote | None, order: OrderOut | None) -> bool:
    above, units = rules.own_window_above.get(fiat.code), _units(session, quote, order, fiat)
    return above is not None and units is not None and units > above


def _confirmations(policy: Policy, coin: Asset, session: Session, quote: Quote | None, order: OrderOut | None) -> int:
    units = _units(session, quote, order, coin)
    return confirmations_needed(Money(units or 0, coin), policy.ladder(coin.network or ""))


async def _account(tx: Transaction, session: Session) -> SessionAccountOut | None:
    if session.external_account_id is None:
        return None
    account = await account_rows.get(tx, session.partner_id, session.external_account_id)
    assert account is not None  # noqa: S101 - it was there when it was bound, and accounts are never deleted
    name = account.bank_name or (account.scheme or "").upper()
    return SessionAccountOut(id=account.id, label=f"{name} ••{account.last4}")


async def _deposit(tx: Transaction, order: OrderOut | None) -> DepositRequestOut | None:
    """Where coins are awaited for a sale, and what came. Only Bitcoin's wallets agree on how an amount is written."""
    if order is None or order.deposit is None:
        return None
    address, network = order.deposit.address, order.deposit.network
    known = network in {"bitcoin", "litecoin"}  # BIP-21, and Litecoin's wallets like it
    uri = f"{network}:{address}?amount={_missing(order)}" if known else address
    came = await session_views.arrived(tx, order.id)
    return DepositRequestOut(
        uri=uri,
        qr=qr_code(uri),
        tx_hash=None if came is None else came.tx_hash,
        confirmations=0 if came is None else came.confirmations,
    )


def _missing(order: OrderOut) -> str:
    """What is still to come of a sale's coins; all of them when nothing, or more than enough, has come."""
    coin = asset_of(order.source.asset, order.source.network)
    wanted, received = (parse_units(text, coin.decimals) for text in (order.source.amount, order.source.received))
    return decimal_of(wanted - received if received < wanted else wanted, coin)


async def changed(
    db: Database, rails: Rails, policy: Policy, rules: SessionRules, session_id: str, seen: str | None
) -> tuple[str, SessionViewOut] | None:
    """The document with its mark, unless the mark is the one that was `seen` before."""
    mark = await session_views.mark(db, session_id)
    if mark is None or mark == seen:
        return None
    async with db.connection() as connection:
        found = await session_rows.standing(connection, session_id)
    assert found is not None  # noqa: S101 - sessions are never deleted
    return mark, await view_of(db, rails, policy, rules, found)
