"""The contract of `app.ports.payout`: a payout leaves once under our id, and what the bank says of it is told whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.money import Money
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from app.ports.payout import BankRail, CreditStatus, PayoutRequest, PayoutStatus

_UNDER_WAY = frozenset({PayoutStatus.PENDING, PayoutStatus.SUBMITTED, PayoutStatus.SETTLED})


class PayoutHarness(ABC):
    """An adapter, and the hands of the bank and the network around it."""

    rail: BankRail

    @abstractmethod
    def request(self, units: int) -> PayoutRequest:
        """A payout that was never asked for before, to a good account, by a method that can come back."""

    @abstractmethod
    async def settle(self, reference: str) -> None:
        """The bank is done with it."""

    @abstractmethod
    async def give_back(self, reference: str) -> None:
        """The receiving bank sends it back, because the account is closed."""

    @abstractmethod
    async def lose_answer(self) -> None:
        """Let the next payout be taken on, and the answer be lost."""

    @abstractmethod
    async def be_away(self) -> None:
        """Let the next payout be turned away before anything is done."""

    @abstractmethod
    async def receive(self, account_reference: str, units: int, message: str) -> str:
        """Somebody sends money to one of our numbers; the bank's id of it."""


class PayoutContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> PayoutHarness:
        """Your adapter with its far side."""
        raise NotImplementedError

    async def test_a_payout_is_told_as_it_was_asked(self, harness: PayoutHarness) -> None:
        """With our id, its method, its amount."""
        request = harness.request(12_345)
        assert request.method in harness.rail.methods
        sent = await harness.rail.send(request)
        assert (sent.payout_id, sent.method, sent.amount) == (request.payout_id, request.method, request.amount)
        assert sent.status in _UNDER_WAY
        assert (sent.decline, sent.returned) == (None, None)
        assert await harness.rail.find(request.payout_id, request.method) == await harness.rail.fetch(sent.reference)

    async def test_sending_twice_pays_once(self, harness: PayoutHarness) -> None:
        """The second answer is the first payout as it is by then."""
        request = harness.request(10_000)
        first = await harness.rail.send(request)
        await harness.settle(first.reference)
        again = await harness.rail.send(request)
        assert (again.reference, again.status) == (first.reference, PayoutStatus.SETTLED)

    async def test_another_amount_under_the_same_id_is_refused(self, harness: PayoutHarness) -> None:
        """Our own mistake is never a second payout."""
        request = harness.request(10_000)
        sent = await harness.rail.send(request)
        with pytest.raises(ProviderRejected):
            await harness.rail.send(replace(request, amount=Money(20_000, request.amount.asset)))
        assert (await harness.rail.fetch(sent.reference)).amount == request.amount

    async def test_a_return_is_told_with_its_code(self, harness: PayoutHarness) -> None:
        """In our words and the scheme's, also after the bank had said that it was done."""
        sent = await harness.rail.send(harness.request(10_000))
        await harness.settle(sent.reference)
        await harness.give_back(sent.reference)
        back = await harness.rail.fetch(sent.reference)
        assert back.status is PayoutStatus.RETURNED
        assert back.returned is not None
        assert back.returned.code
        assert back.returned.scheme_code
        assert back.returned.message

    async def test_a_lost_answer_is_found_by_our_id(self, harness: PayoutHarness) -> None:
        """And asking again pays nothing more."""
        request = harness.request(10_000)
        assert await harness.rail.find(request.payout_id, request.method) is None
        await harness.lose_answer()
        with pytest.raises(OutcomeUnknown):
            await harness.rail.send(request)
        found = await harness.rail.find(request.payout_id, request.method)
        assert found is not None
        assert (await harness.rail.send(request)).reference == found.reference

    async def test_a_bank_that_is_away_has_done_nothing(self, harness: PayoutHarness) -> None:
        """The same payout may be asked for again."""
        request = harness.request(10_000)
        await harness.be_away()
        with pytest.raises(ProviderUnavailable):
            await harness.rail.send(request)
        assert await harness.rail.find(request.payout_id, request.method) is None
        assert (await harness.rail.send(request)).status in _UNDER_WAY

    async def test_a_number_of_our_own_is_opened_once(self, harness: PayoutHarness) -> None:
        """Under one key one number, under another key another."""
        first = await harness.rail.open_account("key-1", "Acme")
        assert await harness.rail.open_account("key-1", "Acme") == first
        assert (await harness.rail.open_account("key-2", "Acme")).reference != first.reference
        assert first.account_number not in repr(first)

    async def test_money_that_comes_in_is_told_with_its_number_and_words(self, harness: PayoutHarness) -> None:
        """By the notification's id, and again in the list of everything since a moment."""
        number = await harness.rail.open_account("key-3", "Acme")
        reference = await harness.receive(number.reference, 54_321, "Invoice 7")
        credit = await harness.rail.fetch_credit(reference)
        assert credit.status is CreditStatus.CREDITED
        assert (credit.amount.units, credit.account_reference) == (54_321, number.reference)
        assert "Invoice 7" in credit.message
        since = await harness.rail.credits_since(datetime.now(UTC) - timedelta(hours=1))
        assert [found for found in since if found.reference == reference] == [credit]
