"""Errors in payments that can come back, in second payments, and in what a processor does by itself."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import entry, plant, then

PLANTS: Final = (
    plant(
        "sent although its debit could still be returned",
        "R-110",
        then(
            "UPDATE payments SET hold_seconds = 86400 WHERE order_id = '{completed}'",
            "UPDATE orders SET deliver_after = (SELECT at + interval '1 day' FROM transitions"
            " WHERE order_id = orders.id AND trigger = 'payment_captured') WHERE id = '{completed}'",
        ),
    ),
    plant(
        "a hold that was forgotten",
        "R-110",
        "UPDATE payments SET hold_seconds = 86400 WHERE order_id = '{completed}'",
    ),
    plant(
        "an order that waits for nothing",
        "R-110",
        "UPDATE orders SET deliver_after = now() + interval '1 day' WHERE id = '{refunded}'",
    ),
    plant(
        "a warning that nobody heeded",
        "R-111",
        "INSERT INTO payment_flags (provider, reference, payment_id, kind, status, detail, created_at)"
        " VALUES ('stripe', 'issfr_x', "
        "(SELECT id FROM payments WHERE order_id = '{completed}'), "
        "'warning', 'open', 'misc', '2020-01-01')",
    ),
    plant(
        "sent while the provider was looking",
        "R-111",
        "INSERT INTO payment_flags (provider, reference, payment_id, kind, status, detail, created_at)"
        " VALUES ('stripe', 'prv_x', "
        "(SELECT id FROM payments WHERE order_id = '{completed}'), "
        "'review', 'open', 'rule', '2020-01-01')",
    ),
    plant(
        "a second payment that is not in the books",
        "R-112",
        "INSERT INTO strays (id, provider, reference, payment_id, asset, units, state)"
        " VALUES ('sp_x', 'stripe', 'pi_x', "
        "(SELECT id FROM payments WHERE order_id = '{completed}'), "
        "'EUR', 5, 'found')",
    ),
    plant(
        "a second payment given back by decree",
        "R-112",
        then(
            "INSERT INTO strays (id, provider, reference, payment_id, asset, units, state)"
            " VALUES ('sp_x', 'stripe', 'pi_x', "
            "(SELECT id FROM payments WHERE order_id = '{completed}'), "
            "'EUR', 5, 'refunded')",
            entry("stray_in", None, ("psp:stripe", "EUR", 5), ("suspense:unmatched", "EUR", -5)),
            "UPDATE entries SET subject = 'sp_x' WHERE reference = 'planted'",
        ),
    ),
    plant(
        "a payout of the processor's that is not booked",
        "R-113",
        "INSERT INTO statement_lines (provider, reference, kind, asset, units, fee_units, at)"
        " VALUES ('stripe', 'txn_x', 'payout', 'EUR', -5, 0, now())",
    ),
    plant(
        "a payout of the processor's that never was",
        "R-113",
        entry("processor_payout", None, ("psp:stripe", "EUR", -5), ("transit:stripe", "EUR", 5)),
        "R-09",
    ),
    plant(
        "a key that says nothing of its attempt",
        "R-114",
        "UPDATE operations SET attempt = 2 WHERE order_id = '{completed}' AND kind = 'start'",
    ),
    plant(
        "a first attempt under a later one's key",
        "R-114",
        "UPDATE operations SET key = key || ':attempt2' WHERE order_id = '{completed}' AND kind = 'start'",
    ),
    plant(
        "a card's money that goes back beside its payment",
        "R-115",
        "INSERT INTO operations (id, order_id, payment_id, provider, kind, key, asset, units, state, reference,"
        " created_at, decided_at) SELECT 'rf_x', order_id, payment_id, provider, 'return', 'rf_x', asset, 1,"
        " 'succeeded', 're_x', created_at, decided_at FROM operations"
        " WHERE order_id = '{completed}' AND kind = 'start'",
    ),
)
