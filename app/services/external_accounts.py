"""External accounts: what a body says, how an account moves, and whether it may be paid to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

import orjson
import structlog

from app.db import events, moves
from app.db import external_accounts as account_rows
from app.db.columns import new_id
from app.db.database import Transaction
from app.db.external_accounts import ExternalAccount
from app.db.moves import Move
from app.domain.assets import EUR, USD, asset_of
from app.domain.errors import (
    ExternalAccountUnverified,
    NotFound,
    PreconditionFailed,
    RouteUnsupported,
    ValidationFailed,
)
from app.domain.external_account import EXTERNAL_ACCOUNT, AccountState, AccountTrigger, AccountType, BankScheme
from app.domain.money import Asset
from app.ports.payout import BankDetails
from app.schemas.external_accounts import AchAccountIn, ExternalAccountIn, SepaAccountIn, WalletIn
from app.services.account_view import account_event, account_out
from app.services.bank_accounts import check_routing_number, check_sepa_name, read_bic, read_iban
from app.services.policy import Policy
from app.services.rails import Rails
from app.services.sealing import Sealer

log = structlog.get_logger(__name__)
S = AccountState
T = AccountTrigger
_SHOWN_DIGITS = 4


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """A body whose checks passed, in the one spelling that is stored.

    `details` are the numbers to seal. `place` is where payouts would go: the same text for the same place.
    """

    type: AccountType
    asset: Asset
    place: str = field(repr=False)
    scheme: BankScheme | None = None
    address: str | None = None
    script: str | None = None
    holder_name: str | None = None
    bank_name: str | None = None
    country: str | None = None
    last4: str | None = None
    details: Mapping[str, str] = field(default_factory=dict, repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict)


def read(rails: Rails, body: ExternalAccountIn, *, pointer: str = "") -> AccountFacts:
    """Check a body for all that can be known without a database; `pointer` is where it stands in its document.

    Raises ValidationFailed, and for wallets AddressInvalid, NetworkMismatch and RouteUnsupported.
    """
    match body:
        case WalletIn():
            facts = _read_wallet(rails, body, pointer)
        case AchAccountIn():
            facts = _read_ach(body, pointer)
        case SepaAccountIn():
            facts = _read_sepa(body, pointer)
        case _:
            assert_never(body)
    return replace(facts, metadata=dict(body.metadata)) if body.metadata else facts


def _read_wallet(rails: Rails, body: WalletIn, pointer: str) -> AccountFacts:
    asset = asset_of(body.asset, body.network, pointer=f"{pointer}/asset")
    try:
        found = rails.chain(asset.network).parse(body.address)
    except RouteUnsupported as refusal:
        refusal.pointer = f"{pointer}/network"
        raise
    except ValidationFailed as refusal:
        refusal.pointer = f"{pointer}/address"
        raise
    place = f"{asset.id} {found.script}"
    return AccountFacts(AccountType.WALLET, asset, place, address=found.text, script=found.script)


def _read_ach(body: AchAccountIn, pointer: str) -> AccountFacts:
    check_routing_number(body.routing_number, pointer=f"{pointer}/routing_number")
    return AccountFacts(
        AccountType.BANK,
        USD,
        place=f"ach {body.routing_number} {body.account_number}",
        scheme=BankScheme.ACH,
        holder_name=body.holder_name,
        country="US",
        last4=body.account_number[-_SHOWN_DIGITS:],
        details={
            "routing_number": body.routing_number,
            "account_number": body.account_number,
            "account_type": body.account_type,
        },
    )


def _read_sepa(body: SepaAccountIn, pointer: str) -> AccountFacts:
    iban = read_iban(body.iban, pointer=f"{pointer}/iban")
    check_sepa_name(body.holder_name, pointer=f"{pointer}/holder_name")
    details = {"iban": iban.text}
    if body.bic is not None:
        details["bic"] = read_bic(body.bic, iban, pointer=f"{pointer}/bic")
    return AccountFacts(
        AccountType.BANK,
        EUR,
        place=f"sepa {iban.text}",
        scheme=BankScheme.SEPA,
        holder_name=body.holder_name,
        bank_name=iban.bank_name,
        country=iban.country,
        last4=iban.text[-_SHOWN_DIGITS:],
        details=details,
    )


def row_of(sealer: Sealer, partner_id: str, facts: AccountFacts, policy: Policy, now: datetime) -> ExternalAccount:
    """A new account; `begin` writes it. It is verified at once unless the policy wants a person to look first."""
    state = S.VERIFIED if policy.accounts_verified_by_checks else S.PENDING
    return ExternalAccount(
        id=new_id("xa"),
        partner_id=partner_id,
        type=facts.type.value,
        scheme=None if facts.scheme is None else facts.scheme.value,
        asset=facts.asset.id,
        address=facts.address,
        script=facts.script,
        holder_name=facts.holder_name,
        bank_name=facts.bank_name,
        country=facts.country,
        last4=facts.last4,
        details=sealer.seal(orjson.dumps(facts.details)) if facts.details else None,
        fingerprint=sealer.fingerprint(facts.place.encode()),
        status=state.value,
        corrections=[],
        account_metadata=dict(facts.metadata),
        created_at=now,
        updated_at=now,
    )


async def begin(tx: Transaction, made: Sequence[ExternalAccount], *, request_id: str | None) -> None:
    """Write new accounts, one or thousands, with their first move and event."""
    triggers = [T.VERIFIED if account.state is S.VERIFIED else T.CREATED for account in made]
    told = list(zip(made, triggers, strict=True))
    await account_rows.insert_many(tx, made)
    await moves.record(
        tx, [Move(account.id, 1, S.NEW.value, trigger.value, account.status, "created") for account, trigger in told]
    )
    await events.record_all(tx, [account_event(account, trigger, None, request_id) for account, trigger in told])


async def close(
    tx: Transaction,
    partner_id: str,
    account_id: str,
    *,
    expected: AbstractSet[int] | None,
    request_id: str | None,
) -> ExternalAccount:
    """Never pay to a partner's account again; a second time changes nothing. Raises NotFound and PreconditionFailed."""
    account = await account_rows.lock(tx, account_id)
    if account is None or account.partner_id != partner_id:
        raise NotFound
    if expected is not None and account.sequence not in expected:
        raise PreconditionFailed
    if account.state is S.CLOSED:
        return account
    return await _move(tx, account, T.CLOSED, actor="partner", request_id=request_id)


async def decide(
    tx: Transaction, account_id: str, trigger: AccountTrigger, *, actor: str, reason: str
) -> ExternalAccount:
    """What the operator makes of an account: verified, rejected, locked, unlocked.

    Raises NotFound, and IllegalTransition where the table has no such edge.
    """
    account = await account_rows.lock(tx, account_id)
    if account is None:
        raise NotFound
    return await _move(tx, account, trigger, actor=actor, reason=reason)


async def _move(
    tx: Transaction,
    account: ExternalAccount,
    trigger: AccountTrigger,
    *,
    actor: str,
    reason: str | None = None,
    request_id: str | None = None,
) -> ExternalAccount:
    """Move an account whose row is locked: state, recorded move and event in the caller's transaction."""
    before, source = account_out(account), account.state
    account.status = EXTERNAL_ACCOUNT.target(source, trigger).value
    if trigger is not T.CLOSED:
        account.reason = reason if trigger in {T.REJECTED, T.LOCKED} else None
    moved = await account_rows.store(tx, account)
    cause = f"{moved.id}:{before.sequence}"
    await moves.record(
        tx, [Move(moved.id, moved.sequence, source.value, trigger.value, moved.status, cause, actor, reason)]
    )
    await events.record_all(tx, [account_event(moved, trigger, before, request_id)])
    log.info("external_account.moved", external_account_id=moved.id, trigger=trigger, source=source)
    return moved


def payable(account: ExternalAccount | None, asset: Asset, *, pointer: str) -> ExternalAccount:
    """The account, if this asset may be paid to it; `pointer` is where the request names it.

    Raises NotFound, ExternalAccountUnverified, and ValidationFailed for an asset that it cannot hold.
    """
    if account is None:
        raise NotFound("There is no such external account.", pointer=pointer)
    if account.state is not S.VERIFIED:
        raise ExternalAccountUnverified(f"The external account is {account.status}.", pointer=pointer)
    if account.asset != asset.id:
        raise ValidationFailed(f"This external account takes {account.asset} only.", pointer=pointer)
    return account


def bank_details(sealer: Sealer, account: ExternalAccount) -> BankDetails:
    """What a bank is told of a bank account; raises SealBroken."""
    assert account.details is not None  # noqa: S101 - every bank account has them
    numbers: dict[str, str] = orjson.loads(sealer.open(account.details))
    return BankDetails(
        holder_name=account.holder_name or "",
        iban=numbers.get("iban", ""),
        routing_number=numbers.get("routing_number", ""),
        account_number=numbers.get("account_number", ""),
        checking=numbers.get("account_type", "checking") == "checking",
    )
