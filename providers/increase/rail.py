"""The bank rail over Increase: ACH, RTP and wire out, each under a key of ours, and what comes in to our numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime

from app.domain.assets import USD
from app.domain.payout import PayoutMethod
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from app.ports.payout import CreditReceipt, FundingAccount, PayoutReceipt, PayoutRequest
from providers.increase.calls import Calls
from providers.increase.errors import KEY_ALREADY_USED, PROVIDER, Malformed, resource_under_key, translated
from providers.increase.receipts import (
    credit_receipt,
    json_object,
    method_of,
    payout_receipt,
    same_destination,
    text_in,
)
from providers.increase.transport import Raw, ask, check_address, client_for, page_in
from providers.increase.vocabulary import BANKS, CREDIT_STATUSES, PAYOUT_KINDS, SANDBOX_PREFIX, kind_of

API_BASE = "https://api.increase.com"
# RTP shows the receiver a number of ours as the sender. It is one of its own, so that no partner's number is shown.
SOURCE_NAME = "Payouts"


class IncreaseRail:
    """Implements BankRail."""

    provider = PROVIDER
    methods = frozenset(PAYOUT_KINDS)

    def __init__(
        self, api_key: str, *, account_id: str | None, livemode: bool, api_base: str = API_BASE, timeout: float = 20.0
    ) -> None:
        """`timeout` is in seconds. Without an `account_id` the key's only account is used, in test mode alone.

        Raises ValueError when the address or the account belongs to the other mode.
        """
        check_address(api_base, livemode=livemode)
        if account_id is None and livemode:
            raise ValueError("live payouts need the id of the account that pays")
        if account_id is not None and account_id.startswith(SANDBOX_PREFIX) is livemode:
            raise ValueError(f"the account is not one for {'live' if livemode else 'test'} mode")
        self._livemode = livemode
        self._account_id = account_id
        self._source_number: str | None = None
        self._bank: str | None = None
        client, self._http = client_for(api_key, api_base, timeout=timeout)
        self._calls = Calls(client)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, request: PayoutRequest) -> PayoutReceipt:
        """Pay out; a key that has made this very payout before answers with it as it is now."""
        _check(request)
        call = await self._creation(request)
        try:
            answer = await ask(call)
        except ProviderRejected as error:
            if error.code != KEY_ALREADY_USED:
                raise
            return await self._already_made(request, error)
        receipt = self._made(request, answer.document)
        return await self.fetch(receipt.reference) if answer.replayed else receipt

    async def fetch(self, reference: str) -> PayoutReceipt:
        """Read a payout as it is now."""
        return self._payout(await self._retrieved(reference))

    async def find(self, payout_id: str, method: PayoutMethod) -> PayoutReceipt | None:
        """Ask the list of this kind of transfer for our key, which stays on the object for good."""
        _check_method(method)
        answer = await ask(self._calls.payouts_under(payout_id, method), reading=True)
        for item in _page(answer.document)[0]:
            receipt = self._payout(item)
            if receipt.payout_id == payout_id and receipt.method is method:
                return receipt
        return None

    async def open_account(self, key: str, name: str) -> FundingAccount:
        """Open an account number for one partner; it takes credits and refuses debits."""
        account_id = await self._account()
        bank_name = await self._bank_name(account_id)
        answer = await ask(self._calls.open_number(key, name, account_id))
        try:
            number = json_object(answer.document, "account_number", livemode=self._livemode)
            return FundingAccount(
                reference=text_in(number, "id"),
                holder_name=text_in(number, "name"),
                bank_name=bank_name,
                routing_number=text_in(number, "routing_number"),
                account_number=text_in(number, "account_number"),
            )
        except Malformed as error:
            raise translated(error, reading=False) from error

    async def fetch_credit(self, reference: str) -> CreditReceipt:
        """Read an inbound transfer as it is now."""
        return self._credit(await self._retrieved(reference))

    async def credits_since(self, moment: datetime) -> Sequence[CreditReceipt]:
        """Every inbound transfer that was created at the moment or later, oldest first."""
        account_id, found = await self._account(), []
        for kind in CREDIT_STATUSES:
            cursor: str | None = None
            while True:
                answer = await ask(self._calls.credits(kind, account_id, moment, cursor), reading=True)
                items, cursor = _page(answer.document)
                found += [self._credit(item) for item in items]
                if cursor is None:
                    break
        return sorted(found, key=lambda credit: credit.at)

    async def _creation(self, request: PayoutRequest) -> Awaitable[Raw]:
        if request.method is PayoutMethod.RTP:
            return self._calls.send_rtp(request, await self._source())
        account_id = await self._account()
        if request.method is PayoutMethod.ACH:
            return self._calls.send_ach(request, account_id)
        return self._calls.send_wire(request, account_id)

    async def _already_made(self, request: PayoutRequest, refusal: ProviderRejected) -> PayoutReceipt:
        """What stands under our key, though Increase holds the request for another one.

        Money may have left under this key, so the refusal is passed on only when what is there is not this payout: a
        later version of this program may write other texts into a request that it repeats.
        """
        reference = resource_under_key(refusal.__cause__)
        if reference is None or method_of(kind_of(reference)) is not request.method:
            raise refusal
        document = await self._retrieved(reference)
        try:
            return self._made(request, document)
        except OutcomeUnknown:
            raise refusal from None

    def _made(self, request: PayoutRequest, document: object) -> PayoutReceipt:
        """The receipt for a transfer that should be this payout; raises OutcomeUnknown when it is not."""
        receipt, account = self._payout(document), request.account
        if (
            (receipt.payout_id, receipt.method, receipt.amount) != (request.payout_id, request.method, request.amount)
            or not isinstance(document, dict)
            or not same_destination(document, account.routing_number, account.account_number)
        ):
            raise translated(Malformed("another payout than the one asked for"), reading=False)
        return receipt

    async def _retrieved(self, reference: str) -> object:
        """The document of a transfer, in or out, by the kind that its id names."""
        kind = kind_of(reference)
        if method_of(kind) is None and kind not in CREDIT_STATUSES:
            raise ProviderRejected(PROVIDER, "this is no id of a transfer", code="object_not_found_error")
        document = (await ask(self._calls.retrieve(reference, kind), reading=True)).document
        if not isinstance(document, dict) or document.get("id") != reference:
            raise translated(Malformed("another transfer than the one asked for"), reading=False)
        return document

    def _payout(self, document: object) -> PayoutReceipt:
        try:
            kind = _kind(document)
            method = method_of(kind)
            if method is None:
                raise Malformed("not a transfer that leaves")
            return payout_receipt(json_object(document, kind, livemode=self._livemode), method)
        except Malformed as error:
            raise translated(error, reading=False) from error

    def _credit(self, document: object) -> CreditReceipt:
        try:
            kind = _kind(document)
            if kind not in CREDIT_STATUSES:
                raise Malformed("not a transfer that comes in")
            return credit_receipt(json_object(document, kind, livemode=self._livemode))
        except Malformed as error:
            raise translated(error, reading=False) from error

    async def _account(self) -> str:
        """The account that pays and is paid; looked up once when it was not given."""
        if self._account_id is None:
            items, _ = _page((await ask(self._calls.accounts(), reading=True)).document)
            if len(items) != 1:
                raise ProviderRejected(
                    PROVIDER, f"the key opens {len(items)} accounts, not one", code="account_unclear"
                )
            self._account_id = self._text(items[0], "account", "id")
        return self._account_id

    async def _bank_name(self, account_id: str) -> str:
        if self._bank is None:
            document = (await ask(self._calls.account(account_id), reading=True)).document
            bank = self._text(document, "account", "bank")
            self._bank = BANKS.get(bank, bank)
        return self._bank

    async def _source(self) -> str:
        """The number from which RTP leaves, opened once for each account under a key that never changes."""
        if self._source_number is None:
            account_id = await self._account()
            try:
                answer = await ask(self._calls.open_number(f"rtp_source:{account_id}", SOURCE_NAME, account_id))
                self._source_number = self._text(answer.document, "account_number", "id")
            except OutcomeUnknown as error:
                # Whatever became of the number: of the payout itself nothing was sent yet.
                raise ProviderUnavailable(PROVIDER, "no number to pay from yet", code=error.code) from error
        return self._source_number

    def _text(self, document: object, kind: str, name: str) -> str:
        try:
            return text_in(json_object(document, kind, livemode=self._livemode), name)
        except Malformed as error:
            raise translated(error, reading=False) from error


def _check(request: PayoutRequest) -> None:
    """Refuse what must never be sent. An ACH transfer of a negative amount would take money from the receiver."""
    _check_method(request.method)
    if request.amount.asset != USD:
        raise ProviderRejected(PROVIDER, f"no payouts in {request.amount.asset.id}", code="currency_unsupported")
    if request.amount.units <= 0:
        raise ProviderRejected(PROVIDER, "not an amount to pay out", code="amount_invalid")


def _check_method(method: PayoutMethod) -> None:
    if method not in PAYOUT_KINDS:
        raise ProviderRejected(PROVIDER, f"no payouts by {method}", code="method_unsupported")


def _kind(document: object) -> str:
    if not isinstance(document, dict):
        raise Malformed("not an object")
    return text_in(document, "type")


def _page(document: object) -> tuple[list[object], str | None]:
    try:
        return page_in(document)
    except Malformed as error:
        raise translated(error, reading=False) from error
