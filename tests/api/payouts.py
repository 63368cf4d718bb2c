"""A front door with banks behind it, partners with money, and keys that make and check payouts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import orjson

from app.api.context import Context
from app.db import ledger
from app.db.columns import new_id
from app.db.database import Database
from app.domain import bookkeeping_out as books
from app.domain import chart
from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.main import build_app
from app.ports.payout import FundingAccount
from app.services import keys
from app.services.rails import FileRail
from providers.increase.rail import IncreaseRail
from providers.sepa.channel import FolderChannel
from providers.sepa.format import SepaFiles
from providers.sepa.writing import SepaAccount
from tests.api.accounts import ACH, made
from tests.api.front import Caller, Front, Json

PATH = "/v1/payouts"
OUR_IBAN = "DE91100000000123456789"
# What one payout may be without another key's approval, by asset.
APPROVAL_ABOVE = {"USD": 1_000_00, "BTC.bitcoin": 10**7}


@dataclass(frozen=True, slots=True)
class Desk:
    """The door, and what stands behind it."""

    front: Front
    context: Context
    http: httpx.AsyncClient

    @property
    def db(self) -> Database:
        """The instance's database."""
        return self.context.db

    async def maker(self, **balances: int) -> Caller:
        """A new partner with so many units of each asset; USD unless said otherwise."""
        caller = replace(await self.front.caller(), http=self.http)
        for asset_id, units in (balances or {"USD": 100_00}).items():
            await self.give(caller, units, asset_id.replace("_", "."))
        return caller

    async def give(self, caller: Caller, units: int, asset_id: str = "USD") -> None:
        """Let money come in for a partner."""
        credit = chart.partner_available(caller.partner_id)
        entry = books.topped_up(
            f"{new_id('tu')}:credit", "increase", Money(units, asset_by_id(asset_id)), credit=credit
        )
        async with self.db.transaction() as tx:
            await ledger.post(tx, entry)

    async def colleague(self, caller: Caller, *scopes: str) -> Caller:
        """Another key of the same partner, which may look at payouts and approve them unless said otherwise."""
        granted = list(scopes or (keys.CHECKER, "payouts:read"))
        key_id, key = await keys.issue(self.db, caller.partner_id, "test", granted, maker_and_checker=True)
        return replace(caller, key_id=key_id, key=key)

    async def available(self, caller: Caller, asset: str = "USD") -> int:
        """What a partner has available, in units."""
        async with self.db.transaction() as tx:
            return await ledger.lock_available(tx, caller.partner_id, asset)

    async def events(self, payout_id: object) -> list[tuple[str, dict[str, Json]]]:
        """What subscribers are told of a payout: type and data."""
        async with self.db.connection() as connection:
            records = await connection.fetch(
                "SELECT type, data::text FROM events WHERE resource_id = $1 ORDER BY position", payout_id
            )
        return [(kind, orjson.loads(data)) for kind, data in records]


@asynccontextmanager
async def open_desk(front: Front, far_url: str, folder: Path) -> AsyncIterator[Desk]:
    """The same instance with a bank in the United States, a SEPA bank, and approval of large payouts."""
    bank = IncreaseRail("sandbox_key_desk", account_id=None, livemode=False, api_base=f"{far_url}/increase")
    channel = FolderChannel(folder / "outbox", folder / "inbox")
    rails = replace(
        front.context.rails,
        banks={"increase": bank},
        bank_files={"sepa": FileRail(SepaFiles(SepaAccount("Rampwright Test", OUR_IBAN)), channel, timedelta(0))},
        credits={"USD": bank},
        shared_accounts={"EUR": ("sepa", FundingAccount("", "Rampwright Test", "", iban=OUR_IBAN))},
    )
    policy = replace(front.context.policy, approval_above=APPROVAL_ABOVE)
    context = replace(front.context, rails=rails, policy=policy)
    transport = httpx.ASGITransport(build_app(context))
    async with httpx.AsyncClient(transport=transport, base_url="http://rampwright.test") as http:
        yield Desk(front, context, http)
    await bank.aclose()


async def account(caller: Caller, body: Mapping[str, object] = ACH) -> str:
    """An external account of the caller's."""
    return str((await made(caller, dict(body)))["id"])


def body_of(account_id: str, amount: str = "25.00", asset: str = "USD", **changes: object) -> Json:
    """What asks for a payout."""
    money: Json = {"asset": asset, "amount": amount}
    if asset == "BTC":
        money["network"] = "bitcoin"
    return {"amount": money, "external_account_id": account_id, **changes}


async def payout(caller: Caller, amount: str = "25.00", asset: str = "USD", **changes: object) -> Json:
    """A payout to a new account, or to the one that is named."""
    account_id = str(changes.pop("external_account_id", None) or await account(caller))
    response = await caller.post(PATH, body_of(account_id, amount, asset, **changes))
    assert response.status_code == 201, response.text
    found: Json = response.json()
    return found
