"""Providers' records against ours: charges, lines of the balance, and what was refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.audit import outside_money
from app.audit.books import OurBooks
from app.audit.report import Finding
from app.domain.assets import EUR
from app.domain.money import Money
from app.ports.records import LineKind, PayinBooks, PayinCharge, PayinLine, PayinPayment
from tests.audit.book import Book
from tests.audit.outside import GRACE, Fixed, counts, pending, without

OLD = datetime(2026, 1, 1, tzinfo=UTC)


async def money(theirs: PayinBooks, ours: OurBooks) -> list[Finding]:
    return await outside_money.check({"stripe": Fixed(theirs)}, ours, GRACE)


def second_charge(theirs: PayinBooks, order_id: str, at: datetime) -> PayinBooks:
    """The same order charged once more, by another payment."""
    payment = PayinPayment("pi_again", "pay_again", order_id, canceled=False)
    charge = PayinCharge("ch_again", "pi_again", Money(10_000, EUR), at)
    line = PayinLine("txn_again", LineKind.CHARGE, Money(10_000, EUR), 175, "pi_again", at)
    return replace(
        theirs,
        payments=(*theirs.payments, payment),
        charges=(*theirs.charges, charge),
        lines=(*theirs.lines, line),
    )


async def test_a_second_charge(book: Book, ours: OurBooks, theirs: PayinBooks) -> None:
    findings = await money(second_charge(theirs, book.orders["completed"], OLD), ours)
    assert counts(findings) == {"X-1": 2, "X-4": 3}  # twice, and not booked; the line, its fee, and the sum
    assert not pending(findings)


async def test_a_charge_that_nobody_told_us_of_yet_is_pending(book: Book, ours: OurBooks, theirs: PayinBooks) -> None:
    young = second_charge(theirs, book.orders["open"], ours.taken_at - timedelta(seconds=5))
    findings = await money(young, ours)
    assert not counts(findings)
    assert pending(findings) == {"X-1": 1, "X-4": 2}
    late = second_charge(theirs, book.orders["open"], ours.taken_at - GRACE)
    assert counts(await money(late, ours)) == {"X-1": 1, "X-4": 3}


async def test_a_charge_that_the_provider_does_not_know(book: Book, ours: OurBooks, theirs: PayinBooks) -> None:
    [payment] = [one for one in theirs.payments if one.order_id == book.orders["completed"]]
    fewer = replace(
        theirs,
        charges=tuple(one for one in theirs.charges if one.payment_reference != payment.reference),
        lines=tuple(one for one in theirs.lines if one.payment_reference != payment.reference),
    )
    assert counts(await money(fewer, ours)) == {"X-1": 1, "X-4": 3}


# Those of payments; what a processor does by itself is no line of the book.
OF_PAYMENTS = ("charge", "refund", "refund_failed", "dispute", "dispute_reversed")


@pytest.mark.parametrize("kind", [LineKind(kind) for kind in OF_PAYMENTS])
async def test_every_kind_of_line_is_compared(kind: LineKind, ours: OurBooks, theirs: PayinBooks) -> None:
    [line, *_] = [one for one in theirs.lines if one.kind is kind]
    for changed in (
        replace(line, amount=Money(line.amount.units + 1, EUR), at=OLD),
        replace(line, fee=line.fee + 1, at=OLD),
        replace(line, kind=LineKind.OTHER, at=OLD),
        replace(line, payment_reference="pi_other", at=OLD),
    ):
        lines = tuple(changed if one is line else one for one in theirs.lines)
        assert counts(await money(replace(theirs, lines=lines), ours)).keys() == {"X-4"}, changed


@pytest.mark.parametrize("kind", [kind for kind in LineKind if kind.value not in OF_PAYMENTS])
async def test_a_line_of_nobody(kind: LineKind, ours: OurBooks, theirs: PayinBooks) -> None:
    line = PayinLine("txn_x", kind, Money(-500, EUR), 0, None, OLD)
    assert counts(await money(replace(theirs, lines=(*theirs.lines, line)), ours)) == {"X-4": 2}


async def test_a_refused_refund_that_happened(ours: OurBooks, theirs: PayinBooks) -> None:
    refund = next(one for one in theirs.refunds if one.stands)
    [operation] = ours.of("operations", id=refund.refund_id or "")
    books = without(ours, "operations", lambda row: row["id"] == operation["id"])
    books = OurBooks(
        books.taken_at,
        {**books.rows, "operations": [*books.rows["operations"], {**operation, "state": "declined"}]},
    )
    assert counts(await money(theirs, books)) == {"X-7": 1}


@pytest.mark.parametrize("kind", ["start", "capture"])
async def test_a_refused_payment_that_happened(kind: str, book: Book, ours: OurBooks, theirs: PayinBooks) -> None:
    declined = [
        {**row, "state": "declined"} if row["kind"] == kind and row["order_id"] == book.orders["completed"] else row
        for row in ours.rows["operations"]
    ]
    assert counts(await money(theirs, OurBooks(ours.taken_at, {**ours.rows, "operations": declined}))) == {"X-7": 1}
