"""Every planted error, by what it is about."""

from __future__ import annotations

from typing import Final

from tests.audit.plants import (
    batches,
    calls,
    coins,
    deposits,
    ledger,
    messages,
    money,
    moves,
    orders,
    payments,
    payouts,
    reconciliation,
    screening,
    sends,
    sessions,
    subjects,
    terms,
    wallets,
)
from tests.audit.plants.plant import Plant, book_names

__all__ = ["PLANTS", "Plant", "book_names"]

PLANTS: Final[tuple[Plant, ...]] = (
    *ledger.PLANTS,
    *money.PLANTS,
    *orders.PLANTS,
    *payments.PLANTS,
    *terms.PLANTS,
    *sends.PLANTS,
    *messages.PLANTS,
    *subjects.PLANTS,
    *moves.PLANTS,
    *payouts.PLANTS,
    *coins.PLANTS,
    *batches.PLANTS,
    *calls.PLANTS,
    *deposits.PLANTS,
    *screening.PLANTS,
    *reconciliation.PLANTS,
    *sessions.PLANTS,
    *wallets.PLANTS,
)
