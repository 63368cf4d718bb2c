"""The auditor beside a running instance, with nobody's records made up."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx

from app.audit import audit
from app.domain.assets import BTC
from app.domain.intent import Intent
from app.ports.chain import Branch, ChainTransaction, CoinInput, Recipient
from app.ports.records import ChainCoins, FarSide
from app.wiring.secrets import intent_keys
from tests.support.world import CUSTOMER_ADDRESS, World


async def charge_again(world: World, order_id: str) -> None:
    """Charge an order once more at Stripe, past our program."""
    body = {
        "amount": "10000",
        "currency": "eur",
        "confirm": "true",
        "payment_method": "pm_card_visa",
        "metadata[order_id]": order_id,
    }
    async with httpx.AsyncClient(auth=(world.stripe_key, "")) as http:
        response = await http.post(f"{world.far_url}/stripe/v1/payment_intents", data=body)
    assert response.json()["status"] == "succeeded", response.text


async def spend_elsewhere(world: World) -> None:
    """Have the signer spend a coin past our program, as one may who has got hold of the key of the seals."""
    rail = world.rails.chains["bitcoin"]
    async with world.db.connection() as connection:
        coin = await connection.fetchrow(
            "SELECT txid, vout, units, branch, index FROM coins JOIN wallet_addresses USING (network, script)"
            " WHERE spent_txid IS NULL AND lineage_id IS NULL LIMIT 1"
        )
    assert coin is not None
    spent = CoinInput(coin["txid"], coin["vout"], int(coin["units"]), Branch(coin["branch"]), coin["index"])
    script, units = rail.parse(CUSTOMER_ADDRESS).script, 200_000
    seal = intent_keys(world.settings).seal("or_x", network="bitcoin", asset=BTC.id, script=script, units=units)
    thief = Recipient(script, units, Intent("or_x", BTC.id, seal))
    signed = await rail.prepare([spent], [thief], rail.new_address(Branch.CHANGE, 0), fee_rate=5)
    await rail.broadcast(signed.raw)
    await world.far.mine("bitcoin", 1)


async def test_a_running_instance_that_is_robbed(world: World) -> None:
    """The same with real records from end to end: first all is well, then two things happen past our program."""

    async def violated(far: FarSide) -> list[str]:
        report = await audit(world.db, far, wait_seconds=0.3, grace=timedelta(0))
        return report.violated

    far = world.records
    await world.fund(2, 1_000_000)
    order = await world.order()
    await world.pay(order)
    await world.drain()
    await world.far.mine("bitcoin", 6)
    assert await violated(far) == ["X-3"]  # our follower has not seen the blocks, and does not in time
    await world.drain()
    assert await violated(far) == []
    await charge_again(world, str(order["id"]))
    assert await violated(far) == ["X-1", "X-4", "X-8"]
    await spend_elsewhere(world)
    await world.drain()
    assert await violated(far) == ["R-30", "R-32", "X-2", "X-3", "X-1", "X-4", "X-8"]


async def test_the_chain_is_waited_for(world: World) -> None:
    """Blocks that come while the auditor reads delay it; they do not make it cry wolf."""
    far = world.records
    node = far.chains["bitcoin"]
    await world.fund(1, 1_000_000)

    @dataclass(slots=True)
    class Moving:
        """A node that finds a block whenever it has been asked, twice."""

        left: int = 2

        async def coins(self, scripts: Sequence[str]) -> ChainCoins:
            if self.left:
                self.left -= 1
                await world.far.mine("bitcoin", 1)
                return await self._then(node.coins(scripts))
            return await node.coins(scripts)

        async def _then(self, answer: Awaitable[ChainCoins]) -> ChainCoins:
            found = await answer
            await world.drain()  # our follower catches up, after the snapshot
            return found

        async def history(self, scripts: Sequence[str], tip: object) -> tuple[ChainTransaction, ...]:
            assert tip == (await node.coins(scripts)).at
            return await node.history(scripts, (await node.coins(scripts)).at)

    moving = Moving()
    report = await audit(world.db, replace(far, chains={"bitcoin": moving}))
    assert report.clean, report.text()
    assert moving.left == 0
