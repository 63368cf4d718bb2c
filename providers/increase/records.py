"""Increase's own books of one account as an auditor's records: its lines, its balance, every transfer in and out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from app.domain.assets import USD
from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.ports.errors import ProviderUnavailable
from app.ports.payout import CreditReceipt
from app.ports.records import BankBooks, BankLine, BankTransfer
from providers.increase.errors import PROVIDER, Malformed
from providers.increase.receipts import (
    Json,
    credit_receipt,
    json_object,
    moment_in,
    optional_text_in,
    text_in,
    whole_in,
)
from providers.increase.transport import check_address, page_in
from providers.increase.vocabulary import CREDIT_STATUSES, PAYOUT_KINDS

_PAGE = 100  # the most that Increase gives at once
_TRIES = 4
_PAUSE_SECONDS = 0.25
_GONE = frozenset({"canceled", "rejected", "returned", "reversed"})
_CAME_BACK = frozenset({"returned", "reversed"})
# Under which name the source of a transaction says whose it is.
_ABOUT = ("transfer_id", "wire_transfer_id", "inbound_ach_transfer_id")


class IncreaseRecords:
    """Implements BankRecords with requests of its own: nothing of the rail that moves the money is in between."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_key: str,
        *,
        account_id: str | None,
        livemode: bool,
        api_base: str = "https://api.increase.com",
    ) -> None:
        """Use the caller's client, who also closes it. Without an `account_id`, the key's only account is read.

        Raises ValueError when the address belongs to the other mode.
        """
        check_address(api_base, livemode=livemode)
        self._client = client
        self._base = api_base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._account_id = account_id
        self._livemode = livemode

    async def read(self) -> BankBooks:
        """Read the account whole; raises ProviderUnavailable. Lines come first: what they name is there by then."""
        try:
            account_id = self._account_id or await self._only_account()
            lines, balance = await self._lines_and_balance(account_id)
            transfers = [
                _transfer(document, method)
                for method, kind in PAYOUT_KINDS.items()
                for document in await self._list(kind, account_id)
            ]
            credits: list[CreditReceipt] = [
                credit_receipt(document) for kind in CREDIT_STATUSES for document in await self._list(kind, account_id)
            ]
        except Malformed as error:
            raise _unusable(f"{error} is not as documented") from error
        return BankBooks(tuple(transfers), tuple(credits), lines, balance)

    async def _lines_and_balance(self, account_id: str) -> tuple[tuple[BankLine, ...], Money]:
        """Both as of one moment if the account gives us one; a difference that lasts is for the auditor to find."""
        for turn in range(_TRIES):
            await asyncio.sleep(_PAUSE_SECONDS * turn)
            lines = tuple(_line(document) for document in await self._list("transaction", account_id))
            document = await self._get(f"/accounts/{account_id}/balance", {})
            balance = whole_in(document, "current_balance")
            if sum(line.amount.units for line in lines) == balance:
                break
        return lines, Money(balance, USD)

    async def _only_account(self) -> str:
        documents = await self._list("account", None)
        if len(documents) != 1:
            raise _unusable(f"the key opens {len(documents)} accounts, not one")
        return text_in(documents[0], "id")

    async def _list(self, kind: str, account_id: str | None) -> list[Json]:
        """Everything of one kind, newest first."""
        found: list[Json] = []
        params = {"limit": str(_PAGE)} | ({"account_id": account_id} if account_id is not None else {})
        while True:
            items, cursor = page_in(await self._get(f"/{kind}s", params))
            found += [json_object(item, kind, livemode=self._livemode) for item in items]
            if cursor is None:
                return found
            params["cursor"] = cursor

    async def _get(self, path: str, params: Mapping[str, str]) -> Json:
        """One request; a busy or failing provider is asked a few times more."""
        problem = ""
        for turn in range(_TRIES):
            await asyncio.sleep(_PAUSE_SECONDS * turn)
            try:
                response = await self._client.get(self._base + path, params=params, headers=self._headers)
                if response.status_code == httpx.codes.OK:
                    document: object = response.json()
                    if isinstance(document, dict):
                        return document
                problem = f"answered {response.status_code} to {path}"
            except (httpx.HTTPError, ValueError) as error:
                problem = f"{type(error).__name__} at {path}"
        raise _unusable(problem)


def _transfer(document: Json, method: PayoutMethod) -> BankTransfer:
    word = text_in(document, "status")
    return BankTransfer(
        reference=text_in(document, "id"),
        payout_id=optional_text_in(document, "idempotency_key"),
        method=method,
        amount=Money(whole_in(document, "amount"), USD),
        # The account pays when the transaction is made, which is long before the receiver is paid.
        stands=optional_text_in(document, "transaction_id") is not None and word not in _GONE,
        returned=word in _CAME_BACK,
        account_last4=text_in(document, "account_number")[-4:],
    )


def _line(document: Json) -> BankLine:
    if text_in(document, "currency") != "USD":
        raise Malformed("currency")
    return BankLine(
        reference=text_in(document, "id"),
        amount=Money(whole_in(document, "amount"), USD),
        at=moment_in(document, "created_at"),
        about=_about(document),
    )


def _about(document: Json) -> str | None:
    """The transfer behind a transaction: its source has a category, and under that name the details."""
    source = document.get("source")
    details = source.get(text_in(source, "category")) if isinstance(source, Mapping) else None
    if not isinstance(details, Mapping):
        return None
    return next((found for name in _ABOUT if (found := optional_text_in(details, name)) is not None), None)


def _unusable(what: str) -> ProviderUnavailable:
    return ProviderUnavailable(PROVIDER, f"its records cannot be read: {what}")
