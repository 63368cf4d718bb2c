"""Errors in balances, in whom an entry is about, and in top-ups."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import copy_of, entry, plant, then

PLANTS: Final = (
    plant(
        "a balance that its postings do not make",
        "I-06",
        "UPDATE balances SET units = units + 1 WHERE asset = 'USD'",
    ),
    plant("a balance that was forgotten", "I-06", "DELETE FROM balances WHERE asset = 'EUR'"),
    plant(
        "a balance below zero",
        "I-06",
        then(
            "INSERT INTO ledger_accounts VALUES ('partner:pt_x:available', 'USD', 'liability')",
            "INSERT INTO balances VALUES ('partner:pt_x:available', 'USD', -1)",
        ),
    ),
    plant(
        "a payout's entry without its payout",
        "R-09",
        "UPDATE entries SET subject = NULL WHERE reference = '{bank_settled}:settle'",
        "R-62",
    ),
    plant(
        "a payout that takes from another's account",
        "R-09",
        entry(
            "payout_reserve",
            None,
            ("payout:{bank_pending}", "USD", 0 + 5),
            ("payout:{bank_approved}", "USD", -5),
            subject="bank_approved",
        ),
        "R-60",
    ),
    plant(
        "another partner's balance pays",
        "R-09",
        then(
            entry(
                "payout_reserve",
                None,
                ("partner:pt_x:available", "USD", -5),
                ("equity:operator", "USD", 5),
                subject="bank_settled",
            ),
            "INSERT INTO balances VALUES ('partner:pt_x:available', 'USD', 5)",
        ),
    ),
    plant(
        "a top-up booked twice",
        "R-90",
        then(
            entry("top_up", None, ("bank:increase", "USD", 5), ("suspense:unmatched", "USD", -5), reference="again"),
            "UPDATE entries SET subject = {top_up} WHERE id = 'le_again'",
        ),
    ),
    plant("a top-up of more than was booked", "R-90", "UPDATE top_ups SET units = units + 1 WHERE id = {top_up}"),
    plant(
        "a top-up that is nowhere in the books",
        "R-90",
        copy_of("top_ups", "id = {top_up}", id="tu_x", reference="x"),
        "R-91",
    ),
    plant(
        "one credit for two top-ups",
        "R-90",
        then(
            "ALTER TABLE top_ups DROP CONSTRAINT top_ups_provider_reference_key",
            "UPDATE top_ups SET reference = 'same', provider = 'same'",
        ),
    ),
    plant(
        "a top-up reversed by decree",
        "R-90",
        "UPDATE top_ups SET status = 'reversed' WHERE id = {top_up}",
        "R-91",
    ),
    plant(
        "a top-up that its partner never heard o",
        "R-91",
        "DELETE FROM events WHERE resource_id = {top_up}",
        "R-42",
        "R-44",
    ),
)
