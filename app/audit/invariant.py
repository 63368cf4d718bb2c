"""Invariant: a sentence that must be true of the books, and the query that finds every row which makes it false."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """`sql` returns the offending rows, and none when the sentence is true. It takes no parameters."""

    id: str
    statement: str
    sql: str
