"""Errors in coins and in what spends them."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import BTC, entry, plant

PLANTS: Final = (
    plant(
        "an order sends twice",
        "I-13",
        "ALTER TABLE sends DROP CONSTRAINT sends_order_id_purpose_key;"
        'INSERT INTO sends SELECT (jsonb_populate_record(sends, \'{{"id": "sn_x"}}\')).* FROM sends'
        " WHERE order_id = '{completed}'",
        "I-16",
        "R-35",
    ),
    plant(
        "two transactions of a lineage are mined",
        "I-14",
        "INSERT INTO chain_transactions (txid, network, lineage_id, attempt, raw, fee_units, vsize, height)"
        " SELECT 'ff', network, lineage_id, 2, raw, fee_units + 1, vsize, height FROM chain_transactions"
        " WHERE lineage_id = {lineage}",
        "I-19",
        "R-35",
        "R-39",
    ),
    plant(
        "two transactions of payouts are mined",
        "I-14",
        "INSERT INTO chain_transactions (txid, network, lineage_id, attempt, raw, fee_units, vsize, height)"
        " SELECT 'ff', network, lineage_id, 2, raw, fee_units + 1, vsize, height FROM chain_transactions"
        " WHERE lineage_id = {coins}",
        "I-19",
        "R-35",
        "R-39",
    ),
    plant(
        "a second transaction spends other coins",
        "I-15",
        "UPDATE coins SET vout = vout + 100 WHERE lineage_id = {lineage}",
    ),
    plant(
        "a transaction that reserved nothing",
        "I-15",
        "UPDATE coins SET lineage_id = NULL, attempt = NULL, spent_txid = NULL, spent_height = NULL, height = NULL"
        " WHERE lineage_id = {lineage}",
    ),
    plant(
        "a transaction that pays somebody else",
        "I-16",
        "UPDATE chain_transactions SET raw = decode(replace(encode(raw, 'hex'), (SELECT script FROM sends WHERE"
        " id = {send}), repeat('ab', 22)), 'hex') WHERE lineage_id = {lineage}",
    ),
    plant(
        "a send to another address than agreed",
        "I-16",
        "UPDATE sends SET address = 'bc1elsewhere' WHERE id = {send}",
        "R-36",
    ),
    plant(
        "a move to cold storage that nobody asked for",
        "I-16",
        "UPDATE sends SET purpose = 'sweep', payout_id = NULL WHERE payout_id = '{coins_first}'",
        "R-61",
        "R-63",
    ),
    plant(
        "a final send that the ledger does not know",
        "I-19",
        "UPDATE sends SET state = 'confirmed' WHERE order_id = '{sent}'",
        "R-31",
        "R-34",
    ),
    plant(
        "a delivery that is not final",
        "I-19",
        "UPDATE sends SET state = 'broadcast' WHERE id = {send}",
        "R-31",
        "R-34",
    ),
    plant(
        "a fee in the ledger that the transaction did not pay",
        "I-19",
        "UPDATE chain_transactions SET fee_units = fee_units + 1 WHERE lineage_id = {lineage}",
        "R-35",
    ),
    plant(
        "coins sent for an unpaid order",
        "I-20",
        "UPDATE entries SET kind = 'adjust' WHERE order_id = '{sent}' AND kind = 'pay_in'",
        "R-03",
        "R-05",
    ),
    plant(
        "a coin that is kept for a send that was given up",
        "R-30",
        "UPDATE sends SET state = 'abandoned' WHERE order_id = '{completed}'",
        "I-19",
        "R-34",
    ),
    plant(
        "a coin spent by a transaction that is not ours",
        "R-30",
        "UPDATE coins SET spent_txid = 'ff' WHERE (txid, vout) IN"
        " (SELECT txid, vout FROM coins WHERE lineage_id IS NULL LIMIT 1)",
    ),
    plant(
        "a coin reserved twice over",
        "R-30",
        "UPDATE coins SET lineage_id = (SELECT lineage_id FROM sends WHERE order_id = '{sent}')"
        " WHERE lineage_id = {lineage}",
        "I-15",
    ),
    plant(
        "coins forgotten in transit",
        "R-31",
        entry("adjust", None, ("wallet:transit:bitcoin", BTC, 1), ("wallet:hot:bitcoin", BTC, -1)),
    ),
    plant(
        "a satoshi missing from the wallet",
        "R-32",
        entry("adjust", None, ("equity:operator", BTC, 1), ("wallet:hot:bitcoin", BTC, -1)),
    ),
    plant(
        "a block that we skipped",
        "R-33",
        "DELETE FROM blocks WHERE height = (SELECT max(height) - 1 FROM blocks)",
    ),
    plant(
        "a send that its order is ahead of",
        "R-34",
        "UPDATE sends SET state = 'prepared' WHERE order_id = '{sent}'",
    ),
)
