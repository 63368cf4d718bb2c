"""The development partner's first balance: topped up once, at the far side, as any partner's is.

What has arrived is known to the database, and what is on its way to the far side: both are asked before anything is
sent, so that it is sent once, whenever this is killed.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import httpx
from ulid import ULID

from app.db import deposit_addresses, deposit_lists, top_ups
from app.db.database import Database
from app.db.deposit_addresses import AddressFilter, DepositAddress
from app.db.deposit_lists import DepositFilter
from app.db.pages import Page
from app.db.top_ups import VirtualAccount
from app.dev import far_side
from app.dev.home import DevError, Instance, Secrets
from app.dev.partner import Partner
from app.domain.assets import EUR, USD
from app.domain.deposit import DepositState
from app.domain.money import Asset
from providers.sandbox.client import SandboxClient

FIAT_UNITS: Final = 1_000_000  # cents
COIN_UNITS: Final = 100_000_000  # satoshi
_SENDER: Final = "Rampwright development"
_MARK: Final = {"made_by": "rampwright dev"}
_DEPTH: Final = 6  # blocks, that of the largest amounts
_LOOK_SECONDS: Final = 0.1
_WAIT_SECONDS: Final = 60.0


class FirstBalance:
    """Gives the partner what it has never been given."""

    def __init__(
        self, db: Database, http: httpx.AsyncClient, instance: Instance, kept: Secrets, partner: Partner
    ) -> None:
        """The API must answer, and the worker must be there."""
        self._db = db
        self._http = http
        self._sandbox = SandboxClient(http, instance.sandbox_url)
        self._instance = instance
        self._kept = kept
        self._partner = partner

    async def ensure(self) -> bool:
        """Top up whatever was not, and wait until it counts; False when there was nothing to do. Raises DevError."""
        if await self._has_all():
            return False
        await self._send_dollars()
        await self._send_euros()
        await self._send_coins()
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            if await self._has_all(DepositState.CREDITED):
                return True
            await asyncio.sleep(_LOOK_SECONDS)
        raise DevError(f"The partner's top-ups did not arrive within {_WAIT_SECONDS:.0f} seconds.")

    async def _has_all(self, coins: DepositState | None = None) -> bool:
        """Whether everything has come in, the coins being `coins` if anything."""
        address = await self._address()
        return (
            await self._has_received(USD)
            and await self._has_received(EUR)
            and address is not None
            and await self._has_arrived(address, coins)
        )

    async def _send_dollars(self) -> None:
        if await self._has_received(USD):
            return
        account = await self._number(USD)
        if not await far_side.has_sent(self._http, self._instance, self._kept, account.reference):
            await self._sandbox.increase_credit(account.reference, FIAT_UNITS, _SENDER, "First balance")

    async def _send_euros(self) -> None:
        if await self._has_received(EUR):
            return
        account, folder = await self._number(EUR), Path(self._instance.sepa_folder)
        await self._sandbox.sepa_run(folder)  # from here on all that was sent is on a statement
        if not await asyncio.to_thread(_is_stated, folder, account.reference):
            await self._sandbox.sepa_credit(folder, FIAT_UNITS, _SENDER, account.reference)

    async def _send_coins(self) -> None:
        address = await self._address()
        if address is None:
            body = {"asset": "BTC", "network": far_side.NETWORK, "route": "balance", "metadata": _MARK}
            await self._post("/v1/deposit_addresses", body)
            address = await self._address()
        assert address is not None  # noqa: S101 - it was just made
        if await self._has_arrived(address):
            return
        if not await far_side.holds_coins(self._http, self._instance, self._kept, [address.address]):
            await self._sandbox.fund([(address.address, COIN_UNITS)])
        await self._sandbox.mine(far_side.NETWORK, _DEPTH - 1)  # whoever funded it may have been killed before this

    async def _has_received(self, asset: Asset) -> bool:
        async with self._db.connection() as connection:
            account = await top_ups.account_of(connection, self._partner.id, asset.id)
            return account is not None and await top_ups.has_received(connection, account.id)

    async def _number(self, asset: Asset) -> VirtualAccount:
        """The partner's number, or reference, for an asset; the API gives it out once."""
        await self._post("/v1/virtual_accounts", {"asset": asset.code})
        async with self._db.connection() as connection:
            account = await top_ups.account_of(connection, self._partner.id, asset.id)
        assert account is not None  # noqa: S101 - it was just asked for
        return account

    async def _address(self) -> DepositAddress | None:
        wanted = AddressFilter(route="balance", metadata=_MARK)
        found, _ = await deposit_addresses.page(self._db, self._partner.id, wanted, Page(limit=1))
        return found[0] if found else None

    async def _has_arrived(self, address: DepositAddress, state: DepositState | None = None) -> bool:
        wanted = DepositFilter(deposit_address_id=address.id, state=None if state is None else state.value)
        found, _ = await deposit_lists.page(self._db, self._partner.id, wanted, Page(limit=1))
        return bool(found)

    async def _post(self, path: str, body: object) -> None:
        response = await self._http.post(
            f"{self._instance.api_url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self._partner.key}", "Idempotency-Key": f"dev-{ULID()}"},
        )
        if not response.is_success:
            raise DevError(f"The API refused {path}: {response.text}")


def _is_stated(folder: Path, reference: str) -> bool:
    """Whether one of the bank's statements names the reference."""
    return any(reference.encode() in path.read_bytes() for path in (folder / "inbox").glob("*.xml"))
