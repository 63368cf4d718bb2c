"""Reconciliation as an operator's key sees it: runs, breaks, and what is done about one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.schemas.base import Label, ListOut, Moment, MoneyOut, Network, Request, Resource


class BreakOut(Resource):
    """Something that is not explained. `amount` is what they have and the books have not; below zero, the reverse."""

    id: str = Field(examples=["rb_01JD0000000000000000000000"])
    object: Literal["reconciliation_break"] = "reconciliation_break"
    sequence: int
    source: str = Field(examples=["stripe"])
    kind: Literal["not_in_books", "not_at_source", "other_amount", "other_currency", "duplicate", "late", "balance"]
    status: Literal["open", "resolved"]
    about: str = Field(description="What both sides call it: a payment, a payout, a credit, an output")
    amount: MoneyOut
    line: str | None = Field(description="Their line")
    ledger_entry_id: str | None = Field(description="Our entry")
    line_at: Moment | None
    reason: str
    opened_at: Moment
    age_seconds: int = Field(description="From when it was opened until it was resolved, or until now")
    resolution: Literal["matched", "explained", "corrected"] | None
    resolved_by: str | None
    resolved_at: Moment | None
    note: str | None
    correction_entry_id: str | None


class BalanceOut(Resource):
    """One asset: theirs less ours is what is pending, explained and broken."""

    asset: str
    network: Network = None
    theirs: str
    ours: str
    pending: str
    explained: str
    broken: str


class RunOut(Resource):
    """One source held against the ledger once."""

    id: str = Field(examples=["rr_01JD0000000000000000000000"])
    object: Literal["reconciliation_run"] = "reconciliation_run"
    source: str = Field(examples=["bitcoin"])
    status: Literal["done", "failed"]
    night: str | None = Field(description="The day whose nightly run this was")
    at_block: str | None
    lines: int
    matched: int
    pending: int
    breaks: int
    balances: list[BalanceOut]
    error: str | None
    started_at: Moment
    finished_at: Moment


Reason = Annotated[Label, Field(examples=["the bank's own fee, see its letter of 12 November"])]


class ResolutionIn(Request):
    """Say what a break is, or book a correction: one key proposes it, another approves."""

    action: Literal["explain", "propose_correction", "approve_correction"]
    reason: Reason
    account: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, examples=["expense:provider"], description="Where the other side of a proposed correction stands"
    )


BreakList = ListOut[BreakOut]
RunList = ListOut[RunOut]
