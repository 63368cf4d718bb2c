"""Bookkeeping of payouts, deposits and top-ups: every entry balances, and every way ends with nothing left over."""

from __future__ import annotations

import pytest

from app.domain import bookkeeping_out as books_out
from app.domain import chart
from app.domain.assets import BTC, EUR, USD
from app.domain.errors import UnbalancedEntry
from app.domain.ledger import Posting, entry
from app.domain.money import Money
from tests.domain.books import Books, lines

AMOUNT = Money(25_00, USD)
AVAILABLE = chart.partner_available("pt_1")


@pytest.fixture
def books() -> Books:
    """A partner with 100 dollars, and a wallet with a bitcoin."""
    made = Books()
    made.post(books_out.topped_up("tu_1:credit", "increase", Money(100_00, USD), credit=AVAILABLE))
    made.post(books_out.arrived("bitcoin", BTC, "arrived:1", 10**8, credit=chart.EQUITY_OPERATOR))
    made.post(books_out.arrived("bitcoin", BTC, "arrived:2", 2 * 10**8, credit=AVAILABLE))
    return made


def test_a_bank_payout_to_the_cent_and_back(books: Books) -> None:
    before = books.standing()
    reserved = books_out.reserved("po_1", "pt_1", AMOUNT)
    assert lines(reserved) == {("partner:pt_1:available", "USD"): 25_00, ("payout:po_1", "USD"): -25_00}
    books.post(reserved)
    settled = books_out.bank_settled("po_1", "po_1", "increase", AMOUNT)
    assert lines(settled) == {("payout:po_1", "USD"): 25_00, ("bank:increase", "USD"): -25_00}
    books.post(settled)
    assert books.of("payout:po_1", USD) == 0
    assert books.of("bank:increase", USD) == 75_00
    returned = books_out.bank_returned("po_1", "pt_1", "increase", AMOUNT)
    assert lines(returned) == {("bank:increase", "USD"): 25_00, ("partner:pt_1:available", "USD"): -25_00}
    books.post(returned)
    assert books.standing() == before


def test_a_payout_that_never_left_is_free_again(books: Books) -> None:
    before = books.standing()
    books.post(books_out.reserved("po_1", "pt_1", AMOUNT))
    freed = books_out.freed("po_1:free", "po_1", "pt_1", AMOUNT)
    assert lines(freed) == {("payout:po_1", "USD"): 25_00, ("partner:pt_1:available", "USD"): -25_00}
    books.post(freed)
    assert books.standing() == before


def test_the_items_of_a_batch_leave_its_one_account(books: Books) -> None:
    books.post(books_out.reserved("pb_1", "pt_1", Money(60_00, USD)))
    books.post(books_out.bank_settled("po_1", "pb_1", "increase", Money(10_00, USD)))
    books.post(books_out.freed("po_2:free", "pb_1", "pt_1", Money(20_00, USD)))
    assert books.of("payout:pb_1", USD) == -30_00
    books.post(books_out.bank_settled("po_3", "pb_1", "increase", Money(30_00, USD)))
    assert books.of("payout:pb_1", USD) == 0
    assert books.of("bank:increase", USD) == 60_00
    assert books.of(AVAILABLE, USD) == -60_00


def test_what_was_reserved_of_each_asset_has_a_reference_of_its_own(books: Books) -> None:
    books.post(books_out.reserved("pb_1", "pt_1", Money(60_00, USD)))
    books.post(books_out.reserved("pb_1", "pt_1", Money(5_000, BTC)))
    assert {"pb_1:reserve:USD", "pb_1:reserve:BTC.bitcoin"} <= books.references


def test_coins_for_many_leave_in_one_transaction_with_one_fee(books: Books) -> None:
    for subject, units in (("po_1", 5_000), ("pb_1", 20_000)):
        books.post(books_out.reserved(subject, "pt_1", Money(units, BTC)))
    books.post(books_out.coins_prepared("ln_1", BTC, 25_000, 700))
    assert books.of("wallet:transit:bitcoin", BTC) == 25_700
    delivered = books_out.coins_delivered("ln_1", BTC, {"po_1": 5_000, "pb_1": 20_000}, 700)
    assert lines(delivered) == {
        ("payout:po_1", "BTC.bitcoin"): 5_000,
        ("payout:pb_1", "BTC.bitcoin"): 20_000,
        ("expense:network", "BTC.bitcoin"): 700,
        ("wallet:transit:bitcoin", "BTC.bitcoin"): -25_700,
    }
    books.post(delivered)
    assert books.of("wallet:transit:bitcoin", BTC) == 0
    assert (books.of("payout:po_1", BTC), books.of("payout:pb_1", BTC)) == (0, 0)
    assert books.of(AVAILABLE, BTC) == -(2 * 10**8 - 25_000)  # the network's fee is the operator's


def test_delivering_more_than_was_prepared_cannot_stand(books: Books) -> None:
    books.post(books_out.reserved("po_1", "pt_1", Money(5_000, BTC)))
    books.post(books_out.coins_prepared("ln_1", BTC, 5_000, 700))
    with pytest.raises(AssertionError, match="wallet:transit"):
        books.post(books_out.coins_delivered("ln_1", BTC, {"po_1": 5_000}, 701))


@pytest.mark.parametrize(("spent", "recovered"), [(0, 0), (40_00, 40_00), (100_00, 100_00)])
def test_a_top_up_taken_back_leaves_what_was_spent_to_be_recovered(spent: int, recovered: int) -> None:
    books = Books()
    books.fund(chart.bank("increase"), Money(500_00, USD))
    top_up = Money(100_00, USD)
    books.post(books_out.topped_up("tu_1:credit", "increase", top_up, credit=AVAILABLE))
    if spent:
        books.post(books_out.reserved("po_1", "pt_1", Money(spent, USD)))
        books.post(books_out.bank_settled("po_1", "po_1", "increase", Money(spent, USD)))
    reversed_ = books_out.top_up_reversed("tu_1:reverse", "increase", top_up, account=AVAILABLE, covered=100_00 - spent)
    books.post(reversed_)
    assert books.of(AVAILABLE, USD) == 0
    assert books.of(chart.RECEIVABLE_RECOVERY, USD) == recovered
    assert books.of(chart.bank("increase"), USD) == 500_00 - spent


def test_held_money_stands_in_suspense_until_a_person_says_whose_it_is() -> None:
    books, amount = Books(), Money(7_00, EUR)
    books.post(books_out.topped_up("tu_1:credit", "sepa", amount, credit=chart.SUSPENSE))
    assert books.standing() == {("bank:sepa", "EUR"): 7_00, ("suspense:unmatched", "EUR"): -7_00}
    books.post(books_out.top_up_released("tu_1:release", "pt_1", amount))
    assert books.standing() == {("bank:sepa", "EUR"): 7_00, ("partner:pt_1:available", "EUR"): -7_00}


@pytest.mark.parametrize("covered", [0, 3_000, 5_000])
def test_a_deposit_undone_and_done_again_leaves_what_was_there(covered: int) -> None:
    books, amount = Books(), Money(5_000, BTC)
    books.fund(chart.wallet_hot("bitcoin"), Money(10_000, BTC))
    books.post(books_out.deposit_credited("dp_1:1", "bitcoin", amount, credit=AVAILABLE))
    if covered < 5_000:  # the rest was spent
        books.post(books_out.reserved("po_1", "pt_1", Money(5_000 - covered, BTC)))
    before = books.standing()
    books.post(books_out.deposit_undone("dp_1:u", "bitcoin", amount, account=AVAILABLE, covered=covered))
    assert books.of(chart.LOSS_REORG, BTC) == 5_000 - covered
    assert books.of(AVAILABLE, BTC) == 0
    books.post(books_out.deposit_restored("dp_1:2", "bitcoin", amount, account=AVAILABLE, lost=amount.units - covered))
    assert books.standing() == before


def test_a_held_deposit_is_given_out_of_suspense() -> None:
    books, amount = Books(), Money(5_000, BTC)
    books.post(books_out.deposit_credited("dp_1:1", "bitcoin", amount, credit=chart.SUSPENSE))
    books.post(books_out.deposit_released("dp_1:release", "pt_1", amount))
    assert books.standing() == {
        ("wallet:hot:bitcoin", "BTC.bitcoin"): 5_000,
        ("partner:pt_1:available", "BTC.bitcoin"): -5_000,
    }


def test_the_operators_float_goes_in_and_comes_out() -> None:
    books = Books()
    books.post(books_out.float_changed("f:1", "sepa", Money(10_00, EUR)))
    assert books.of(books_out.float_account("sepa"), EUR) == 10_00
    books.post(books_out.float_changed("f:2", "sepa", Money(-10_00, EUR)))
    assert books.standing() == {}


def test_an_entry_that_does_not_balance_is_none() -> None:
    with pytest.raises(UnbalancedEntry):
        entry("x", "payout_settle", [Posting(chart.payout("po_1"), USD, 1), Posting(chart.bank("b"), USD, -2)])
