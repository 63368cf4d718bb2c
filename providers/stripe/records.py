"""Stripe's own books as an auditor's records: every balance transaction, charge, refund, dispute and payment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from app.domain.money import Asset, Money
from app.ports.errors import ProviderUnavailable
from app.ports.records import LineKind, PayinBooks, PayinCharge, PayinLine, PayinPayment, PayinRefund
from providers.stripe.errors import PROVIDER
from providers.stripe.vocabulary import API_VERSION, asset_of_currency

Json = Mapping[str, object]

_PAGE = 100  # the most that Stripe gives at once
_TRIES = 4
_PAUSE_SECONDS = 0.25

# https://docs.stripe.com/reports/balance-transaction-types, `type`; disputes are adjustments, told apart by category
_KINDS = {"charge": LineKind.CHARGE, "payment": LineKind.CHARGE, "refund": LineKind.REFUND}
_KINDS |= {"payment_refund": LineKind.REFUND, "refund_failure": LineKind.REFUND_FAILED}
_ADJUSTMENTS = {"dispute": LineKind.DISPUTE, "dispute_reversal": LineKind.DISPUTE_REVERSED}
_GONE = frozenset({"failed", "canceled"})


class StripeRecords:
    """Implements PayinRecords with requests of its own: it shares no code with the rail that moves the money."""

    def __init__(self, client: httpx.AsyncClient, api_key: str, *, api_base: str = "https://api.stripe.com") -> None:
        """Use the caller's client, who also closes it."""
        self._client = client
        self._base = api_base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Stripe-Version": API_VERSION}

    async def read(self) -> PayinBooks:
        """Read the account whole; raises ProviderUnavailable. Lines come first: what they name is there by then."""
        lines = await self._list("balance_transactions")
        charges, refunds = await self._list("charges"), await self._list("refunds")
        disputes, payments = await self._list("disputes"), await self._list("payment_intents")
        payment_of = {_text(one, "id"): _optional(one, "payment_intent") for one in (*charges, *refunds, *disputes)}
        moved_at = {_optional(line, "source"): _moment(line) for line in lines if _kind(line) is LineKind.CHARGE}
        return PayinBooks(
            lines=tuple(_line(line, payment_of) for line in lines),
            charges=tuple(
                PayinCharge(
                    reference=_text(one, "id"),
                    payment_reference=_optional(one, "payment_intent"),
                    amount=Money(_whole(one, "amount_captured"), _asset(one)),
                    at=moved_at.get(_text(one, "id")) or _moment(one),
                )
                for one in charges
                if one.get("captured") is True and _whole(one, "amount_captured")
            ),
            refunds=tuple(_refund(one) for one in refunds),
            payments=tuple(_payment(one) for one in payments),
        )

    async def _list(self, noun: str) -> list[Json]:
        """Everything of one kind, newest first."""
        found: list[Json] = []
        while True:
            params = {"limit": str(_PAGE)} | ({"starting_after": _text(found[-1], "id")} if found else {})
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


def _kind(line: Json) -> LineKind:
    if line.get("type") == "adjustment":
        return _ADJUSTMENTS.get(_text(line, "reporting_category"), LineKind.OTHER)
    return _KINDS.get(_text(line, "type"), LineKind.OTHER)


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
