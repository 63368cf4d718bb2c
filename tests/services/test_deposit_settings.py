"""What the operator decides about deposits: how deep they must be, and how late they may count."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from app.domain.assets import BITCOIN_DEPTH, DepthStep
from app.services.deposit_rules import DepositRules
from app.settings import BitcoinSettings, PricingSettings, Settings
from app.wiring import assembly
from tests.support.coins import deposit, deposits_of, mined, standing_address
from tests.support.world import World


@pytest.mark.parametrize("ladder", ["*:0", "100000:0,*:6", "100000:1", "nonsense", ""])
def test_fault_f_136_a_ladder_that_counts_what_is_in_no_block_is_refused(ladder: str) -> None:
    with pytest.raises(ValidationError, match="bitcoin_confirmations"):
        BitcoinSettings.model_validate({"bitcoin_confirmations": ladder})


def test_the_ladder_and_the_grace_reach_the_rules() -> None:
    settings = Settings(
        bitcoin=BitcoinSettings.model_validate({"bitcoin_confirmations": "5000:2,*:9"}),
        pricing=PricingSettings.model_validate({"deposit_grace_seconds": 60}),
    )
    policy = assembly.policy(settings)
    assert policy.ladder("bitcoin") == (DepthStep(5_000, 2), DepthStep(None, 9))
    assert policy.deposit_grace == timedelta(minutes=1)
    assert assembly.policy(Settings()).ladder("bitcoin") == BITCOIN_DEPTH


async def test_a_deposit_waits_as_deep_as_the_ladder_says(world: World) -> None:
    policy = replace(world.worker.rules.policy, ladders={"bitcoin": (DepthStep(None, 4),)})
    world.worker = replace(world.worker, rules=DepositRules(policy, world.worker.rules.board, livemode=False))
    await deposit(world, await standing_address(world), "0.00050000", confirmations=3)
    [waiting] = await deposits_of(world)
    assert (waiting["status"], waiting["confirmations"], waiting["confirmations_needed"]) == ("detected", 3, 4)
    await mined(world, 1)
    assert [one["status"] for one in await deposits_of(world)] == ["credited"]
