"""Top-ups: money that comes in at a bank by itself becomes its partner's balance, or waits for a person."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import orjson
import structlog

from app.db import events, ledger
from app.db import top_ups as top_up_rows
from app.db.alerts import raise_alert
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.pages import Page
from app.db.top_ups import TopUp, VirtualAccount
from app.domain import bookkeeping_out as books
from app.domain import chart
from app.domain.assets import asset_by_id, asset_of
from app.domain.errors import ConflictState, NotFound, RouteUnsupported
from app.domain.money import Asset, Money
from app.ports.errors import ProviderError
from app.ports.payout import CreditReceipt, CreditStatus, FundingAccount
from app.schemas.base import MoneyOut
from app.schemas.top_ups import TopUpList, TopUpOut, VirtualAccountIn, VirtualAccountList, VirtualAccountOut
from app.services import idempotent
from app.services.idempotent import Answer, IdempotentRequest
from app.services.rails import Rails
from app.services.sealing import Sealer

log = structlog.get_logger(__name__)

# What a sender writes so that we know whose money it is: ours to choose, so unlike any word, and without 0, 1, I, O.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_REFERENCE: Final = re.compile(rf"RMP[{_ALPHABET}]{{10}}")
_LOOK_BACK: Final = timedelta(days=14)


def new_reference() -> str:
    """A remittance reference of 50 random bits."""
    return "RMP" + "".join(secrets.choice(_ALPHABET) for _ in range(10))


async def open_account(
    db: Database,
    rails: Rails,
    sealer: Sealer,
    partner_id: str,
    body: VirtualAccountIn,
    request: IdempotentRequest,
) -> Answer:
    """Give a partner its number for an asset; asked again, it is the same number. Raises RouteUnsupported."""
    asset = asset_of(body.asset, None, pointer="/asset")
    async with db.connection() as connection:
        known = await top_up_rows.account_of(connection, partner_id, asset.id)
    provider, opened = ("", None) if known is not None else await _open(rails, partner_id, asset)

    async def act(tx: Transaction) -> tuple[int, bytes]:
        account = await top_up_rows.account_of(tx, partner_id, asset.id)
        if account is None:
            assert opened is not None  # noqa: S101 - there was none a moment ago, and none is ever removed
            account = await top_up_rows.insert_account(tx, _account(sealer, partner_id, asset, provider, opened))
        return 201, account_out(sealer, account).model_dump_json().encode()

    return await idempotent.run(db, request, act)


async def _open(rails: Rails, partner_id: str, asset: Asset) -> tuple[str, FundingAccount]:
    """A number of its own where the bank gives them, else our own account and a reference."""
    bank = rails.credits.get(asset.code)
    if bank is not None:
        return bank.provider, await bank.open_account(f"{partner_id}-{asset.code}", partner_id)
    shared = rails.shared_accounts.get(asset.code)
    if shared is None:
        raise RouteUnsupported("No bank of ours takes this asset in.", pointer="/asset")
    return shared[0], shared[1]


def _account(sealer: Sealer, partner_id: str, asset: Asset, provider: str, opened: FundingAccount) -> VirtualAccount:
    shown = {
        "holder_name": opened.holder_name,
        "bank_name": opened.bank_name,
        "routing_number": opened.routing_number or None,
        "account_number": opened.account_number or None,
        "iban": opened.iban or None,
    }
    reference = opened.reference or new_reference()
    number = opened.account_number or opened.iban
    return VirtualAccount(
        id=new_id("va"),
        partner_id=partner_id,
        asset=asset.id,
        provider=provider,
        reference=reference,
        details=sealer.seal(orjson.dumps(shown)),
        last4=number[-4:],
        created_at=datetime.now(UTC),
    )


def account_out(sealer: Sealer, account: VirtualAccount) -> VirtualAccountOut:
    """A number as its partner sees it."""
    shown = orjson.loads(sealer.open(account.details))
    by_reference = _REFERENCE.fullmatch(account.reference) is not None
    return VirtualAccountOut(
        id=account.id,
        asset=account.asset,
        provider=account.provider,
        reference=account.reference if by_reference else None,
        created_at=account.created_at,
        **shown,
    )


async def list_accounts(db: Database, sealer: Sealer, partner_id: str) -> VirtualAccountList:
    """Every number of a partner."""
    found = await top_up_rows.accounts_of(db, partner_id)
    return VirtualAccountList(data=[account_out(sealer, account) for account in found])


async def observe(tx: Transaction, provider: str, receipt: CreditReceipt, *, livemode: bool) -> None:
    """Record how an inbound transfer stands at its bank. Told twice, it counts once."""
    known = await top_up_rows.lock_by_reference(tx, provider, receipt.reference)
    if receipt.status is CreditStatus.UNKNOWN:
        await raise_alert(tx, "unknown_provider_status", receipt.reference, receipt.provider_status)
    elif receipt.status is CreditStatus.CREDITED and known is None:
        await _credit(tx, provider, receipt, livemode=livemode)
    elif receipt.status is CreditStatus.REVERSED and known is not None and known.status != "reversed":
        await _reverse(tx, known)


async def _credit(tx: Transaction, provider: str, receipt: CreditReceipt, *, livemode: bool) -> None:
    references = _REFERENCE.findall(receipt.message.upper().replace(" ", ""))
    if receipt.account_reference is not None:
        references.append(receipt.account_reference)
    account = await top_up_rows.account_by_references(tx, provider, references)
    reason = None
    if account is None:
        reason = "unmatched"
    elif account.asset != receipt.amount.asset.id:
        reason = "wrong_asset"  # never exchanged by itself
    top_up = TopUp(
        id=new_id("tu"),
        partner_id=None if account is None else account.partner_id,
        virtual_account_id=None if account is None else account.id,
        provider=provider,
        reference=receipt.reference,
        asset=receipt.amount.asset.id,
        units=receipt.amount.units,
        status="credited" if reason is None else "held",
        reason=reason,
        sender_name=receipt.sender_name[:200],
        message=receipt.message[:500],
        livemode=livemode,
        received_at=receipt.at,
        created_at=receipt.at,
        updated_at=receipt.at,
    )
    if not await top_up_rows.insert(tx, top_up):
        return
    credit = chart.SUSPENSE if reason is not None else chart.partner_available(top_up.partner_id or "")
    entry = books.topped_up(f"{top_up.id}:credit", provider, receipt.amount, credit=credit)
    await ledger.post(tx, entry, subject=top_up.id)
    if reason is not None:
        await raise_alert(tx, "unmatched_money", top_up.id, reason)
    await _tell(tx, top_up)


async def _reverse(tx: Transaction, top_up: TopUp) -> None:
    """The bank took the money back: from where it went, as far as it is still there."""
    amount = Money(top_up.units, asset_by_id(top_up.asset))
    account, covered = chart.SUSPENSE, top_up.units
    if top_up.partner_id is not None and top_up.status == "credited":
        account = chart.partner_available(top_up.partner_id)
        covered = min(top_up.units, await ledger.lock_available(tx, top_up.partner_id, top_up.asset))
    entry = books.top_up_reversed(f"{top_up.id}:reverse", top_up.provider, amount, account=account, covered=covered)
    await ledger.post(tx, entry, subject=top_up.id)
    top_up.status, top_up.sequence = "reversed", top_up.sequence + 1
    await top_up_rows.store(tx, top_up)
    if covered < top_up.units:
        await raise_alert(tx, "balance_overdrawn", top_up.id, f"{top_up.units - covered} units are to be recovered")
    await _tell(tx, top_up)


async def assign(tx: Transaction, top_up_id: str, partner_id: str, *, actor: str, reason: str) -> TopUp:
    """A person says whose a held top-up is. Raises NotFound, and ConflictState when it is not held."""
    top_up = await top_up_rows.lock(tx, top_up_id)
    if top_up is None:
        raise NotFound
    if top_up.status != "held":
        raise ConflictState("This top-up is not held.")
    amount = Money(top_up.units, asset_by_id(top_up.asset))
    await ledger.post(tx, books.top_up_released(f"{top_up.id}:release", partner_id, amount), subject=top_up.id)
    top_up.partner_id, top_up.status, top_up.sequence = partner_id, "credited", top_up.sequence + 1
    top_up.reason = f"assigned by {actor}: {reason}"
    await top_up_rows.store(tx, top_up)
    await _tell(tx, top_up)
    return top_up


async def _tell(tx: Transaction, top_up: TopUp) -> None:
    """Tell the partner, when there is one to tell."""
    if top_up.partner_id is None:
        return
    await events.record(
        tx,
        partner_id=top_up.partner_id,
        kind=f"top_up.{top_up.status}",
        resource_type="top_up",
        resource_id=top_up.id,
        resource_sequence=top_up.sequence,
        data=f'{{"object":{top_up_out(top_up).model_dump_json()},"previous":{{}}}}',
        request_id=None,
    )


def top_up_out(top_up: TopUp) -> TopUpOut:
    """A top-up as the public sees it."""
    return TopUpOut.model_validate(
        {
            "id": top_up.id,
            "sequence": top_up.sequence,
            "status": top_up.status,
            "amount": MoneyOut.of(Money(top_up.units, asset_by_id(top_up.asset))),
            "provider": top_up.provider,
            "sender_name": top_up.sender_name,
            "message": top_up.message,
            "received_at": top_up.received_at,
            "created_at": top_up.created_at,
            "livemode": top_up.livemode,
        }
    )


async def get(db: Database, partner_id: str, top_up_id: str) -> TopUpOut:
    """A partner's own top-up; raises NotFound."""
    found = await top_up_rows.get(db, partner_id, top_up_id)
    if found is None:
        raise NotFound
    return top_up_out(found)


async def list_page(db: Database, partner_id: str, page: Page) -> TopUpList:
    """A page of a partner's top-ups, newest first; raises NotFound for a cursor that is not one of them."""
    shown, more = await top_up_rows.page(db, partner_id, page)
    return TopUpList(data=[top_up_out(top_up) for top_up in shown], has_more=more)


async def catch_up(db: Database, rails: Rails) -> int:
    """Ask every bank for the inbound transfers of the last days: what no notification has told; how many there were."""
    count = 0
    for bank in rails.banks.values():
        async with db.connection() as connection:
            since: datetime = await connection.fetchval("SELECT now() - $1::interval", _LOOK_BACK)
        try:
            receipts = await bank.credits_since(since)
        except ProviderError as error:  # the other banks are asked all the same
            log.warning("top_ups.not_read", provider=bank.provider, error=str(error))
            continue
        for receipt in receipts:
            await _tolerate(db, bank.provider, receipt, livemode=rails.livemode)
        count += len(receipts)
    return count


async def _tolerate(db: Database, provider: str, receipt: CreditReceipt, *, livemode: bool) -> None:
    """One transfer that cannot be booked stops none of the others; a person is told of it."""
    try:
        async with db.transaction() as tx:
            await observe(tx, provider, receipt, livemode=livemode)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        log.error("top_up.not_booked", provider=provider, reference=receipt.reference, error=str(error))
        async with db.transaction() as tx:
            await raise_alert(
                tx, "unmatched_money", receipt.reference.replace("\x00", ""), f"not booked: {type(error).__name__}"
            )
