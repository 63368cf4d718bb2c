"""What partners ask of external accounts: adding, looking, closing; each change in one transaction with its key."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from app.db import external_accounts as account_rows
from app.db import wallet
from app.db.database import Database, Transaction
from app.db.external_accounts import AccountFilter
from app.db.pages import Page
from app.db.partners import Caller
from app.domain.errors import AddressInvalid, NotFound
from app.domain.external_account import AccountState
from app.schemas.external_accounts import ExternalAccountIn, ExternalAccountList, ExternalAccountOut
from app.services import external_accounts, idempotent, screening
from app.services.account_view import account_out
from app.services.idempotent import Answer, IdempotentRequest
from app.services.policy import Policy
from app.services.rails import Rails
from app.services.sealing import Sealer


async def create(
    db: Database,
    rails: Rails,
    sealer: Sealer,
    policy: Policy,
    caller: Caller,
    body: ExternalAccountIn,
    request: IdempotentRequest,
    request_id: str,
) -> Answer:
    """Add an account. Raises what `external_accounts.read` raises, AddressInvalid for our own address, AddressBlocked.

    Where a person has rejected or locked an account, another one for the same place waits for a person too.
    """
    facts = external_accounts.read(rails, body)
    if facts.address is not None:
        await screening.admit(db, facts.address, caller=request, pointer="/address")
    account = external_accounts.row_of(sealer, caller.partner_id, facts, policy, caller.now)

    async def act(tx: Transaction) -> tuple[int, bytes]:
        if account.script is not None and await wallet.is_ours(tx, facts.asset.network or "", account.script):
            raise AddressInvalid("This is one of our own addresses.", pointer="/address")
        known = await account_rows.find_by_fingerprints(tx, caller.partner_id, [account.fingerprint])
        if any(other.reason is not None for other in known.values()):
            account.status = AccountState.PENDING.value
        await external_accounts.begin(tx, [account], request_id=request_id)
        return 201, account_out(account).model_dump_json().encode()

    return await idempotent.run(db, request, act)


async def get(db: Database, partner_id: str, account_id: str) -> ExternalAccountOut:
    """One account; raises NotFound."""
    async with db.connection() as connection:
        account = await account_rows.get(connection, partner_id, account_id)
    if account is None:
        raise NotFound
    return account_out(account)


async def list_accounts(db: Database, partner_id: str, wanted: AccountFilter, page: Page) -> ExternalAccountList:
    """A partner's accounts, newest first; raises NotFound when the cursor is not an account of theirs."""
    shown, more = await account_rows.page(db, partner_id, wanted, page)
    return ExternalAccountList(data=[account_out(account) for account in shown], has_more=more)


async def close(
    db: Database,
    partner_id: str,
    account_id: str,
    request: IdempotentRequest,
    request_id: str,
    *,
    expected: AbstractSet[int] | None,
) -> Answer:
    """Never pay to an account again. `expected` are the sequences at which the caller wants this, None for any."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        account = await external_accounts.close(tx, partner_id, account_id, expected=expected, request_id=request_id)
        return 200, account_out(account).model_dump_json().encode()

    return await idempotent.run(db, request, act)
