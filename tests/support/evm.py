"""An instance with an EVM chain: anvil as its far side, with our contracts on it and a hot wallet that holds coins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx

from app.audit import audit
from app.db.database import Database
from app.domain.assets import USDC_ETHEREUM
from app.ports.account_chain import AccountChain
from app.services.evm_calls import AccountSender
from app.settings import EvmSettings, Settings
from app.worker import mind_calls, sweep_deposits
from providers.evm.calls import Call, view
from providers.evm.networks import PLAY
from providers.evm.play import PlayChain
from providers.sandbox.nodes.anvil import running_anvil
from tests.support.opening import open_world
from tests.support.world import World

Document = dict[str, object]
GWEI = 10**9
USDC = 10**6
ETHER = 10**18
CUSTOMER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
CUSTOMER_SCRIPT = CUSTOMER[2:].lower()
OTHER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
BLACKLISTED = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"


@dataclass(slots=True)
class EvmWorld:
    """A whole instance, and the chain beside it."""

    world: World
    play: PlayChain
    usdc: str

    @property
    def chain(self) -> AccountChain:
        """The instance's adapter."""
        return self.world.rails.account_chains["ethereum"]

    @property
    def sender(self) -> AccountSender:
        """The instance's way out."""
        return self.world.worker.account_senders["ethereum"]

    @property
    def db(self) -> Database:
        """The instance's database."""
        return self.world.db

    async def mine(self, blocks: int = 1) -> None:
        """Mine, and let the instance see it."""
        await self.play.mine(blocks)
        await self.world.follow()

    async def final(self) -> None:
        """Mine what waits and make it final: anvil says so of what lies two blocks deep here."""
        await self.mine(3)
        await self.world.drain()

    async def usdc_of(self, address: str) -> int:
        """What an address holds, as the chain has it now."""
        data = f"0x70a08231{address.removeprefix('0x').lower():0>64}"
        answer = await self.play.ask("eth_call", {"to": f"0x{self.usdc}", "data": data}, "latest")
        return int(str(answer), 16)

    async def deposit(self, address: object, units: int) -> str:
        """Pay USDC to an address of ours, in a block; the transaction's hash."""
        return await self.play.pay_token(self.usdc, str(address).removeprefix("0x").lower(), units)

    async def blacklist(self, address: str) -> None:
        """Have the token's issuer stop an address."""
        await self.play.token(self.usdc, b"blacklist(address)", address.removeprefix("0x").lower())

    async def violated(self) -> list[str]:
        """The invariants that do not hold."""
        return (await audit(self.db, self.world.records, wait_seconds=5.0)).violated

    async def audit(self) -> None:
        """The books are right, inside and against the node."""
        report = await audit(self.db, self.world.records, wait_seconds=5.0)
        assert report.clean, report.text()

    async def order(self, address: str = CUSTOMER, *, asset: str = "USDC", amount: str = "100.00") -> Document:
        """A buy order that is paid, with nothing done about it yet."""
        wanted = {"asset": asset, "network": "ethereum"}
        quote = await self.world.quote(amount, destination=wanted)
        body = {"quote_id": quote["id"], "destination": {"address": address}}
        response = await self.world.post("/v1/orders", body)
        assert response.status_code == 201, response.text
        order: Document = response.json()
        await self.world.pay(order)
        return order

    async def waits(self, order: Document, *tolerated: str) -> None:
        """The order is paid, and its coins cannot be sent for one of the `tolerated` reasons."""
        for _ in range(200):
            await self.world.drain(*tolerated)
            async with self.db.connection() as connection:
                state = await connection.fetchval("SELECT state FROM orders WHERE id = $1", order["id"])
            if state == "paid":
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it was never paid")

    @contextmanager
    def halted(self) -> Iterator[None]:
        """While this lasts the chain counts as one that stands still, from the next look at it on."""
        usual = self.sender.rules
        self.sender.rules = replace(usual, stale_after=timedelta(microseconds=1))
        yield
        self.sender.rules = usual

    async def shown(self, order: Document) -> Document:
        """The order as it stands."""
        return await self.world.get(f"/v1/orders/{order['id']}")

    async def calls(self, order: Document) -> list[asyncpg.Record]:
        """The attempts at an order's call, oldest first."""
        async with self.db.connection() as connection:
            found: list[asyncpg.Record] = await connection.fetch(
                """
                SELECT calls.state, nonce, call_attempts.* FROM sends JOIN calls ON calls.id = lineage_id
                JOIN call_attempts ON call_id = calls.id WHERE order_id = $1 ORDER BY call_attempts.created_at
                """,
                order["id"],
            )
        return found

    async def mind(self, *, hours: int = 0) -> None:
        """Look after what is signed and in no block, as if so much time had passed."""
        async with self.db.transaction() as tx:
            await tx.execute(
                """
                UPDATE call_attempts SET created_at = created_at - $1::interval,
                                         broadcast_at = broadcast_at - $1::interval
                """,
                timedelta(hours=hours),
            )
        await mind_calls(self.world.worker)
        await self.world.drain()

    async def health(self) -> object:
        """How `GET /v1/providers` calls the chain."""
        data = (await self.world.get("/v1/providers"))["data"]
        assert isinstance(data, list)
        [status] = [one["status"] for one in data if (one["kind"], one["name"]) == ("chain", "ethereum")]
        return status

    async def alerts(self) -> list[str]:
        """The kinds of the open alerts; they are closed."""
        async with self.db.transaction() as tx:
            found = await tx.fetch("SELECT DISTINCT kind FROM alerts WHERE resolved_at IS NULL ORDER BY kind")
            await tx.execute("UPDATE alerts SET resolved_at = now() WHERE resolved_at IS NULL")
        return [record["kind"] for record in found]

    def token_call(self, signature: bytes, address: str) -> Call:
        """A call of a token's function about an address."""
        return Call(self.usdc, 0, view(signature, address[2:].lower()))

    async def swept(self) -> None:
        """Nothing is left on deposit addresses that would be swept."""
        while await self.sweep():
            await self.final()

    async def sweep(self) -> int:
        """Sweep deposit addresses; how many were begun."""
        return await sweep_deposits(self.world.worker)

    async def rush(self, call: Call) -> None:
        """Have the issuer send a call that goes before everything else that waits."""
        said = {
            "from": f"0x{await self.play.issuer()}",
            "to": f"0x{call.target}",
            "data": f"0x{call.data.hex()}",
            "gas": hex(500_000),
            "maxFeePerGas": hex(900 * GWEI),
            "maxPriorityFeePerGas": hex(900 * GWEI),
        }
        await self.play.ask("eth_sendTransaction", said)


def _with_evm(url: str, **changes: object) -> EvmSettings:
    chain = {
        "chain": "anvil",
        "rpc_url": url,
        "sweep_from": {USDC_ETHEREUM.id: 50 * USDC, "ETH.ethereum": ETHER // 10},
        **changes,
    }
    return EvmSettings.model_validate({"evm_chains": {"ethereum": chain}})


@asynccontextmanager
async def open_evm_world(home: Path, db: Database, far_url: str, **changes: object) -> AsyncIterator[EvmWorld]:
    """An anvil of its own, and an instance that is on it; `changes` are settings of the chain."""
    async with running_anvil("--slots-in-an-epoch=1") as node, httpx.AsyncClient(trust_env=False, verify=False) as http:
        play = PlayChain(http, node.url)
        usdc = await play.deploy()
        assert usdc == PLAY.tokens[0].contract, usdc

        def with_chain(settings: Settings) -> Settings:
            # Two currencies are enough here: each pair more is one more to be asked for.
            pricing = settings.pricing.model_copy(update={"fiat": ("EUR", "USD")})
            more = {"evm": _with_evm(node.url, **changes), "pricing": pricing}
            return settings.model_copy(update=more)

        async with open_world(home, db, far_url, with_chain) as world:
            evm = EvmWorld(world, play, usdc)
            await play.send(Call(evm.chain.hot.script, 10 * ETHER, b""))
            await play.pay_token(usdc, evm.chain.hot.script, 100_000 * USDC)
            await world.follow()
            yield evm
