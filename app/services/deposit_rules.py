"""What decides about deposits beside the deposit itself: the operator's rules, and prices for those that are sold."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.assets import DepthStep
from app.domain.errors import RouteUnavailable
from app.domain.intent import IntentKeys
from app.domain.money import Asset
from app.ports.screening import SenderLookup
from app.services.crediting import CreditGate
from app.services.policy import Policy
from app.services.prices import PriceBoard

_REFRESH_SECONDS = 2.0


@dataclass(slots=True)
class DepositRules:
    """The rules by which deposits count. The board is asked for prices only when a deposit has to be sold."""

    policy: Policy
    board: PriceBoard
    livemode: bool
    intents: IntentKeys = field(default_factory=IntentKeys.ephemeral)
    lookups: Mapping[str, SenderLookup] = field(default_factory=dict)
    gates: Mapping[str, CreditGate] = field(default_factory=dict)
    _refreshed_at: dict[tuple[str, str], float] = field(default_factory=dict)

    def ladder(self, network: str) -> Sequence[DepthStep]:
        """How deep payments on a network must be buried."""
        return self.policy.ladder(network)

    def gate(self, network: str) -> CreditGate:
        """What has to hold before deposits on a network count."""
        return self.gates.get(network, CreditGate())

    async def senders(self, network: str, txid: str, block_hash: str) -> Sequence[str]:
        """The addresses that a mined transaction spent from, as far as its chain tells; raises ProviderUnavailable."""
        lookup = self.lookups.get(network)
        return () if lookup is None else await lookup.senders(txid, block_hash)

    async def need_price(self, coin: Asset, fiat: Asset) -> None:
        """See to a fresh price for a pair, if there is one to be had; asks the venues every few seconds at most."""
        now, pair = time.monotonic(), (coin.code, fiat.code)
        try:
            self.board.merged(*pair, now=now)
        except RouteUnavailable:
            if now - self._refreshed_at.get(pair, float("-inf")) > _REFRESH_SECONDS:
                await self.board.refresh(pair)
                self._refreshed_at[pair] = time.monotonic()
