"""Errors between orders and their money."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import entry, plant

PLANTS: Final = (
    plant(
        "a refund of a delivered order",
        "I-10",
        entry("refund", "completed", ("order:{completed}", "EUR", 5), ("psp:stripe", "EUR", -5)),
        "I-07",
        "I-08",
        "I-11",
        "I-37",
        "R-03",
        "R-07",
    ),
    plant(
        "money kept from an order that has ended",
        "I-11",
        entry("adjust", "refunded", ("order:{refunded}", "EUR", -5), ("suspense:unmatched", "EUR", 5)),
    ),
    plant(
        "completed by decree",
        "I-12",
        "UPDATE orders SET state = 'completed' WHERE id = '{open}'",
        "I-25",
    ),
    plant(
        "a refund promised beyond what was paid",
        "I-32",
        "INSERT INTO operations (id, order_id, payment_id, provider, kind, key, asset, units, state)"
        " SELECT 'rf_x', order_id, payment_id, provider, 'refund', 'rf_x', asset, 1, 'intended'"
        " FROM operations WHERE order_id = '{refunded}' AND kind = 'start'",
    ),
    plant(
        "more given back than came",
        "I-37",
        entry("refund", "bounced", ("order:{bounced}", "EUR", 15_000), ("psp:stripe", "EUR", -15_000)),
        "I-07",
        "I-08",
        "R-03",
        "R-07",
    ),
    plant("received by decree", "R-03", "UPDATE orders SET received_units = received_units + 1 WHERE id = '{sent}'"),
    plant("delivered by decree", "R-03", "UPDATE orders SET delivered_units = 1 WHERE id = '{open}'"),
    plant("another amount was asked", "R-04", "UPDATE payments SET units = units - 1 WHERE order_id = '{open}'"),
    plant(
        "a buy order without a payment",
        "R-04",
        "DELETE FROM payments WHERE order_id = '{open}'",
        "R-40",
    ),
    plant(
        "captured in the ledger only",
        "R-05",
        "UPDATE payments SET status = 'authorised' WHERE order_id = '{completed}'",
    ),
    plant("the fee is wrong", "R-06", "UPDATE payments SET fee_units = fee_units + 1 WHERE order_id = '{completed}'"),
    plant(
        "a refund that was declined is booked",
        "R-07",
        "UPDATE operations SET state = 'declined' WHERE kind = 'refund' AND order_id = '{refunded}'",
    ),
    plant(
        "a refund that nobody asked for",
        "R-07",
        entry("refund", "bounced", ("order:{bounced}", "EUR", 100), ("psp:stripe", "EUR", -100)),
        "R-03",
    ),
    plant(
        "spread booked as fee",
        "R-08",
        "UPDATE postings SET units = units + CASE account WHEN 'revenue:fee' THEN -1 ELSE 1 END"
        " WHERE account IN ('revenue:fee', 'revenue:spread')"
        " AND entry_id = (SELECT id FROM entries WHERE order_id = '{completed}' AND kind = 'convert')",
    ),
)
