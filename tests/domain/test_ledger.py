"""Entries: balanced in every asset by construction, or not at all; and the chart that names the accounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import chart
from app.domain.assets import BTC, EUR, USD
from app.domain.chart import AccountKind, kind_of
from app.domain.errors import UnbalancedEntry
from app.domain.ledger import Entry, Posting, entry, reverse, transfer
from app.domain.money import Money


@pytest.mark.parametrize(
    "postings",
    [
        (),
        (Posting("a", EUR, 1),),
        (Posting("a", EUR, 1), Posting("b", EUR, -2)),
        (Posting("a", EUR, 1), Posting("b", USD, -1)),
        (Posting("a", EUR, 1), Posting("b", BTC, -1)),
        (Posting("a", EUR, 1), Posting("b", EUR, -1), Posting("c", BTC, 1)),
        (Posting("a", EUR, 0), Posting("b", EUR, 0)),
        (Posting("a", EUR, 1), Posting("b", EUR, -1), Posting("c", EUR, 0)),
    ],
)
def test_what_does_not_balance_cannot_be_made(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(UnbalancedEntry, match="fact:1"):
        Entry("fact:1", "test", postings)


def test_each_asset_balances_on_its_own() -> None:
    made = Entry(
        "fact:1", "convert",
        (
            Posting("a", EUR, 3), Posting("b", EUR, -3),
            Posting("a", BTC, -7), Posting("b", BTC, 5), Posting("c", BTC, 2),
        ),
    )  # fmt: skip
    assert made.kind == "convert"


def test_lines_that_move_nothing_are_left_out() -> None:
    made = entry("fact:1", "test", [Posting("a", EUR, 5), Posting("b", EUR, 0), Posting("c", EUR, -5)])
    assert [posting.account for posting in made.postings] == ["a", "c"]
    with pytest.raises(UnbalancedEntry):
        entry("fact:1", "test", [Posting("a", EUR, 0), Posting("b", EUR, 0)])


@given(st.integers(-(10**40), 10**40).filter(bool))
def test_a_transfer_debits_one_and_credits_the_other(units: int) -> None:
    made = transfer("fact:1", "test", debit="to", credit="from", amount=Money(units, EUR))
    assert made.postings == (Posting("to", EUR, units), Posting("from", EUR, -units))


def test_a_transfer_of_nothing_cannot_be_made() -> None:
    with pytest.raises(UnbalancedEntry):
        transfer("fact:1", "test", debit="a", credit="b", amount=Money(0, EUR))


@given(st.lists(st.integers(1, 10**20), min_size=1, max_size=6))
def test_an_entry_and_its_reversal_cancel_out(amounts: list[int]) -> None:
    debits = [Posting(f"a{number}", EUR, units) for number, units in enumerate(amounts)]
    original = entry("fact:1", "test", [*debits, Posting("all", EUR, -sum(amounts))])
    undone = reverse(original, "fact:1:undone", "undone")
    assert (undone.reference, undone.kind) == ("fact:1:undone", "undone")
    assert [(p.account, p.asset, -p.units) for p in undone.postings] == [
        (p.account, p.asset, p.units) for p in original.postings
    ]


@pytest.mark.parametrize(
    ("account", "name", "kind"),
    [
        (chart.psp("stripe"), "psp:stripe", AccountKind.FREE),
        (chart.bank("increase"), "bank:increase", AccountKind.ASSET),
        (chart.wallet_hot("bitcoin"), "wallet:hot:bitcoin", AccountKind.ASSET),
        (chart.wallet_transit("bitcoin"), "wallet:transit:bitcoin", AccountKind.ASSET),
        (chart.order("or_1"), "order:or_1", AccountKind.LIABILITY),
        (chart.partner_available("pt_1"), "partner:pt_1:available", AccountKind.LIABILITY),
        (chart.partner_pending("pt_1"), "partner:pt_1:pending", AccountKind.LIABILITY),
        (chart.position("BTC.bitcoin"), "position:BTC.bitcoin", AccountKind.FREE),
        (chart.REVENUE_FEE, "revenue:fee", AccountKind.FREE),
        (chart.LOSS_DISPUTE, "loss:dispute", AccountKind.FREE),
        (chart.EQUITY_OPERATOR, "equity:operator", AccountKind.FREE),
        (chart.SUSPENSE, "suspense:unmatched", AccountKind.FREE),
    ],
)
def test_the_chart(account: str, name: str, kind: AccountKind) -> None:
    assert account == name
    assert kind_of(account) is kind
