"""The chain against our books: what was mined, and what the wallet holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.audit.books import OurBooks
from app.ports.chain import ChainOutput, ChainTransaction
from tests.audit.book import Book
from tests.audit.outside import Chain


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
        ours.taken_at, {**ours.rows, "delivered": [*ours.rows["delivered"], {"order_id": send["order_id"]}]}
    )
    assert chain.check(final) == (0, 1)  # said to be booked as delivered, but its coins still stand in transit
