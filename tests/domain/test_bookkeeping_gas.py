"""Gas and sweeps in the books: each asset balances on its own, nothing is left in transit, and the page says so."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from app.domain import bookkeeping_gas as books
from app.domain import bookkeeping_out, chart
from app.domain.assets import USDC_ETHEREUM
from app.domain.bookkeeping_out import deposit_credited
from app.domain.ledger import Entry
from app.domain.money import Money

PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"
HOT, TRANSIT, DEPOSITS = (f"wallet:{name}:ethereum" for name in ("hot", "transit", "deposits"))


def sums(*entries: Entry) -> dict[tuple[str, str], int]:
    """What is left on every account."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        for posting in entry.postings:
            found[posting.account, posting.asset.id] += posting.units
    return {account: units for account, units in found.items() if units}


def test_what_is_set_aside_for_gas_is_paid_or_comes_back() -> None:
    first = books.gas_reserved("ln_1", "aa", "ethereum", 900)
    more = books.gas_reserved("ln_1", "bb", "ethereum", 150)
    paid = books.gas_paid("ln_1", "ethereum", reserved=1_050, fee=500)
    assert sums(first, more, paid) == {(HOT, "ETH.ethereum"): -500, (chart.EXPENSE_NETWORK, "ETH.ethereum"): 500}


def test_a_rollup_may_take_more_than_was_set_aside() -> None:
    paid = books.gas_paid("ln_1", "base", reserved=100, fee=130)
    assert sums(paid)["wallet:hot:base", "ETH.base"] == -30


def test_a_deposit_lies_on_its_address_until_it_is_swept() -> None:
    amount = Money(80, USDC_ETHEREUM)
    counted = deposit_credited("r", "ethereum", amount, credit=chart.SUSPENSE)
    assert sums(counted)[DEPOSITS, "USDC.ethereum"] == 80
    swept = sums(counted, books.collected("ln_1", USDC_ETHEREUM, 80))
    assert swept == {(HOT, "USDC.ethereum"): 80, (chart.SUSPENSE, "USDC.ethereum"): -80}
    assert sums(books.gas_paid_by_deposit("ln_2", "ethereum", 7))[DEPOSITS, "ETH.ethereum"] == -7


def test_coins_of_a_batch_that_was_reverted_are_ours_again() -> None:
    assert sums(bookkeeping_out.coins_released("ln_1", USDC_ETHEREUM, 3)) == {
        (HOT, "USDC.ethereum"): 3,
        (TRANSIT, "USDC.ethereum"): -3,
    }


def test_every_entry_is_in_the_ledger_page() -> None:
    made = [
        books.gas_reserved("ln_1", "aa", "ethereum", 1),
        books.gas_paid("ln_1", "ethereum", reserved=2, fee=1),
        books.gas_paid_by_deposit("ln_1", "ethereum", 1),
        bookkeeping_out.coins_released("ln_1", USDC_ETHEREUM, 1),
        books.collected("ln_1", USDC_ETHEREUM, 1),
    ]
    page = PAGE.read_text()
    assert [entry.kind for entry in made if f"`{entry.kind}`" not in page] == []
