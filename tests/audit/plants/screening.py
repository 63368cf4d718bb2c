"""Errors in what is blocked, in the cases that say why, and in what the lists name."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import BTC, entry, plant, then

_OPEN_CASE = (
    "INSERT INTO screening_cases (id, subject, partner_id, kind, address, detail)"
    " SELECT 'sc_x', '{}', partner_id, 'unchecked', '', 'planted' FROM screening_cases LIMIT 1"
)
_LISTED = (
    "INSERT INTO screening_addresses (source, key, address, label, entry, name, added_in)"
    " SELECT source, sends.address, sends.address, 'XBT', 'planted', '', screening_lists.id"
    " FROM screening_lists, sends WHERE sends.order_id = '{completed}' ORDER BY imported_at DESC LIMIT 1"
)

PLANTS: Final = (
    plant(
        "blocked coins that the operator took",
        "R-140",
        entry("planted", None, ("blocked:sanctions", BTC, 5), ("equity:operator", BTC, -5)),
    ),
    plant(
        "blocked coins among those that can be spent",
        "R-140",
        entry("planted", None, ("wallet:hot:bitcoin", BTC, 5), ("wallet:blocked:bitcoin", BTC, -5)),
        "R-32",
    ),
    plant("blocked, and nobody says why", "R-141", "DELETE FROM screening_cases WHERE subject = '{deposit_blocked}'"),
    plant(
        "confirmed by no person",
        "R-141",
        "UPDATE screening_cases SET state = 'confirmed', decided_at = now(), decided_by = 'screening', reason = 'x'"
        " WHERE subject = '{deposit_blocked}'",
    ),
    plant("an order that goes on with an open case", "R-142", _OPEN_CASE.format("{open}")),
    plant("a payout that goes on with an open case", "R-142", _OPEN_CASE.format("{bank_pending}")),
    plant("a deposit that counts with an open case", "R-142", _OPEN_CASE.format("{deposit_balance}")),
    plant("a case about nothing", "R-142", _OPEN_CASE.format("or_none")),
    plant(
        "coins sent to an address that was listed",
        "R-143",
        then("UPDATE screening_lists SET imported_at = imported_at - interval '1 day'", _LISTED),
        "R-144",
    ),
    plant("an address that is lost", "R-144", "DELETE FROM screening_addresses WHERE label = 'LTC'"),
)
