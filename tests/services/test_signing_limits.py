"""What the signer lets leave in an hour is less than what waits: a part of it goes, and the rest waits for its turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.db.database import Database
from app.ports.errors import SigningPostponed
from app.services import payout_sends
from app.signer.policy import DEVELOPMENT, Limit
from tests.journeys.test_payouts_coins import asked, funded
from tests.support.far_side import FarSide
from tests.support.opening import open_world
from tests.support.paying import shown
from tests.support.wallets import attempts, sender_of
from tests.support.world import World

EACH = 10_000
# Two of them and their transaction's fee, and not three.
HOURLY = Limit(per_send=10**9, per_hour=29_000, per_day=10**9)


@pytest.fixture
async def world(tmp_path: Path, db: Database, far_side: FarSide) -> AsyncIterator[World]:
    """An instance whose signer lets little leave."""
    policy = {**DEVELOPMENT, "bitcoin": replace(DEVELOPMENT["bitcoin"], limits={"BTC.bitcoin": HOURLY})}
    async with open_world(tmp_path / "home", db, far_side.url, policy=policy) as opened:
        yield opened


async def test_fault_f_95_as_many_payouts_go_as_the_signer_allows(world: World) -> None:
    account = await funded(world)
    made = [await asked(world, account, EACH) for _ in range(4)]
    sender = sender_of(world)
    await payout_sends.send_waiting(world.db, sender)
    [signed] = {one.txid for payout in made for one in await attempts(world, payout)}
    assert [(await shown(world, payout))["status"] for payout in made].count("submitted") == 2
    for _ in range(2):  # those that are left wait; what is under way is let be
        with pytest.raises(SigningPostponed) as said:
            await payout_sends.send_waiting(world.db, sender)
        assert said.value.code == "limit_hour"
    states = [(await shown(world, payout))["status"] for payout in made]
    assert sorted(map(str, states)) == ["queued", "queued", "submitted", "submitted"]
    assert [one.txid for payout in made for one in await attempts(world, payout)] == [signed, signed]
    await world.audit()
