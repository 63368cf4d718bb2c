"""The contracts of `app.ports.records`: a far side's own books add up, and name our ids."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest

from app.ports.records import BankRecords, LineKind, PayinRecords

# Ids as ours are: a rail may rely on their form.
_PAYMENT, _ORDER, _PAYOUT = (f"{kind}_01JD0000000000000000000001" for kind in ("pay", "or", "po"))


class PayinRecordsHarness(ABC):
    """A provider's books, and the hands that bring something into them."""

    records: PayinRecords

    @abstractmethod
    async def sell(self, payment_id: str, order_id: str, units: int, *, refunded: int) -> str:
        """A payment of so many units that is ours, with a part given back; the provider's reference."""


class PayinRecordsContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> PayinRecordsHarness:
        """Your adapter with its far side."""
        raise NotImplementedError

    async def test_nothing_sold_nothing_there(self, harness: PayinRecordsHarness) -> None:
        """A new account's books are empty."""
        books = await harness.records.read()
        assert (books.lines, books.charges, books.refunds, books.payments) == ((), (), (), ())

    async def test_a_sale_and_its_refund_are_told_from_every_side(self, harness: PayinRecordsHarness) -> None:
        """As payment, as charge, as refund, and as two lines of the balance."""
        reference = await harness.sell(_PAYMENT, _ORDER, 10_000, refunded=4_000)
        books = await harness.records.read()
        [payment] = books.payments
        assert (payment.reference, payment.payment_id, payment.order_id) == (reference, _PAYMENT, _ORDER)
        [charge], [refund] = books.charges, books.refunds
        assert (charge.payment_reference, charge.amount.units) == (reference, 10_000)
        assert (refund.payment_reference, refund.amount.units, refund.stands) == (reference, 4_000, True)
        lines = {line.kind: line for line in books.lines}
        assert (lines[LineKind.CHARGE].amount.units, lines[LineKind.REFUND].amount.units) == (10_000, -4_000)
        assert all(line.payment_reference == reference and line.fee >= 0 for line in books.lines)
        assert len({line.reference for line in books.lines}) == len(books.lines)


class BankRecordsHarness(ABC):
    """A bank's books, and the hands that bring something into them."""

    records: BankRecords

    @abstractmethod
    async def pay(self, payout_id: str, units: int) -> None:
        """A payout of so many units that is done."""


class BankRecordsContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> BankRecordsHarness:
        """Your adapter with its far side."""
        raise NotImplementedError

    async def test_a_payout_is_told_and_the_balance_follows(self, harness: BankRecordsHarness) -> None:
        """As a transfer that stands, as a line, and in the bank's own balance."""
        before = await harness.records.read()
        await harness.pay(_PAYOUT, 12_345)
        after = await harness.records.read()
        assert after.balance.units == before.balance.units - 12_345
        [transfer] = [each for each in after.transfers if each.payout_id == _PAYOUT]
        assert (transfer.amount.units, transfer.stands, transfer.returned) == (12_345, True, False)
        new = [line for line in after.lines if line not in before.lines]
        assert sum(line.amount.units for line in new) == -12_345
        assert len({line.reference for line in after.lines}) == len(after.lines)
