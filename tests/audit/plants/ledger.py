"""Errors in entries, postings and accounts."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import BTC, NOTHING, entry, plant, then

PLANTS: Final = (
    plant(
        "a posting is changed by one",
        "I-01",
        "UPDATE postings SET units = units + 1 WHERE id = (SELECT min(id) FROM postings WHERE account LIKE 'equity:%')",
        "I-02",
    ),
    plant(
        "a posting of nothing",
        "I-03",
        then(
            "ALTER TABLE postings DROP CONSTRAINT postings_units_check",
            entry("adjust", None, *NOTHING, ("equity:operator", BTC, 0)),
        ),
    ),
    plant(
        "a posting that is not a number",
        "I-03",
        "ALTER DOMAIN units DROP CONSTRAINT units_check;"
        "INSERT INTO postings (entry_id, account, asset, units) SELECT entry_id, account, asset, 'NaN' FROM postings"
        " WHERE account LIKE 'equity:%' LIMIT 1",
        "I-01",
        "I-02",
    ),
    plant("an account is gone", "I-04", "DELETE FROM ledger_accounts WHERE id = 'loss:dispute'"),
    plant("a liability may go either way", "I-04", "UPDATE ledger_accounts SET kind = 'free' WHERE id LIKE 'order:%'"),
    plant("an entry without postings", "I-05", "INSERT INTO entries (id, reference, kind) VALUES ('le_x', 'x', 'x')"),
    plant(
        "postings without an entry",
        "I-05",
        "INSERT INTO postings (entry_id, account, asset, units)"
        " VALUES ('le_none', 'equity:operator', 'BTC.bitcoin', 1), ('le_none', 'equity:operator', 'BTC.bitcoin', -1)",
    ),
    plant(
        "a customer owes us",
        "I-07",
        entry("adjust", "open", ("order:{open}", "EUR", 5), ("suspense:unmatched", "EUR", -5)),
        "I-08",
    ),
    plant(
        "a customer owed us for a moment",
        "I-08",
        entry("adjust", "open", ("order:{open}", "EUR", 5), ("suspense:unmatched", "EUR", -5))
        + ";"
        + entry("adjust", "open", ("order:{open}", "EUR", -5), ("suspense:unmatched", "EUR", 5), reference="back"),
    ),
    plant(
        "one fact booked twice",
        "I-09",
        then(
            "ALTER TABLE entries DROP CONSTRAINT entries_reference_key",
            entry("adjust", None, *NOTHING),
            "UPDATE entries SET reference = (SELECT min(reference) FROM entries) WHERE id = 'le_planted'",
        ),
    ),
    plant(
        "an entry of one order on another's account",
        "R-01",
        entry("adjust", "open", ("order:{bounced}", "EUR", 5), ("order:{bounced}", "EUR", -5)),
    ),
    plant(
        "an entry of an order that is not there",
        "R-02",
        then(
            entry("adjust", "open", *NOTHING),
            "UPDATE entries SET order_id = 'or_none' WHERE id = 'le_planted'",
        ),
    ),
)
