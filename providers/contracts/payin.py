"""The contract of `app.ports.payin`: every payment is opened once, taken once and given back once, whatever is lost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum

import pytest

from app.domain.money import Money
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from app.ports.outcome import Outcome
from app.ports.payin import PayinProvider, PaymentReceipt, PaymentRequest, PaymentStatus


class PayinCall(StrEnum):
    """The requests of which an answer can be lost."""

    START = "start"
    CAPTURE = "capture"
    REFUND = "refund"


class PayinHarness(ABC):
    """An adapter, and the hands of the customer, the provider and the network around it."""

    rail: PayinProvider

    @abstractmethod
    def request(self, units: int) -> PaymentRequest:
        """A payment that was never asked for before, with ids of its own, of so many units."""

    @abstractmethod
    async def pay(self, reference: str) -> None:
        """The customer pays with something good; the payment is then authorised, or captured at once."""

    @abstractmethod
    async def decline(self, reference: str) -> None:
        """The customer tries with something that the provider declines."""

    @abstractmethod
    async def lose_answer(self, call: PayinCall) -> None:
        """Let the next request of this kind be carried out, and its answer be lost."""

    @abstractmethod
    async def be_away(self, call: PayinCall) -> None:
        """Let the next request of this kind be turned away before anything is done."""

    async def captured(self, request: PaymentRequest) -> PaymentReceipt:
        """A payment whose money is ours."""
        started = await self.rail.start(request)
        await self.pay(started.reference)
        receipt = await self.rail.capture(started.reference, request.amount, key=f"{request.payment_id}:capture")
        assert receipt.status is PaymentStatus.CAPTURED
        return receipt


class PayinContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> PayinHarness:
        """Your adapter with its far side."""
        raise NotImplementedError

    async def test_a_started_payment_carries_our_ids_and_holds_nothing(self, harness: PayinHarness) -> None:
        """What is read back is what was asked, and no money is claimed."""
        request = harness.request(12_345)
        started = await harness.rail.start(request)
        assert (started.payment_id, started.order_id) == (request.payment_id, request.order_id)
        assert started.amount == request.amount
        assert started.received == started.refunded == Money(0, request.amount.asset)
        assert started.status is PaymentStatus.AWAITING_CUSTOMER
        assert started.client_secret is None or started.client_secret not in repr(started)

    async def test_starting_twice_opens_one_payment(self, harness: PayinHarness) -> None:
        """The second answer is the first payment, as it is by then."""
        request = harness.request(10_000)
        first = await harness.rail.start(request)
        await harness.pay(first.reference)
        again = await harness.rail.start(request)
        assert again.reference == first.reference
        assert again.status in {PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}

    async def test_another_amount_under_the_same_id_is_refused(self, harness: PayinHarness) -> None:
        """Our own mistake is never a second payment."""
        request = harness.request(10_000)
        await harness.rail.start(request)
        other = PaymentRequest(
            request.payment_id, request.order_id, Money(20_000, request.amount.asset), request.method, request.metadata
        )
        with pytest.raises(ProviderRejected):
            await harness.rail.start(other)

    async def test_a_decline_is_a_value_and_leaves_the_payment_open(self, harness: PayinHarness) -> None:
        """It says why in our words, and the customer may try again."""
        started = await harness.rail.start(harness.request(10_000))
        await harness.decline(started.reference)
        declined = await harness.rail.fetch(started.reference)
        assert declined.decline is not None
        assert declined.decline.code
        assert declined.decline.message
        assert declined.received.units == 0
        await harness.pay(started.reference)
        assert (await harness.rail.fetch(started.reference)).decline is None

    async def test_taking_the_money_takes_it_once(self, harness: PayinHarness) -> None:
        """With the same key, and with another."""
        request = harness.request(10_000)
        receipt = await harness.captured(request)
        assert receipt.received == request.amount
        for key in (f"{request.payment_id}:capture", f"{request.payment_id}:capture:2"):
            again = await harness.rail.capture(receipt.reference, request.amount, key=key)
            assert (again.status, again.received) == (PaymentStatus.CAPTURED, request.amount)

    async def test_a_cancelled_payment_takes_nothing(self, harness: PayinHarness) -> None:
        """And one that was taken already is told as it is."""
        request = harness.request(10_000)
        started = await harness.rail.start(request)
        ended = await harness.rail.cancel(started.reference, key=f"{request.payment_id}:cancel")
        assert (ended.status, ended.received.units) == (PaymentStatus.CANCELED, 0)
        taken = await harness.captured(harness.request(10_000))
        kept = await harness.rail.cancel(taken.reference, key=f"{taken.reference}:cancel")
        assert kept.status is PaymentStatus.CAPTURED

    async def test_a_refund_under_one_id_is_made_once(self, harness: PayinHarness) -> None:
        """Repeated it is the same refund; under another id it is another."""
        request = harness.request(10_000)
        receipt = await harness.captured(request)
        part = Money(4_000, request.amount.asset)
        ids = [f"{request.payment_id}:rf:{number}" for number in (1, 1, 2)]
        made = [
            await harness.rail.refund(receipt.reference, part, refund_id=refund_id, order_id=request.order_id)
            for refund_id in ids
        ]
        assert made[0].reference == made[1].reference != made[2].reference
        assert all(refund.outcome is not Outcome.DECLINED and refund.amount == part for refund in made)
        assert (await harness.rail.fetch(receipt.reference)).refunded.units == 2 * part.units

    async def test_more_than_was_taken_is_not_given_back(self, harness: PayinHarness) -> None:
        """By a refusal or by a decline, and nothing moves."""
        request = harness.request(10_000)
        receipt = await harness.captured(request)
        try:
            refund = await harness.rail.refund(
                receipt.reference,
                Money(10_001, request.amount.asset),
                refund_id=f"{request.payment_id}:rf",
                order_id=request.order_id,
            )
        except ProviderRejected:
            pass
        else:
            assert refund.outcome is Outcome.DECLINED
        assert (await harness.rail.fetch(receipt.reference)).refunded.units == 0

    async def test_a_lost_start_is_found_by_our_id(self, harness: PayinHarness) -> None:
        """The outcome is unknown until it is looked up, and asking again opens nothing new."""
        request = harness.request(10_000)
        assert await harness.rail.find_payment(request.payment_id, request.order_id) is None
        await harness.lose_answer(PayinCall.START)
        with pytest.raises(OutcomeUnknown):
            await harness.rail.start(request)
        found = await harness.rail.find_payment(request.payment_id, request.order_id)
        assert found is not None
        assert found.amount == request.amount
        assert (await harness.rail.start(request)).reference == found.reference

    async def test_a_lost_capture_is_seen_in_the_payment(self, harness: PayinHarness) -> None:
        """What was taken shows, and asking again takes nothing more."""
        request = harness.request(10_000)
        started = await harness.rail.start(request)
        await harness.pay(started.reference)
        if (await harness.rail.fetch(started.reference)).status is PaymentStatus.CAPTURED:
            return  # this rail takes the money at once: there is no answer to lose
        await harness.lose_answer(PayinCall.CAPTURE)
        with pytest.raises(OutcomeUnknown):
            await harness.rail.capture(started.reference, request.amount, key="lost")
        assert (await harness.rail.fetch(started.reference)).received == request.amount
        again = await harness.rail.capture(started.reference, request.amount, key="lost")
        assert again.received == request.amount

    async def test_a_lost_refund_is_found_by_our_id(self, harness: PayinHarness) -> None:
        """And is not made again."""
        request = harness.request(10_000)
        receipt = await harness.captured(request)
        refund_id, part = f"{request.payment_id}:rf", Money(4_000, request.amount.asset)
        assert await harness.rail.find_refund(receipt.reference, refund_id) is None
        await harness.lose_answer(PayinCall.REFUND)
        with pytest.raises(OutcomeUnknown):
            await harness.rail.refund(receipt.reference, part, refund_id=refund_id, order_id=request.order_id)
        found = await harness.rail.find_refund(receipt.reference, refund_id)
        assert found is not None
        again = await harness.rail.refund(receipt.reference, part, refund_id=refund_id, order_id=request.order_id)
        assert again.reference == found.reference
        assert (await harness.rail.fetch(receipt.reference)).refunded == part

    async def test_a_provider_that_is_away_has_done_nothing(self, harness: PayinHarness) -> None:
        """The same request may be made again."""
        request = harness.request(10_000)
        await harness.be_away(PayinCall.START)
        with pytest.raises(ProviderUnavailable):
            await harness.rail.start(request)
        assert await harness.rail.find_payment(request.payment_id, request.order_id) is None
        assert (await harness.rail.start(request)).amount == request.amount

    async def test_a_payment_that_is_not_there_is_refused(self, harness: PayinHarness) -> None:
        """It is no empty payment, and no lost answer."""
        with pytest.raises(ProviderRejected):
            await harness.rail.fetch("nothing_of_this_name")
