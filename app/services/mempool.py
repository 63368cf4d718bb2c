"""The mempool: coins on their way to our deposit addresses are seen before a block takes them. They never count."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.db import chain
from app.db.database import Database
from app.ports.chain import ChainProvider
from app.services import deposits
from app.services.deposit_rules import DepositRules

# Transactions that are read whole in one look; what is left is read in the next.
_MOST_AT_ONCE = 200


@dataclass(slots=True)
class MempoolWatch:
    """One network's waiting transactions, and which of them this process has read already."""

    rail: ChainProvider
    seen: set[str] = field(default_factory=set)

    async def look(self, db: Database, rules: DepositRules) -> bool:
        """Find deposits that came, and those that went without a block. True when more is to be read at once."""
        waiting = await self.rail.waiting(self.seen, limit=_MOST_AT_ONCE)
        async with db.transaction() as tx:
            await chain.take_turn(tx, self.rail.network)
            await deposits.in_mempool(tx, rules, self.rail.network, waiting)
        self.seen &= waiting.txids
        self.seen |= {transaction.txid for transaction in waiting.transactions}
        return waiting.more
