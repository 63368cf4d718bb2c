"""Errors to plant in a right book: each with the invariant that must find it, and those that it breaks as well.

`{completed}` and the like stand for the orders of the book, `{bank_settled}`, `{batch_done}`, `{deposit_lost}` and the
like for what is in `book_out.py`, `{send}`, `{lineage}` and `{delivery}` for what belongs to the completed order, and
`{coins}` for the lineage that pays `{coins_first}`. Triggers and foreign keys are off while these run; a
uniqueness is dropped where the error needs it. Statements are of the kind that a bug, or a hand on psql, would leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.chart import kind_of


@dataclass(frozen=True, slots=True)
class Plant:
    """One error. `also` are the other invariants that it necessarily breaks."""

    name: str
    caught_by: str
    sql: str
    also: frozenset[str] = field(default_factory=frozenset)


def plant(name: str, caught_by: str, sql: str, *also: str) -> Plant:
    return Plant(name, caught_by, sql, frozenset(also))


def entry(
    kind: str,
    order: str | None,
    *lines: tuple[str, str, int],
    reference: str = "planted",
    subject: str | None = None,
) -> str:
    """SQL for one entry with postings of (account, asset, units)."""
    about = "NULL" if subject is None else f"'{{{subject}}}'"
    whose = "NULL" if order is None else f"'{{{order}}}'"
    name = f"le_{reference}"
    postings = ", ".join(f"('{name}', '{account}', '{asset}', {units})" for account, asset, units in lines)
    accounts = ", ".join(f"('{account}', '{asset}', '{kind_of(account)}')" for account, asset, _ in lines)
    return f"""
        INSERT INTO ledger_accounts (id, asset, kind) VALUES {accounts} ON CONFLICT DO NOTHING;
        INSERT INTO entries (id, reference, kind, order_id, subject)
        VALUES ('{name}', '{reference}', '{kind}', {whose}, {about});
        INSERT INTO postings (entry_id, account, asset, units) VALUES {postings}
    """  # noqa: S608 - our own words


BTC = "BTC.bitcoin"
NOTHING = (("equity:operator", BTC, 1), ("equity:operator", BTC, -1))


def copy_of(table: str, where: str, **changes: str) -> str:
    """SQL for a second row like one that is there, but for some values."""
    fields = ", ".join(f'"{name}": "{value}"' for name, value in changes.items())
    record = f"(jsonb_populate_record(row, '{{{{{fields}}}}}')).*"
    return f"INSERT INTO {table} SELECT {record} FROM {table} AS row WHERE {where}"  # noqa: S608 - our own words


def book_names(orders: Mapping[str, str]) -> dict[str, str]:
    """What the names in the statements stand for."""
    of_completed = "FROM sends WHERE order_id = '{completed}')".format(**orders)
    return {
        **orders,
        "send": f"(SELECT id {of_completed}",
        "lineage": f"(SELECT lineage_id {of_completed}",
        "delivery": "(SELECT min(id) FROM deliveries)",
        "coins": "(SELECT lineage_id FROM sends WHERE payout_id = '{coins_first}')".format(**orders),  # noqa: S608
        "coin": "(network, txid, vout) = (SELECT network, txid, vout FROM deposits WHERE id =",
        "top_up": "(SELECT min(id) FROM top_ups WHERE asset = 'USD')",
        "item": "batch_id = '{batch_done}' AND position = 1".format(**orders),
        "made": "batch_id = '{batch_done}' AND batch_position = 1".format(**orders),
    }


def then(*statements: str) -> str:
    """Several statements, one after the other."""
    return ";".join(statements)
