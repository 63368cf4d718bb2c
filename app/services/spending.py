"""Spending: asked inside every transaction that signs, whether these coins may leave by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.db import spending as spending_rows
from app.db.database import Transaction
from app.domain.money import Money
from app.domain.spending import HELD_FOR, Refusal, SpendingLimits, Spent, judge

_NOTHING = Spent()


class SendWaits(RuntimeError):
    """Coins cannot leave just now; later they may."""


class SpendingStopped(SendWaits):
    """A person has stopped the chain: nothing is signed or handed over until one starts it again."""


class SpendingRefused(RuntimeError):
    """More than may leave without a person's word; `reason` says which rule."""

    def __init__(self, reason: Refusal, subject: str) -> None:
        """`subject` is the order or payout that was refused."""
        super().__init__(f"{subject}: {reason}")
        self.reason = reason
        self.subject = subject


class Leaving(Protocol):
    """What one recipient is to get, for an order or for a payout."""

    @property
    def address(self) -> str:
        """Where the coins go."""
        ...

    @property
    def amount(self) -> Money:
        """How many of them."""
        ...

    @property
    def order_id(self) -> str | None:
        """The order that they deliver."""
        ...

    @property
    def payout_id(self) -> str | None:
        """The payout that they are."""
        ...


async def check(tx: Transaction, network: str, outgoing: Sequence[Leaving]) -> None:
    """Let these leave, and count them. To be called with their rows locked, before anything is signed.

    Raises SpendingStopped, or SpendingRefused for the first that may not leave; then nothing was written, and the
    caller holds it for `HELD_FOR`. One that was held so before, and is held no longer, was released by a person.
    """
    for one, refusal in zip(outgoing, await refusals(tx, network, outgoing), strict=True):
        if refusal is not None:
            raise SpendingRefused(refusal, _subject(one))
    await count(tx, network, outgoing)


async def require_started(tx: Transaction, network: str) -> None:
    """Raise SpendingStopped when a person has stopped the chain. The switch cannot turn before `tx` ends."""
    if not await spending_rows.may_send(tx, network):
        raise SpendingStopped(f"{network} is stopped")


async def refusals(tx: Transaction, network: str, outgoing: Sequence[Leaving]) -> list[Refusal | None]:
    """Why each may not leave, None for those that may; nothing is counted. Raises SpendingStopped."""
    await require_started(tx, network)
    found: dict[int, Refusal | None] = {}
    for asset in sorted({one.amount.asset.id for one in outgoing}):
        places = [place for place, one in enumerate(outgoing) if one.amount.asset.id == asset]
        judged = await _judge(tx, asset, [outgoing[place] for place in places])
        found |= dict(zip(places, judged, strict=True))
    return [found[place] for place in range(len(outgoing))]


async def _judge(tx: Transaction, asset: str, outgoing: Sequence[Leaving]) -> list[Refusal | None]:
    limits = await spending_rows.limits_of(tx, asset)
    wanted = [(one.address, one.amount.units) for one in outgoing]
    needs_sums = limits is not None and limits.has_window
    spent = await spending_rows.spent(tx, asset, [one.address for one in outgoing]) if needs_sums else _NOTHING
    first = judge(wanted, limits, spent, [False] * len(outgoing))
    refused = [_subject(one) for one, refusal in zip(outgoing, first, strict=True) if refusal is not None]
    if not refused:
        return first
    let_go = await spending_rows.released(tx, refused, HELD_FOR)
    return judge(wanted, limits, spent, [_subject(one) in let_go for one in outgoing])


async def count(tx: Transaction, network: str, outgoing: Sequence[Leaving]) -> None:
    """Write what is let go, so that the rolling windows know of it."""
    if outgoing:
        rows = [(one.amount.asset.id, one.address, one.amount.units, _subject(one)) for one in outgoing]
        await spending_rows.record(tx, network, rows)


async def configure(
    tx: Transaction, networks: Sequence[str], limits: Mapping[str, SpendingLimits], *, assets: Sequence[str] = ()
) -> None:
    """Let the operator's settings count from now on. `assets` are those that may leave although no limit is set."""
    await spending_rows.add_switches(tx, networks)
    await spending_rows.set_limits(tx, {asset: SpendingLimits() for asset in assets} | dict(limits))


def _subject(one: Leaving) -> str:
    subject = one.order_id or one.payout_id
    assert subject is not None  # noqa: S101 - coins leave for an order or a payout
    return subject
