"""What becomes of what the signer refuses: the hold that tells a person, and the coins that the next try must take.

A worker can die after the signer has signed and before the database has it. The signer remembers: whoever it signed
for must be paid with one of the same coins, so that not both can be mined, and nobody else gets these for a while. It
names the coins when it refuses; they are remembered here until the next try, which chooses accordingly.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from app.db import orders as order_rows
from app.db.alerts import raise_alert
from app.db.database import Database
from app.domain.order import OrderState
from app.domain.payout import PayoutState
from app.ports.errors import SigningPostponed, SigningRefused
from app.services import orders, payouts

HELD_FOR: Final = "signer_refused"
Coin = tuple[str, int]

# What the signer's own policy lets leave in an hour or a day is used up: less may still go.
SIGNER_LIMITS: Final = frozenset({"limit_hour", "limit_day"})
_SIGNED_BEFORE: Final = "signed_before"
_OTHERS_SECONDS: Final = 600.0


@dataclass(slots=True)
class SignerWishes:
    """Which coins the signer has said that some must be paid with, and which it keeps for others."""

    _wanted: dict[str, frozenset[Coin]] = field(default_factory=dict)
    _others: dict[Coin, float] = field(default_factory=dict)

    def heed(self, said: SigningRefused | SigningPostponed) -> SigningRefused:
        """Remember what it says of coins. Raises SigningPostponed where trying again can help, else gives it back."""
        if isinstance(said, SigningPostponed):
            self._others |= dict.fromkeys(said.coins, time.monotonic() + _OTHERS_SECONDS)
            raise said
        new = [subject for subject in said.subjects if self._wanted.get(subject) != said.coins]
        if said.code != _SIGNED_BEFORE or not new:
            return said
        self._wanted |= dict.fromkeys(new, said.coins)
        raise SigningPostponed(str(said), code=_SIGNED_BEFORE, coins=tuple(said.coins))

    def wanted(self, subjects: Iterable[str]) -> set[Coin]:
        """The coins that a transaction for these must take."""
        return set[Coin]().union(*(self._wanted.get(subject, frozenset()) for subject in subjects))

    def others(self) -> set[Coin]:
        """The coins that are kept for others just now."""
        now = time.monotonic()
        self._others = {coin: until for coin, until in self._others.items() if until > now}
        return set(self._others)


async def hold_order(db: Database, order_id: str, refused: SigningRefused) -> None:
    """Stop a paid order that the signer will not sign for, and tell a person."""
    async with db.transaction() as tx:
        order = await order_rows.lock(tx, order_id)
        if order is None or order.hold is not None or order.order_state is not OrderState.PAID:
            return
        await orders.hold(tx, order_id, HELD_FOR, cause=f"{order_id}:{order.sequence}")
        await raise_alert(tx, HELD_FOR, order_id, f"{refused.code}: {refused}")


async def hold_payouts(db: Database, network: str, refused: SigningRefused) -> bool:
    """Stop the payouts because of which the signer would not sign, and tell a person; False when it was none."""
    held = False
    async with db.transaction() as tx:
        for payout_id in sorted(refused.subjects):
            payout = await payouts.lock(tx, payout_id)
            if payout is not None and payout.hold is None and payout.payout_state is PayoutState.QUEUED:
                await payouts.hold(tx, payout, HELD_FOR, cause=f"{payout.id}:{payout.sequence}")
                await raise_alert(tx, HELD_FOR, payout.id, f"{refused.code}: {refused}")
                held = True
        if not held:
            await raise_alert(tx, HELD_FOR, network, f"{refused.code}: {refused}")
    return held
