"""`rampwright accounts`: external accounts, and what the operator makes of them."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from app.cli.acting import Actor, Reason
from app.cli.instance import opened
from app.cli.output import AsJson, Row, out, show, told
from app.db.external_accounts import ExternalAccount, in_state
from app.domain.external_account import AccountTrigger
from app.services import external_accounts


class Status(StrEnum):
    """What can be listed."""

    PENDING = "pending"
    REJECTED = "rejected"
    LOCKED = "locked"


AccountId = Annotated[str, typer.Argument(help="xa_...")]
OfStatus = Annotated[Status, typer.Option(help="Which ones.")]


def register(app: typer.Typer) -> None:
    """Add `rampwright accounts`."""
    group = typer.Typer(help="External accounts that a person decides about.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("verify")(verify)
    group.command("reject")(reject)
    group.command("lock")(lock)
    group.command("unlock")(unlock)
    app.add_typer(group, name="accounts")


def list_(status: OfStatus = Status.PENDING, as_json: AsJson = False) -> None:
    """List them, oldest first: those that wait to be verified, or those that were rejected or locked."""
    with told():
        show([_row(account) for account in asyncio.run(_list(status))], title=f"{status} accounts", as_json=as_json)


def verify(account_id: AccountId, actor: Actor, reason: Reason) -> None:
    """Let payouts go to a pending account, or to one that was rejected by mistake."""
    _decide(account_id, AccountTrigger.VERIFIED, actor, reason)


def reject(account_id: AccountId, actor: Actor, reason: Reason) -> None:
    """Refuse an account. The partner sees the reason."""
    _decide(account_id, AccountTrigger.REJECTED, actor, reason)


def lock(account_id: AccountId, actor: Actor, reason: Reason) -> None:
    """Let no payout go to an account for now. The partner sees the reason."""
    _decide(account_id, AccountTrigger.LOCKED, actor, reason)


def unlock(account_id: AccountId, actor: Actor, reason: Reason) -> None:
    """Let payouts go to a locked account again."""
    _decide(account_id, AccountTrigger.UNLOCKED, actor, reason)


def _decide(account_id: str, trigger: AccountTrigger, actor: str, reason: str) -> None:
    with told():
        account = asyncio.run(_in_transaction(account_id, trigger, actor, reason))
    out.print(f"{account_id} is {account.status}")


async def _in_transaction(account_id: str, trigger: AccountTrigger, actor: str, reason: str) -> ExternalAccount:
    async with opened() as db, db.transaction() as tx:
        return await external_accounts.decide(tx, account_id, trigger, actor=actor, reason=reason)


async def _list(status: Status) -> list[ExternalAccount]:
    async with opened() as db:
        return await in_state(db, status)


def _row(account: ExternalAccount) -> Row:
    return {
        "account_id": account.id,
        "type": account.scheme or account.type,
        "leads_to": account.address or f"{account.country} ...{account.last4}",
        "holder_name": account.holder_name,
        "reason": account.reason,
        "since": account.updated_at,
        "partner_id": account.partner_id,
    }
