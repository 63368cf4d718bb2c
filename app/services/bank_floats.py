"""The operator's own money at a bank: what it puts in is its equity, and what sales are paid from."""

from __future__ import annotations

from app.db import ledger
from app.db.database import Database
from app.domain import bookkeeping_out as books
from app.domain.errors import ConflictState
from app.domain.money import Money


async def put_in(db: Database, provider: str, amount: Money, reference: str) -> bool:
    """Book money that the operator put in at a bank, or took out when it is negative.

    `reference` names the fact: told twice, it counts once, and the answer is False. Raises ConflictState for taking
    out more than is booked there, or what partners and customers are owed.
    """
    async with db.transaction() as tx:
        entry = books.float_changed(f"float:{provider}:{reference}", provider, amount)
        if await ledger.has_entry(tx, entry.reference):
            return False
        there = await ledger.balance(tx, books.float_account(provider), amount.asset.id)
        free = await ledger.free_at_banks(tx, amount.asset.id)
        if amount.units < 0 and min(there, free) < -amount.units:
            raise ConflictState("That much is not the operator's own at this bank.")
        await ledger.post(tx, entry, subject=f"float:{provider}")
    return True


async def open_with(db: Database, provider: str, balance: Money) -> bool:
    """Book what stands at a bank that the books know nothing of yet; False when they know something."""
    async with db.connection() as connection:
        if await ledger.has_account(connection, books.float_account(provider)):
            return False
    if balance.units:
        await put_in(db, provider, balance, "opening")
    return True
