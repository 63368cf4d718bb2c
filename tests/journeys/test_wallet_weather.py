"""The hot wallet in bad weather: fees that cannot be, a chain that turns or stands still, chains of change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.ports.chain import BlockId
from app.ports.errors import ProviderUnavailable
from app.services import preparing, sends
from app.services.crediting import CreditGate
from app.services.spending import SendWaits, SpendingStopped
from providers.bitcoin.rail import BitcoinRail
from tests.journeys.test_payouts_coins import asked, funded
from tests.journeys.test_wallet import paid
from tests.support.coins import (
    alerts,
    available,
    balances,
    deposit,
    deposits_of,
    mined,
    order_of,
    reorg,
    standing_address,
    start_crediting,
)
from tests.support.paying import status
from tests.support.signing import COLD_ADDRESS
from tests.support.wallets import NETWORK, attempts, fees, sender_of
from tests.support.world import World


@pytest.mark.parametrize(
    ("estimate", "paid_rate"), [(None, 5), (1, 1), (500_000_000, 500)], ids=["nothing", "next to nothing", "100 times"]
)
async def test_fault_f_91_whatever_the_node_estimates_we_pay_within_our_bounds(
    world: World, estimate: int | None, paid_rate: int
) -> None:
    await world.fund(2)
    try:
        await fees(world, estimate=estimate)
        order = await paid(world)
    finally:
        await fees(world)
    [signed] = await attempts(world, order)
    assert paid_rate <= signed.fee / signed.vsize <= paid_rate * 1.05 + 5  # signatures may be a byte shorter
    await world.audit()


async def test_fault_f_91_above_the_absolute_cap_it_waits_and_is_never_sent(world: World) -> None:
    await world.fund(2)
    rail = world.rails.chains[NETWORK]
    assert isinstance(rail, BitcoinRail)
    rail._fees = replace(rail._fees, max_fee=500)
    order = await world.order()
    await world.pay(order)
    await world.drain("FeeCapReached")
    assert "fee_cap_reached" in await alerts(world)
    assert (await order_of(world, order))["stage"] == "conversion"
    rail._fees = replace(rail._fees, max_fee=5_000_000)
    await world.now_due()
    await world.drain()
    assert len(await attempts(world, order["id"])) == 1
    await world.audit()


async def test_fault_f_66_a_deep_reorganisation_stops_crediting_until_a_person_starts_it(world: World) -> None:
    address = await standing_address(world)
    gone = await deposit(world, address, "0.00200000", confirmations=3)
    account = await world.account(type="wallet", asset="BTC", network=NETWORK, address=COLD_ADDRESS)
    await world.fund(2)
    await asked(world, account, 150_000)  # the money leaves
    await world.drain()
    await mined(world, 1)
    await reorg(world, 6, drop=gone, calm=False)
    assert "crediting_stopped" in await alerts(world)
    late = await standing_address(world)
    await deposit(world, late, "0.00100000", confirmations=3)
    assert (await deposits_of(world))[-1]["status"] == "detected"
    await start_crediting(world)
    assert "crediting_stopped" not in await alerts(world)
    await world.follow()
    assert (await deposits_of(world))[-1]["status"] == "credited"


class Witness:
    """A second node that sees, or does not see, what the first one says."""

    def __init__(self) -> None:
        self.sees: bool | None = True
        self.asked: list[BlockId] = []

    async def has_block(self, block: BlockId) -> bool:
        """Whether it has the block; None is no answer."""
        self.asked.append(block)
        if self.sees is None:
            raise ProviderUnavailable("second", "no answer")
        return self.sees


async def test_fault_f_76_a_large_deposit_counts_once_a_second_node_sees_its_block(world: World) -> None:
    witness = Witness()
    world.worker.rules.gates = {NETWORK: CreditGate(None, witness, 150_000)}
    address = await standing_address(world)
    await deposit(world, address, "0.00150000", confirmations=3)
    assert witness.asked == []
    for answer in (False, None):
        witness.sees = answer
        if answer is False:
            await deposit(world, address, "0.00150001", confirmations=3)
        await world.follow()
        assert (await balances(world))[available(world)] == -150_000
        assert "nodes_disagree" in await alerts(world)
    witness.sees = True
    await world.follow()
    assert (await balances(world))[available(world)] == -300_001
    assert "nodes_disagree" not in await alerts(world)
    await world.audit()


async def test_fault_f_76_f_97_a_chain_that_stands_still_neither_credits_nor_sends(world: World) -> None:
    await world.fund(2)
    world.worker.rules.gates = {NETWORK: CreditGate(timedelta(hours=3))}
    sender_of(world, head_age=timedelta(hours=3))
    address = await standing_address(world)
    await deposit(world, address, "0.00150000", confirmations=1)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE blocks SET mined_at = mined_at - interval '4 hours'")
    await world.follow()
    order = await paid(world)
    assert available(world) not in await balances(world)
    assert await attempts(world, order) == []
    await world.sweep()
    assert "chain_stale" in await alerts(world)
    await mined(world, 2)
    await world.now_due()
    await world.drain()
    await world.sweep()
    assert "chain_stale" not in await alerts(world)
    assert (await balances(world))[available(world)] == -150_000
    assert len(await attempts(world, order)) == 1
    await world.audit()


async def test_fault_f_92_no_longer_chains_of_unconfirmed_change_than_allowed(world: World) -> None:
    sender_of(world, unconfirmed_depth=2, coins_wanted=1)
    account = await funded(world)
    made = []
    for _ in range(4):
        made.append(await asked(world, account, 10_000))
        await world.drain()
    assert [await status(world, payout_id) for payout_id in made] == ["submitted"] * 3 + ["queued"]
    assert "wallet_short" in await alerts(world)
    await mined(world, 1)
    await world.drain()
    await mined(world, 2)
    assert {await status(world, payout_id) for payout_id in made} == {"settled"}
    await world.audit()


def test_what_waits_is_one_family() -> None:
    """The guard treats every reason to wait alike: it tries again, and does not call it a bug."""
    kinds = (SpendingStopped, sends.WalletShort, preparing.FeeCapReached)
    assert all(issubclass(kind, SendWaits) for kind in kinds)
