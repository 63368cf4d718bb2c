"""Stripe's own books as an auditor's records: every balance transaction, charge, refund, dispute and payment."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from app.domain.money import Asset, Money
from app.ports.errors import ProviderUnavailable
from app.ports.records import LineKind, PayinBooks, PayinCharge, PayinLine, PayinPayment, PayinRefund
from providers.stripe.errors import PROVIDER
from providers.stripe.vocabulary import API_VERSION, asset_of_currency, line_kind_of

Json = Mapping[str, object]

_PAGE = 100  # the most that Stripe gives at once
_TRIES = 4
_PAUSE_SECONDS = 0.25

_GONE = frozenset({"failed", "canceled"})
# What a payment, a refund or a dispute brings; everything else that changes our balance is of no payment.
_OF_PAYMENTS = frozenset(
    {
        LineKind.CHARGE,
        LineKind.CHARGE_FAILED,
        LineKind.REFUND,
        LineKind.REFUND_FAILED,
        LineKind.DISPUTE,
        LineKind.DISPUTE_REVERSED,
    }
)


class StripeRecords:
    """Implements PayinRecords and PayinStatement by requests of its own: it shares no code with what moves money."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_key: str,
        *,
        api_base: str = "https://api.stripe.com",
        account: str | None = None,
    ) -> None:
        """Use the caller's client, who also closes it. `account` is a connected account whose books are read."""
        self._client = client
        self._base = api_base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Stripe-Version": API_VERSION}
        if account is not None:
            self._headers["Stripe-Account"] = account

    async def read(self) -> PayinBooks:
        """Read the account whole; raises ProviderUnavailable. Lines come first: what they name is there by then."""
        lines = await self._list("balance_transactions")
        charges, refunds = await self._list("charges"), await self._list("refunds")
        disputes, payments = await self._list("disputes"), await self._list("payment_intents")
        payment_of = {_text(one, "id"): _optional(one, "payment_intent") for one in (*charges, *refunds, *disputes)}
        moved_at = {_optional(line, "source"): _moment(line) for line in lines if _kind(line) is LineKind.CHARGE}
        unsettled = _unsettled(lines, charges)
        return PayinBooks(
            lines=tuple(_line(line, payment_of) for line in lines if _optional(line, "source") not in unsettled),
            charges=tuple(
                PayinCharge(
                    reference=_text(one, "id"),
                    payment_reference=_optional(one, "payment_intent"),
                    amount=Money(_whole(one, "amount_captured"), _asset(one)),
                    at=moved_at.get(_text(one, "id")) or _moment(one),
                )
                for one in charges
                if one.get("status") == "succeeded" and one.get("captured") is True and _whole(one, "amount_captured")
            ),
            refunds=tuple(_refund(one) for one in refunds),
            payments=tuple(_payment(one) for one in payments),
        )

    async def lines_since(self, moment: datetime) -> list[PayinLine]:
        """Every line from `moment` on that is of no payment, newest first."""
        lines = await self._list("balance_transactions", {"created[gte]": str(int(moment.timestamp()))})
        return [_line(line, {}) for line in lines if _kind(line) not in _OF_PAYMENTS]

    async def balances(self) -> list[Money]:
        """What stands with Stripe now, by currency, what is not to be paid out yet included."""
        balance = await self._get("/v1/balance", {})
        sums: Counter[Asset] = Counter()
        for part in ("available", "pending"):
            rows = balance.get(part)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise _unusable(part)
            for row in rows:
                sums[_asset(row)] += _whole(row, "amount")
        return [Money(units, asset) for asset, units in sums.items()]

    async def _list(self, noun: str, narrowed: Mapping[str, str] | None = None) -> list[Json]:
        """Everything of one kind, newest first."""
        found: list[Json] = []
        while True:
            params = {"limit": str(_PAGE), **(narrowed or {})} | (
                {"starting_after": _text(found[-1], "id")} if found else {}
            )
            page = await self._get(f"/v1/{noun}", params)
            data, more = page.get("data"), page.get("has_more")
            if not isinstance(data, list) or not isinstance(more, bool) or (more and not data):
                raise _unusable(f"the list of {noun}")
            found += data
            if not more:
                return found

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
        raise ProviderUnavailable(PROVIDER, f"its records cannot be read: {problem}")


def _unsettled(lines: list[Json], charges: list[Json]) -> set[str]:
    """Charges whose lines say nothing yet: debits under way, and those that failed and left our balance as it was.

    Stripe counts a debit when it sets out, and takes it from our balance again when the bank returns it.
    """
    net: Counter[str] = Counter()
    for line in lines:
        net[_optional(line, "source") or ""] += _whole(line, "net")
    status = {_text(charge, "id"): charge.get("status") for charge in charges}
    return {
        reference
        for reference, word in status.items()
        if word == "pending" or (word == "failed" and not net[reference])
    }


def _kind(line: Json) -> LineKind:
    return line_kind_of(_text(line, "type"), _text(line, "reporting_category"))


def _line(line: Json, payment_of: Mapping[str, str | None]) -> PayinLine:
    return PayinLine(
        reference=_text(line, "id"),
        kind=_kind(line),
        amount=Money(_whole(line, "amount"), _asset(line)),
        fee=_whole(line, "fee"),
        payment_reference=payment_of.get(_optional(line, "source") or ""),
        at=_moment(line),
    )


def _refund(document: Json) -> PayinRefund:
    return PayinRefund(
        reference=_text(document, "id"),
        refund_id=_metadata(document).get("refund_id"),
        payment_reference=_optional(document, "payment_intent"),
        amount=Money(_whole(document, "amount"), _asset(document)),
        stands=document.get("status") not in _GONE,
    )


def _payment(document: Json) -> PayinPayment:
    metadata = _metadata(document)
    return PayinPayment(
        reference=_text(document, "id"),
        payment_id=metadata.get("payment_id"),
        order_id=metadata.get("order_id"),
        canceled=document.get("status") == "canceled",
    )


def _metadata(document: Json) -> Mapping[str, str]:
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _asset(document: Json) -> Asset:
    asset = asset_of_currency(_text(document, "currency"))
    if asset is None:
        raise _unusable(f"currency {document.get('currency')}")
    return asset


def _moment(document: Json) -> datetime:
    return datetime.fromtimestamp(_whole(document, "created"), UTC)


def _text(document: Json, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise _unusable(name)
    return value


def _optional(document: Json, name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) else None


def _whole(document: Json, name: str) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unusable(name)
    return value


def _unusable(what: str) -> ProviderUnavailable:
    return ProviderUnavailable(PROVIDER, f"its records cannot be read: {what} is not as documented")
