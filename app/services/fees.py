"""Network fees: what each send bears of its transaction's, and books that follow what was really paid."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import ledger, lineages
from app.db.database import Transaction
from app.db.wallet import ChainTransactionRow, Send
from app.domain import bookkeeping_out as books
from app.domain.assets import native_asset


def shares(sends: Sequence[Send], fee: int) -> list[tuple[str, int]]:
    """What each send bears, (send, units): even parts, and what is odd by the first ones."""
    share, over = divmod(fee, len(sends))
    return [(send.id, share + (place < over)) for place, send in enumerate(sends)]


async def raise_to(tx: Transaction, signed: ChainTransactionRow, more: int) -> None:
    """Set aside `more` for an attempt of payouts, or of moves of our own, that pays a higher fee."""
    entry = books.fee_raised(signed.lineage_id, signed.attempt, native_asset(signed.network), more)
    await ledger.post(tx, entry, subject=signed.lineage_id)


async def settle(tx: Transaction, mined: ChainTransactionRow) -> None:
    """Free what was set aside beyond the fee of the attempt that was mined, and let the sends bear that fee.

    For payouts and moves of our own; an order books it with its delivery.
    """
    sends = await lineages.sends_of(tx, mined.lineage_id)
    spare = sum(send.fee_units for send in sends) - mined.fee_units
    if spare:
        entry = books.fee_freed(mined.lineage_id, native_asset(mined.network), spare)
        await ledger.post(tx, entry, subject=mined.lineage_id)
        await lineages.share_fee(tx, shares(sends, mined.fee_units))


async def adjust(tx: Transaction, mined: ChainTransactionRow) -> None:
    """The same after delivery: a reorganisation let another attempt be mined than the one that was booked."""
    sends = await lineages.sends_of(tx, mined.lineage_id)
    more = mined.fee_units - sum(send.fee_units for send in sends)
    times = await ledger.count_entries(tx, f"{mined.lineage_id}:adjust:{mined.txid}")
    entry = books.fee_adjusted(mined.lineage_id, mined.txid, times + 1, native_asset(mined.network), more)
    await ledger.post(tx, entry, subject=mined.lineage_id)
    await lineages.share_fee(tx, shares(sends, mined.fee_units))
