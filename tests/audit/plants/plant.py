"""Errors to plant in a right book: each with the invariant that must find it, and those that it breaks as well.

`{completed}` and the like stand for the orders of the book, `{send}`, `{lineage}` and `{delivery}` for what belongs
to the completed one. Triggers and foreign keys are off while these run; a
uniqueness is dropped where the error needs it. Statements are of the kind that a bug, or a hand on psql, would leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Plant:
    """One error. `also` are the other invariants that it necessarily breaks."""

    name: str
    caught_by: str
    sql: str
    also: frozenset[str] = field(default_factory=frozenset)


def plant(name: str, caught_by: str, sql: str, *also: str) -> Plant:
    return Plant(name, caught_by, sql, frozenset(also))


def entry(kind: str, order: str | None, *lines: tuple[str, str, int], reference: str = "planted") -> str:
    """SQL for one entry with postings of (account, asset, units)."""
    whose = "NULL" if order is None else f"'{{{order}}}'"
    name = f"le_{reference}"
    postings = ", ".join(f"('{name}', '{account}', '{asset}', {units})" for account, asset, units in lines)
    accounts = ", ".join(
        f"('{account}', '{asset}', '{'liability' if account.startswith('order') else 'free'}')"
        for account, asset, _ in lines
    )
    return f"""
        INSERT INTO ledger_accounts (id, asset, kind) VALUES {accounts} ON CONFLICT DO NOTHING;
        INSERT INTO entries (id, reference, kind, order_id) VALUES ('{name}', '{reference}', '{kind}', {whose});
        INSERT INTO postings (entry_id, account, asset, units) VALUES {postings}
    """  # noqa: S608 - our own words


BTC = "BTC.bitcoin"
NOTHING = (("equity:operator", BTC, 1), ("equity:operator", BTC, -1))


def book_names(orders: Mapping[str, str]) -> dict[str, str]:
    """What the names in the statements stand for."""
    of_completed = "FROM sends WHERE order_id = '{completed}')".format(**orders)
    return {
        **orders,
        "send": f"(SELECT id {of_completed}",
        "lineage": f"(SELECT lineage_id {of_completed}",
        "delivery": "(SELECT min(id) FROM deliveries)",
    }


def then(*statements: str) -> str:
    """Several statements, one after the other."""
    return ";".join(statements)
