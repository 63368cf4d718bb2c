"""Errors in what the wallet did by itself: what was let go, stops, cold storage, attempts."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import copy_of, plant

_COLD = "INSERT INTO cold_addresses (network, script, address, added_by, added_at, confirmed_by, confirmed_at) VALUES "
_SAID = "INSERT INTO wallet_commands (network, command, subject, actor, reason) VALUES "

PLANTS: Final = (
    plant(
        "coins signed for that nobody let go",
        "R-36",
        "DELETE FROM spends WHERE subject = '{completed}'",
    ),
    plant(
        "let go for less than was sent",
        "R-36",
        "UPDATE spends SET units = units - 1 WHERE subject = '{coins_first}'",
    ),
    plant(
        "let go to another address",
        "R-36",
        "UPDATE spends SET address = 'bc1elsewhere' WHERE subject = '{completed}'",
    ),
    plant(
        "a chain stopped by nobody",
        "R-37",
        "UPDATE wallet_switches SET sending = false WHERE network = 'bitcoin'",
    ),
    plant(
        "deposits count although they were stopped",
        "R-37",
        _SAID + "('bitcoin', 'stop_crediting', NULL, 'ada', 'x')",
    ),
    plant(
        "signed while the chain was stopped",
        "R-37",
        "INSERT INTO wallet_commands (network, command, actor, reason, at) VALUES"
        " ('bitcoin', 'stop_sending', 'ada', 'x', '2020-01-01'), ('bitcoin', 'start_sending', 'ada', 'x', now())",
    ),
    plant(
        "moved to an address that nobody agreed to",
        "R-38",
        "INSERT INTO cold_sweeps (id, network, script, units, actor, reason, lineage_id)"
        " VALUES ('sw_x', 'bitcoin', 'ab', 5, 'eve', 'x', {lineage})",
    ),
    plant(
        "a cold address that one person agreed to twice",
        "R-38",
        _SAID + "('bitcoin', 'allow', 'bc1cold', 'eve', 'x');"
        + _COLD + "('bitcoin', 'ab', 'bc1cold', 'eve', now(), 'bob', now())",
    ),
    plant(
        "an attempt that pays no more than the one before",
        "R-39",
        copy_of("chain_transactions", "row.lineage_id = {lineage}", txid="ee", attempt="2").replace('"2"', "2"),
        "I-14",
    ),
    plant(
        "a final lineage of which two attempts count",
        "R-39",
        "INSERT INTO chain_transactions (txid, network, lineage_id, attempt, raw, fee_units, vsize)"
        " SELECT 'ee', network, lineage_id, 2, raw, fee_units + 1, vsize FROM chain_transactions"
        " WHERE lineage_id = {coins}",
        "R-35",
    ),
    plant(
        "attempts that begin with the second",
        "R-39",
        "UPDATE chain_transactions SET attempt = 2 WHERE lineage_id = {lineage}",
    ),
    plant(
        "the one that was mined is marked as replaced",
        "R-39",
        "UPDATE chain_transactions SET replaced_at = now() WHERE lineage_id = {lineage}",
        "R-35",
    ),
)  # fmt: skip
