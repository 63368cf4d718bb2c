"""Errors in sales and in payouts of coins: where the rules of orders and of sends meet them."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import BTC, entry, plant

PLANTS: Final = (
    plant(
        "a sale that received more", "R-03", "UPDATE orders SET received_units = received_units + 1 WHERE id = '{sold}'"
    ),
    plant(
        "more coins left an order than came",
        "I-37",
        entry("surplus", "sale_open", ("order:{sale_open}", BTC, 5), ("suspense:unmatched", BTC, -5)),
        "I-07",
        "I-08",
    ),
    plant(
        "a sale whose spread was booked as fee",
        "R-08",
        "UPDATE postings SET units = units + CASE account WHEN 'revenue:fee' THEN -1 ELSE 1 END"
        " WHERE account IN ('revenue:fee', 'revenue:spread')"
        " AND entry_id = (SELECT id FROM entries WHERE order_id = '{sold}' AND kind = 'convert')",
    ),
    plant(
        "a returned sale undone at another rate",
        "R-08",
        "UPDATE postings SET units = units + CASE account WHEN 'revenue:fee' THEN -1 ELSE 1 END"
        " WHERE account IN ('revenue:fee', 'revenue:spread')"
        " AND entry_id = (SELECT id FROM entries WHERE order_id = '{sale_returned}' AND kind = 'convert_reversed')",
    ),
    plant(
        "a refund in coins that no payout is",
        "R-07",
        "UPDATE entries SET reference = '{sale_returned}:refund:po_x'"
        " WHERE order_id = '{sale_returned}' AND kind = 'refund'",
    ),
    plant(
        "a payout of coins to another address",
        "I-16",
        "UPDATE sends SET address = 'bc1elsewhere' WHERE payout_id = '{coins_first}'",
        "R-36",
    ),
    plant(
        "one output for two payouts",
        "I-16",
        "UPDATE chain_transactions SET raw = decode(regexp_replace(encode(raw, 'hex'),"
        " (SELECT script FROM sends WHERE payout_id = '{coins_first}'), repeat('ab', 22)), 'hex')"
        " WHERE lineage_id = {coins}",
    ),
    plant(
        "settled coins that the ledger has not leaving",
        "I-19",
        "UPDATE sends SET state = 'confirmed' WHERE payout_id = '{coins_sent}'",
        "R-31",
        "R-34",
    ),
    plant(
        "coins leave the books for payouts that are not final",
        "I-19",
        "UPDATE sends SET state = 'broadcast' WHERE lineage_id = {coins}",
        "R-31",
        "R-34",
    ),
    plant(
        "coins sent without being set aside",
        "I-20",
        "UPDATE entries SET kind = 'adjust' WHERE kind = 'coins_reserve' AND subject = {coins}",
        "R-09",
    ),
    plant(
        "another payout's account paid",
        "R-63",
        "UPDATE postings SET account = 'payout:{coins_second}' WHERE account = 'payout:{coins_first}'"
        " AND entry_id = (SELECT id FROM entries WHERE kind = 'coins_deliver' AND subject = {coins})",
        "I-07",
        "I-08",
        "R-60",
    ),
    plant(
        "a send that its payout is ahead of",
        "R-34",
        "UPDATE sends SET state = 'prepared' WHERE payout_id = '{coins_sent}'",
    ),
    plant(
        "a fee that nobody bears",
        "R-35",
        "UPDATE sends SET fee_units = fee_units - 1 WHERE payout_id = '{coins_first}'",
        "I-20",
    ),
    plant("a live payout in a test instance", "R-21", "UPDATE payouts SET livemode = true WHERE id = '{coins_first}'"),
)
