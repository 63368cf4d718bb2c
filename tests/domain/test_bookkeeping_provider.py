"""Entries about a provider that no order writes: each balances, and moves the provider's account by just the line."""

from __future__ import annotations

import pytest

from app.domain import bookkeeping_provider as books
from app.domain.assets import EUR
from app.domain.chart import psp
from app.domain.ledger import Entry
from app.domain.money import Money

FIVE = Money(500, EUR)


def at_provider(entries: list[Entry]) -> int:
    return sum(posting.units for entry in entries for posting in entry.postings if posting.account == psp("stripe"))


@pytest.mark.parametrize("kind", ["payout", "payout_failed", "top_up", "reserve", "fee", "other", "a_new_kind"])
@pytest.mark.parametrize(("units", "fee"), [(-500, 0), (500, 0), (-500, 25), (0, 25), (0, 0), (500, -25)])
def test_fault_f_59_a_line_moves_the_providers_account_by_what_it_says(kind: str, units: int, fee: int) -> None:
    entries = books.statement_line("stripe", "txn_1", kind, Money(units, EUR), fee)
    assert at_provider(entries) == units - fee
    assert len({entry.reference for entry in entries}) == len(entries) == (units != 0) + (fee != 0)


def test_what_nobody_can_explain_is_nobodys() -> None:
    [entry] = books.statement_line("stripe", "txn_1", "other", FIVE, 0)
    assert {posting.account for posting in entry.postings} == {"psp:stripe", "suspense:unmatched"}


def test_a_payout_is_in_transit_until_a_bank_has_it() -> None:
    [out] = books.statement_line("stripe", "txn_1", "payout", Money(-500, EUR), 0)
    [back] = books.statement_line("stripe", "txn_2", "payout_failed", FIVE, 0)
    moved = [
        posting.units for entry in (out, back) for posting in entry.postings if posting.account == "transit:stripe"
    ]
    assert moved == [500, -500]


def test_a_second_payment_comes_and_goes() -> None:
    entries = [books.stray_taken("sp_1", "stripe", FIVE), books.stray_given_back("sp_1", "stripe", FIVE)]
    assert at_provider(entries) == 0


def test_a_refund_by_hand_that_fails_is_undone() -> None:
    entries = [
        books.refund_by_hand("or_1", "stripe", "re_1", FIVE),
        books.refund_by_hand_failed("or_1", "stripe", "re_1", FIVE),
    ]
    assert at_provider(entries) == 0


@pytest.mark.parametrize(("total", "booked", "moved"), [(3_000, 1_500, -1_500), (0, 1_500, 1_500)])
def test_a_disputes_fee_follows_what_the_provider_says(total: int, booked: int, moved: int) -> None:
    entry = books.dispute_fee_changed("or_1", "stripe", "du_1", total=Money(total, EUR), booked=booked)
    assert at_provider([entry]) == moved
