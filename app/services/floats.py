"""Floats: what the wallets can still promise. A quote that could not be delivered is not given."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from app.db import coins
from app.db.coins import Holdings
from app.db.database import Database
from app.domain.errors import InsufficientLiquidity
from app.domain.money import Money

_SEEN_SECONDS: Final = 1.0


@dataclass(slots=True)
class FloatWatch:
    """What each wallet can promise, read every second at most; before anything is refused it is read anew."""

    networks: Collection[str]
    _seen: dict[str, tuple[float, Holdings]] = field(default_factory=dict)

    async def require(self, db: Database, wanted: Money) -> None:
        """Raise InsufficientLiquidity when the wallet, less what orders and payouts wait for, holds too little."""
        network = wanted.asset.network
        if network is None or network not in self.networks:
            return
        at, held = self._seen.get(network, (float("-inf"), None))
        if held is None or time.monotonic() - at > _SEEN_SECONDS or held.left < wanted.units:
            async with db.connection() as connection:
                held = await coins.holdings(connection, network, wanted.asset.id)
            self._seen[network] = (time.monotonic(), held)
        if held.left < wanted.units:
            raise InsufficientLiquidity("We cannot deliver so much just now.")

    def promised(self, network: str | None) -> None:
        """Something was promised: what has been read is old."""
        self._seen.pop(network or "", None)
