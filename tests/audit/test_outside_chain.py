"""The chain against our books: what was mined, and what the wallet holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.audit.books import OurBooks
from app.ports.chain import ChainOutput, ChainTransaction
from tests.audit.book import Book
from tests.audit.outside import Chain, changed, without


def sent_of(chain: Chain, ours: OurBooks, order_id: str) -> ChainTransaction:
    """The mined transaction that delivered an order."""
    [send] = ours.of("sends", order_id=order_id)
    [signed] = ours.of("signed", lineage_id=str(send["lineage_id"]))
    return next(one for one in chain.history if one.txid == signed["txid"])


def test_a_right_chain(chain: Chain, ours: OurBooks) -> None:
    assert chain.check(ours) == (0, 0)


@pytest.mark.parametrize("units", [-1, 1])
def test_one_satoshi_too_few_or_too_many(units: int, chain: Chain, ours: OurBooks) -> None:
    off = replace(chain, held=replace(chain.held, units=chain.held.units + units))
    assert off.check(ours) == (0, 2)  # against the ledger, and against the blocks


def test_a_send_mined_twice(book: Book, chain: Chain, ours: OurBooks) -> None:
    """A second transaction pays the same send from other coins: the balance at the node is lower by it."""
    first = sent_of(chain, ours, book.orders["completed"])
    spent = {outpoint for one in chain.history for outpoint in one.spends}
    coin, units = next(
        ((one.txid, output.vout), output.amount)
        for one in chain.history
        for output in one.outputs
        if ours.of("scripts", script=output.script) and (one.txid, output.vout) not in spent
    )
    again = replace(first, txid="ff" * 32, spends=(coin,))
    left = sum(output.amount for output in again.outputs if ours.of("scripts", script=output.script))
    held = replace(chain.held, units=chain.held.units - units + left)
    [signed] = ours.of("signed", txid=first.txid)
    both = OurBooks(ours.taken_at, {**ours.rows, "signed": [*ours.rows["signed"], {**signed, "txid": again.txid}]})
    twice = Chain(held, (*chain.history, again))
    assert twice.check(both) == (1, 1)  # mined twice, and the ledger has it leaving once
    assert twice.check(ours) == (1, 1)  # the same by a transaction that we never signed


def test_a_delivery_that_the_chain_does_not_know(book: Book, chain: Chain, ours: OurBooks) -> None:
    sent = sent_of(chain, ours, book.orders["completed"])
    fewer = replace(chain, history=tuple(one for one in chain.history if one is not sent))
    sends, _ = fewer.check(ours)
    assert sends == 1


def test_a_send_that_paid_somebody_else(book: Book, chain: Chain, ours: OurBooks) -> None:
    sent = sent_of(chain, ours, book.orders["completed"])
    [send] = ours.of("sends", order_id=book.orders["completed"])
    outputs = tuple(
        ChainOutput(output.vout, "6a", output.amount) if output.script == send["script"] else output
        for output in sent.outputs
    )
    other = replace(
        chain, history=tuple(replace(one, outputs=outputs) if one is sent else one for one in chain.history)
    )
    assert other.check(ours) == (1, 0)


def test_what_is_mined_and_not_final_counts_as_gone(book: Book, chain: Chain, ours: OurBooks) -> None:
    [send] = ours.of("sends", order_id=book.orders["sent"])
    assert send["state"] == "broadcast"
    final = OurBooks(
        ours.taken_at, {**ours.rows, "delivered": [*ours.rows["delivered"], {"lineage_id": send["lineage_id"]}]}
    )
    assert chain.check(final) == (0, 1)  # said to be booked as delivered, but its coins still stand in transit


def test_two_equal_payouts_take_two_outputs(book: Book, chain: Chain, ours: OurBooks) -> None:
    [send] = [row for row in ours.rows["sends"] if row["payout_id"] == book.others["coins_first"]]
    [signed] = ours.of("signed", lineage_id=str(send["lineage_id"]))
    sent = next(one for one in chain.history if one.txid == signed["txid"])
    equal = [output for output in sent.outputs if (output.script, output.amount) == (send["script"], send["units"])]
    assert len(equal) == 2
    fewer = replace(sent, outputs=tuple(output for output in sent.outputs if output is not equal[0]))
    history = tuple(fewer if one is sent else one for one in chain.history)
    sends, _ = replace(chain, history=history).check(ours)
    assert sends == 1


def test_payouts_that_the_chain_does_not_know(book: Book, chain: Chain, ours: OurBooks) -> None:
    [send] = [row for row in ours.rows["sends"] if row["payout_id"] == book.others["coins_first"]]
    [signed] = ours.of("signed", lineage_id=str(send["lineage_id"]))
    paid = ours.of("sends", lineage_id=str(send["lineage_id"]))
    fewer = replace(chain, history=tuple(one for one in chain.history if one.txid != signed["txid"]))
    sends, _ = fewer.check(ours)
    assert sends == len(paid)


def test_a_deposit_that_nobody_has_seen(book: Book, chain: Chain, ours: OurBooks) -> None:
    assert chain.deposits(ours) == []
    blind = without(ours, "deposits", lambda row: row["id"] == book.others["deposit_open"])
    assert chain.deposits(blind) == ["is no deposit"]
    assert chain.check(blind) == (0, 0)  # it did not count, and does not
    blind = without(ours, "deposits", lambda row: row["id"] == book.others["deposit_balance"])
    assert chain.deposits(blind) == ["is no deposit"]


def test_a_deposit_of_another_amount(book: Book, chain: Chain, ours: OurBooks) -> None:
    more = changed(ours, "deposits", lambda row: row["id"] == book.others["deposit_balance"], units=5_000_001)
    assert chain.deposits(more) == ["counts as 5000001"]


def test_a_deposit_that_is_on_the_chain_and_orphaned_here(book: Book, chain: Chain, ours: OurBooks) -> None:
    gone = changed(ours, "deposits", lambda row: row["id"] == book.others["deposit_closed"], state="orphaned")
    assert chain.deposits(gone) == ["is on the chain, and orphaned here"]
    assert chain.check(gone) == (0, 1)  # and yet in the wallet's books


@pytest.mark.parametrize("state", ["confirmed", "credited", "held"])
def test_a_deposit_that_the_chain_does_not_know(state: str, book: Book, chain: Chain, ours: OurBooks) -> None:
    [lost] = ours.of("deposits", id=book.others["deposit_lost"])
    assert lost["state"] == "orphaned"
    found = changed(ours, "deposits", lambda row: row["id"] == lost["id"], state=state)
    assert chain.deposits(found) == [f"{state} here, not on the chain"]


def test_a_deposit_that_counted_before_it_was_booked(book: Book, chain: Chain, ours: OurBooks) -> None:
    early = changed(ours, "deposits", lambda row: row["id"] == book.others["deposit_open"], state="credited")
    assert chain.check(early) == (0, 1)
