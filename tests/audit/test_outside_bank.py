"""A bank's records against ours: transfers and payouts, credits and top-ups, and what stands on the account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.audit import outside_bank
from app.audit.books import OurBooks
from app.audit.report import Finding
from app.domain.assets import EUR, USD
from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.ports.payout import CreditReceipt, CreditStatus
from app.ports.records import BankBooks, BankLine, BankTransfer
from tests.audit.book import Book
from tests.audit.outside import GRACE, FixedBank, changed, counts, pending, without

OLD = datetime(2026, 1, 1, 12, tzinfo=UTC)
Change = Callable[[BankTransfer], BankTransfer]


async def compare(theirs: BankBooks, ours: OurBooks) -> list[Finding]:
    return await outside_bank.check({"increase": FixedBank(theirs)}, ours, GRACE)


def paid_by(books: BankBooks, payout_id: str) -> BankTransfer:
    """The transfer that carries a payout out."""
    return next(one for one in books.transfers if one.payout_id == payout_id)


def with_transfer(books: BankBooks, old: BankTransfer, *new: BankTransfer) -> BankBooks:
    """The bank's books with other transfers in the place of one."""
    kept = [one for one in books.transfers if one is not old]
    return replace(books, transfers=(*kept, *new))


def with_line(books: BankBooks, units: int, about: str | None, at: datetime) -> BankBooks:
    """One line more, and the balance that it makes."""
    line = BankLine(f"tx_{about}_{units}", Money(units, USD), at, about)
    return replace(books, lines=(*books.lines, line), balance=Money(books.balance.units + units, USD))


async def test_the_right_books(ours: OurBooks, bank: BankBooks) -> None:
    findings = await compare(bank, ours)
    assert (counts(findings), pending(findings)) == ({}, {})
    assert len(bank.transfers) >= 6
    assert {one.payout_id for one in bank.transfers} <= {row["id"] for row in ours.rows["bank_payouts"]}
    assert not await outside_bank.check({}, ours, GRACE)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, amount=Money(one.amount.units + 1, USD)),
        lambda one: replace(one, account_last4="0000"),
        lambda one: replace(one, method=PayoutMethod.WIRE),
        lambda one: replace(one, stands=False),
        lambda one: replace(one, stands=False, returned=True),
    ],
)
async def test_a_settled_payout_that_the_bank_tells_otherwise(
    change: Change, book: Book, ours: OurBooks, bank: BankBooks
) -> None:
    transfer = paid_by(bank, book.others["bank_settled"])
    stale = replace(ours, taken_at=ours.taken_at + timedelta(days=1))
    assert counts(await compare(with_transfer(bank, transfer, change(transfer)), stale)) == {"X-5": 1}


async def test_a_payout_paid_twice(book: Book, ours: OurBooks, bank: BankBooks) -> None:
    transfer = paid_by(bank, book.others["bank_settled"])
    twice = with_transfer(bank, transfer, transfer, replace(transfer, reference="again"))
    twice = with_line(twice, -transfer.amount.units, "again", OLD)
    assert counts(await compare(twice, ours)) == {"X-5": 2}  # two transfers, and the balance


async def test_a_settled_payout_without_a_transfer(book: Book, ours: OurBooks, bank: BankBooks) -> None:
    transfer = paid_by(bank, book.others["bank_settled"])
    lines = tuple(one for one in bank.lines if one.about != transfer.reference)
    fewer = replace(with_transfer(bank, transfer), lines=lines, balance=bank.balance + transfer.amount)
    assert counts(await compare(fewer, ours)) == {"X-5": 2}
    paid = {"id": "po_x", "method": "sepa", "settled_at": ours.taken_at, "provider": "increase", "units": 5}
    rows = [*ours.rows["bank_payouts"], {**paid, "state": "settled", "asset": "USD", "last4": "1234"}]
    said = OurBooks(ours.taken_at, {**ours.rows, "bank_payouts": rows})
    assert pending(await compare(bank, said)) == {"X-5": 1}  # the statement is still to come
    later = OurBooks(ours.taken_at + timedelta(days=3), said.rows)
    assert counts(await compare(bank, later)) == {"X-5": 1}


@pytest.mark.parametrize("state", ["pending_approval", "queued", "failed", "canceled", "returned"])
async def test_a_transfer_for_a_payout_that_should_not_have_left(
    state: str, book: Book, ours: OurBooks, bank: BankBooks
) -> None:
    payout_id = book.others["bank_approved"]
    assert paid_by(bank, payout_id).stands
    wrong = changed(ours, "bank_payouts", lambda row: row["id"] == payout_id, state=state)
    wrong = replace(wrong, taken_at=wrong.taken_at + timedelta(days=1))
    assert counts(await compare(bank, wrong)) == {"X-5": 2}
    if state == "queued":  # asked for after our snapshot
        young = replace(wrong, taken_at=ours.taken_at)
        assert pending(await compare(bank, young)) == {"X-5": 1}
        assert not counts(await compare(bank, young))


async def test_a_transfer_that_nobody_asked_for(ours: OurBooks, bank: BankBooks) -> None:
    theft = BankTransfer("ach_x", None, PayoutMethod.ACH, Money(77, USD), True, False, "1234")
    stolen = replace(bank, transfers=(*bank.transfers, theft))
    assert counts(await compare(with_line(stolen, -77, "ach_x", OLD), ours)) == {"X-5": 2}
    young = await compare(with_line(stolen, -77, "ach_x", ours.taken_at), ours)
    assert (counts(young), pending(young)) == ({}, {"X-5": 1})


async def test_a_return_that_we_have_not_heard_of(book: Book, ours: OurBooks, bank: BankBooks) -> None:
    transfer = paid_by(bank, book.others["bank_settled"])
    back = with_transfer(bank, transfer, replace(transfer, stands=False, returned=True))
    young = await compare(with_line(back, transfer.amount.units, transfer.reference, ours.taken_at), ours)
    assert (counts(young), pending(young)) == ({}, {"X-5": 1})
    later = replace(ours, taken_at=ours.taken_at + GRACE)
    old = with_line(back, transfer.amount.units, transfer.reference, ours.taken_at)
    assert counts(await compare(old, later)) == {"X-5": 2}


async def test_a_return_that_the_bank_does_not_know(book: Book, ours: OurBooks, bank: BankBooks) -> None:
    payout_id = book.others["bank_returned"]
    transfer = paid_by(bank, payout_id)
    assert transfer.returned
    stands = with_transfer(bank, transfer, replace(transfer, stands=True, returned=False))
    assert counts(await compare(stands, ours)) == {"X-5": 1}


async def test_a_credit_that_is_no_top_up(ours: OurBooks, bank: BankBooks) -> None:
    credit = CreditReceipt("in_x", CreditStatus.CREDITED, "accepted", Money(500, USD), None, "X", "", OLD)
    more = replace(bank, credits=(*bank.credits, credit))
    assert counts(await compare(with_line(more, 500, "in_x", OLD), ours)) == {"X-5": 2}
    young = replace(bank, credits=(*bank.credits, replace(credit, at=ours.taken_at)))
    found = await compare(with_line(young, 500, "in_x", ours.taken_at), ours)
    assert (counts(found), pending(found)) == ({}, {"X-5": 1})


async def test_top_ups_and_credits_differ(ours: OurBooks, bank: BankBooks) -> None:
    [credit] = bank.credits
    assert counts(await compare(replace(bank, credits=()), ours)) == {"X-5": 1}
    for other in (
        replace(credit, amount=Money(credit.amount.units + 1, USD)),
        replace(credit, amount=Money(credit.amount.units, EUR)),
        replace(credit, status=CreditStatus.REVERSED),
    ):
        stale = replace(ours, taken_at=ours.taken_at + timedelta(days=1))
        assert counts(await compare(replace(bank, credits=(other,)), stale)) == {"X-5": 1}
    gone = changed(ours, "top_ups", lambda row: row["reference"] == credit.reference, status="reversed")
    assert counts(await compare(bank, gone)) == {"X-5": 1}


@pytest.mark.parametrize("units", [-1, 1])
async def test_one_cent_too_few_or_too_many(units: int, ours: OurBooks, bank: BankBooks) -> None:
    off = replace(bank, balance=Money(bank.balance.units + units, USD))
    assert counts(await compare(off, ours)) == {"X-5": 1}
    assert counts(await compare(with_line(bank, units, None, OLD), ours)) == {"X-5": 1}  # a fee of the bank's


async def test_money_in_another_asset_than_the_accounts(ours: OurBooks, bank: BankBooks) -> None:
    row = {"provider": "increase", "asset": "EUR", "units": 5, "thing": None}
    more = OurBooks(ours.taken_at, {**ours.rows, "bank_postings": [*ours.rows["bank_postings"], row]})
    assert counts(await compare(bank, more)) == {"X-5": 1}


async def test_what_is_with_the_bank_and_not_settled_has_left(book: Book, ours: OurBooks, bank: BankBooks) -> None:
    payout_id = book.others["bank_approved"]
    [row] = [row for row in ours.rows["bank_payouts"] if row["id"] == payout_id]
    assert row["state"] == "submitted"
    settled = changed(ours, "bank_payouts", lambda row: row["id"] == payout_id, state="settled")
    assert counts(await compare(bank, settled)) == {"X-5": 1}  # said to be settled, and not booked
    unbooked = without(ours, "bank_postings", lambda row: row["thing"] == book.others["bank_settled"])
    assert counts(await compare(bank, unbooked)) == {"X-5": 1}
