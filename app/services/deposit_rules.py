"""What decides about deposits beside the deposit itself: the operator's rules, and prices for those that are sold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.assets import DepthStep
from app.domain.errors import RouteUnavailable
from app.domain.money import Asset
from app.services.policy import Policy
from app.services.prices import PriceBoard

_REFRESH_SECONDS = 2.0


@dataclass(slots=True)
class DepositRules:
    """The rules by which deposits count. The board is asked for prices only when a deposit has to be sold."""

    policy: Policy
    board: PriceBoard
    livemode: bool
    _refreshed_at: float = float("-inf")

    def ladder(self, network: str) -> Sequence[DepthStep]:
        """How deep payments on a network must be buried."""
        return self.policy.ladder(network)

    async def need_price(self, coin: Asset, fiat: Asset) -> None:
        """See to a fresh price for a pair, if there is one to be had; asks the venues every few seconds at most."""
        now = time.monotonic()
        try:
            self.board.book(coin.code, fiat.code, now=now)
        except RouteUnavailable:
            if now - self._refreshed_at > _REFRESH_SECONDS:
                await self.board.refresh()
                self._refreshed_at = time.monotonic()
