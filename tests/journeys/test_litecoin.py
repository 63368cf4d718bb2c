"""Litecoin from end to end on a real litecoind: bought, sold, and taken back by the chain on the way."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.db.database import Database
from app.ports.chain import Branch
from app.services import bumps
from app.settings import LitecoinSettings, Settings
from app.wiring.secrets import write_secret
from providers.sandbox.nodes.core import running_litecoind
from tests.support.coins import deposits_of, order_of, triggers
from tests.support.core_chain import CoreChain
from tests.support.far_side import FarSide
from tests.support.opening import open_world
from tests.support.world import World

NETWORK = "litecoin"


@pytest.fixture(scope="module")
async def chain() -> AsyncIterator[CoreChain]:
    """A real chain, on which the node's own wallet is the customer's."""
    async with running_litecoind() as core:
        await core.node.ask("createwallet", "customer")
        made = CoreChain(core)
        await made.fund([str(await core.node.ask("getnewaddress", "", "bech32"))] * 3)
        yield made


@pytest.fixture
async def world(tmp_path: Path, db: Database, far_side: FarSide, chain: CoreChain) -> AsyncIterator[World]:
    """An instance that offers Litecoin too, with coins in its wallet."""
    height = await chain.node.ask("getblockcount")

    def with_litecoin(usual: Settings) -> Settings:
        litecoin = LitecoinSettings.model_validate(
            {
                "litecoin_rpc_url": chain.node.url,
                "litecoin_rpc_user": chain.node.user,
                "litecoin_rpc_password": chain.node.password,
                "litecoin_start_height": height,
            }
        )
        return usual.model_copy(update={"litecoin": litecoin})

    home = tmp_path / "home"
    write_secret(home / "secrets" / "litecoin_seed", secrets.token_hex(32))
    async with open_world(home, db, far_side.url, with_litecoin) as opened:
        rail = opened.rails.chains[NETWORK]
        wallet = {rail.new_address(Branch.RECEIVE, index).text: "5" for index in range(3)}
        await chain.node.ask("sendmany", "", wallet)
        await chain.mine()
        await opened.follow()
        yield opened


async def mined(world: World, chain: CoreChain, blocks: int) -> None:
    """Mine blocks, and do all that follows from them."""
    await chain.mine(blocks)
    await world.drain()


async def bought(world: World, chain: CoreChain) -> tuple[dict[str, object], str]:
    """An order for fifty euros' worth that is paid and sent, and the address that it goes to."""
    address = str(await chain.node.ask("getnewaddress", "", "bech32"))
    quote = await world.quote("50.00", destination={"asset": "LTC", "network": NETWORK})
    placed = await world.post("/v1/orders", {"quote_id": quote["id"], "destination": {"address": address}})
    assert placed.status_code == 201, placed.text
    order: dict[str, object] = placed.json()
    await world.pay(order)
    await world.drain()
    return order, address


async def test_a_buy_is_delivered_and_a_reorganisation_delivers_it_only_once(world: World, chain: CoreChain) -> None:
    order, address = await bought(world, chain)
    await mined(world, chain, 3)
    assert (await order_of(world, order))["stage"] == "confirmation"
    await chain.take_back(3)
    await world.drain()
    assert (await order_of(world, order))["stage"] == "confirmation"
    await mined(world, chain, 5)
    assert (await order_of(world, order))["status"] == "processing"
    await mined(world, chain, 1)
    done = await order_of(world, order)
    assert done["status"] == "completed"
    destination = done["destination"]
    assert isinstance(destination, dict)
    assert (destination["asset"], destination["network"]) == ("LTC", NETWORK)
    assert destination["delivered"] == str(await chain.node.ask("getreceivedbyaddress", address, 6))
    assert destination["confirmations"] == 6
    await world.audit()


async def test_a_waiting_send_is_replaced_and_our_coins_are_those_that_the_node_counts(
    world: World, chain: CoreChain
) -> None:
    order, _ = await bought(world, chain)
    [first] = await chain.mempool()
    async with world.db.connection() as connection:
        lineage = await connection.fetchval("SELECT lineage_id FROM sends WHERE order_id = $1", order["id"])
    assert await bumps.bump(world.db, world.worker.senders[NETWORK], lineage, estimate=60) == lineage
    [second] = await chain.mempool()
    assert second != first
    await mined(world, chain, 2)
    await chain.take_back(2)
    await world.drain()
    assert await chain.mempool() == {second}
    assert await our_coins(world) == await counted_by_the_node(world)
    await mined(world, chain, 6)
    assert (await order_of(world, order))["status"] == "completed"
    assert await chain.confirmations(second) == 6
    assert await our_coins(world) == await counted_by_the_node(world)
    await world.audit()


async def our_coins(world: World) -> int:
    """What our own rows say that the wallet holds on the chain."""
    async with world.db.connection() as connection:
        return int(
            await connection.fetchval(
                "SELECT sum(units) FROM coins WHERE network = $1 AND height IS NOT NULL AND spent_height IS NULL",
                NETWORK,
            )
        )


async def counted_by_the_node(world: World) -> int:
    """What the node's set of unspent outputs (`scantxoutset`) says that it holds."""
    async with world.db.connection() as connection:
        rows = await connection.fetch("SELECT script FROM wallet_addresses WHERE network = $1", NETWORK)
    return (await world.records.chains[NETWORK].coins([row["script"] for row in rows])).units


async def test_a_sale_counts_when_its_coins_are_six_blocks_deep(world: World, chain: CoreChain) -> None:
    quote = await world.quote(
        direction="sell",
        source={"asset": "LTC", "network": NETWORK, "amount": "0.50000000"},
        destination={"asset": "USD"},
        payment_method=None,
    )
    placed = await world.post("/v1/orders", {"quote_id": quote["id"], "external_account_id": await world.account()})
    assert placed.status_code == 201, placed.text
    order = placed.json()
    txid = await chain.node.ask("sendtoaddress", order["deposit"]["address"], "0.5")
    await world.follow()
    assert (await order_of(world, order))["stage"] == "deposit_detected"
    await mined(world, chain, 5)
    assert (await order_of(world, order))["stage"] == "deposit_detected"
    await mined(world, chain, 1)
    [deposit] = await deposits_of(world, order_id=order["id"])
    assert (deposit["status"], deposit["tx_hash"]) == ("credited", txid)
    await world.drain()
    assert (await triggers(world, order))[:3] == ["placed", "deposit_detected", "deposit_confirmed"]
    assert (await order_of(world, order))["status"] in {"processing", "completed"}
    await world.audit()


async def test_bitcoin_and_litecoin_are_sent_side_by_side(world: World, chain: CoreChain) -> None:
    await world.fund()
    bitcoin = await world.order("100.00")
    await world.pay(bitcoin)
    litecoin, _ = await bought(world, chain)
    await world.far.mine("bitcoin", 6)
    await mined(world, chain, 6)
    assert [(await order_of(world, order))["status"] for order in (bitcoin, litecoin)] == ["completed"] * 2
    assets = (await world.get("/v1/assets"))["data"]
    assert isinstance(assets, list)
    offered = {asset["id"]: asset for asset in assets}
    assert offered["LTC.litecoin"]["routable"] is True
    assert [step["confirmations"] for step in offered["LTC.litecoin"]["confirmations"]] == [6, 12, 24]
    await world.audit()


async def test_an_address_of_the_other_coin_is_refused(world: World, chain: CoreChain) -> None:
    for asset, network, address in (
        ("LTC", NETWORK, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"),
        ("BTC", "bitcoin", chain.somebody()),
    ):
        quote = await world.quote("50.00", destination={"asset": asset, "network": network})
        refused = await world.post("/v1/orders", {"quote_id": quote["id"], "destination": {"address": address}})
        assert (refused.status_code, refused.json()["code"]) == (422, "network_mismatch")
