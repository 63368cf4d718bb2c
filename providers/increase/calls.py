"""Each request that the rail makes, as the SDK makes it; what is in them, and nothing about what they mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from increase import AsyncIncrease

from app.domain.payout import PayoutMethod
from app.ports.payout import PayoutRequest
from providers.increase.transport import Raw

PAGE = 100  # the most that Increase gives at once

# Nacha's entry detail record has 22 characters for a name, which no bank checks. The other limits are Increase's.
_ACH_NAME, _WIRE_NAME, _RTP_NAME = 22, 35, 140
_ACH_TEXT, _MESSAGE = 200, 140


class Calls:
    """The endpoints below the rail. Nothing is sent before the answer is awaited."""

    def __init__(self, client: AsyncIncrease) -> None:
        self._ach = client.ach_transfers.with_raw_response
        self._rtp = client.real_time_payments_transfers.with_raw_response
        self._wire = client.wire_transfers.with_raw_response
        self._inbound_ach = client.inbound_ach_transfers.with_raw_response
        self._inbound_rtp = client.inbound_real_time_payments_transfers.with_raw_response
        self._inbound_wire = client.inbound_wire_transfers.with_raw_response
        self._numbers = client.account_numbers.with_raw_response
        self._accounts = client.accounts.with_raw_response

    def send_ach(self, request: PayoutRequest, account_id: str) -> Awaitable[Raw]:
        """An ACH credit of Increase's default entry class, for a payout does not say what kind of holder it goes to."""
        return self._ach.create(
            account_id=account_id,
            amount=request.amount.units,
            statement_descriptor=request.reference[:_ACH_TEXT],
            individual_name=request.account.holder_name[:_ACH_NAME],
            routing_number=request.account.routing_number,
            account_number=request.account.account_number,
            funding="checking" if request.account.checking else "savings",
            idempotency_key=request.payout_id,
        )

    def send_rtp(self, request: PayoutRequest, source_number: str) -> Awaitable[Raw]:
        """A real-time payment; the receiver sees it come from the source number."""
        return self._rtp.create(
            source_account_number_id=source_number,
            amount=request.amount.units,
            creditor_name=request.account.holder_name[:_RTP_NAME],
            unstructured_remittance_information=request.reference[:_MESSAGE],
            routing_number=request.account.routing_number,
            account_number=request.account.account_number,
            idempotency_key=request.payout_id,
        )

    def send_wire(self, request: PayoutRequest, account_id: str) -> Awaitable[Raw]:
        """A Fedwire transfer."""
        return self._wire.create(
            account_id=account_id,
            amount=request.amount.units,
            creditor={"name": request.account.holder_name[:_WIRE_NAME]},
            remittance={"category": "unstructured", "unstructured": {"message": request.reference[:_MESSAGE]}},
            routing_number=request.account.routing_number,
            account_number=request.account.account_number,
            idempotency_key=request.payout_id,
        )

    def payouts_under(self, key: str, method: PayoutMethod) -> Awaitable[Raw]:
        """The transfers of this kind that carry this key: one or none."""
        if method is PayoutMethod.ACH:
            return self._ach.list(idempotency_key=key, limit=PAGE)
        if method is PayoutMethod.RTP:
            return self._rtp.list(idempotency_key=key, limit=PAGE)
        return self._wire.list(idempotency_key=key, limit=PAGE)

    def retrieve(self, reference: str, kind: str) -> Awaitable[Raw]:
        """One object of a kind that has a status here; raises KeyError for any other."""
        calls: dict[str, Callable[[str], Awaitable[Raw]]] = {
            "ach_transfer": self._ach.retrieve,
            "real_time_payments_transfer": self._rtp.retrieve,
            "wire_transfer": self._wire.retrieve,
            "inbound_ach_transfer": self._inbound_ach.retrieve,
            "inbound_real_time_payments_transfer": self._inbound_rtp.retrieve,
            "inbound_wire_transfer": self._inbound_wire.retrieve,
        }
        return calls[kind](reference)

    def credits(self, kind: str, account_id: str, since: datetime, cursor: str | None) -> Awaitable[Raw]:
        """One page of what came in to the account by one way, newest first."""
        after = {"cursor": cursor} if cursor is not None else None
        if kind == "inbound_ach_transfer":
            return self._inbound_ach.list(
                account_id=account_id, created_at={"on_or_after": since}, limit=PAGE, extra_query=after
            )
        if kind == "inbound_wire_transfer":
            return self._inbound_wire.list(
                account_id=account_id, created_at={"on_or_after": since}, limit=PAGE, extra_query=after
            )
        return self._inbound_rtp.list(
            account_id=account_id, created_at={"on_or_after": since}, limit=PAGE, extra_query=after
        )

    def open_number(self, key: str, name: str, account_id: str) -> Awaitable[Raw]:
        """An account number that takes credits and refuses debits."""
        return self._numbers.create(
            account_id=account_id, name=name, inbound_ach={"debit_status": "blocked"}, idempotency_key=key
        )

    def account(self, account_id: str) -> Awaitable[Raw]:
        """One account."""
        return self._accounts.retrieve(account_id)

    def accounts(self) -> Awaitable[Raw]:
        """The open accounts."""
        return self._accounts.list(status={"in": ["open"]}, limit=PAGE)
