"""/control/bitcoin: the faucet, the miner, and the chain's accidents."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from providers.sandbox.bitcoin.errors import RpcError
from providers.sandbox.bitcoin.node import DEFAULT_FEE_RATE, Node


@dataclass(slots=True)
class Miner:
    """Whether the mining loop runs. A pause ends with the process."""

    paused: bool = False


class Body(BaseModel):
    """A request body that knows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Payment(Body):
    """Coins for an address, in satoshi."""

    address: str
    amount: int = Field(ge=546, le=21_000_000 * 10**8)


class Fund(Body):
    """Pay from the faucet; `mine` waits until all of it is confirmed."""

    outputs: list[Payment] = Field(min_length=1, max_length=20_000)
    mine: bool = True


class Mine(Body):
    """Mine blocks now; with `even_paused` false only while the miner is not told to pause."""

    blocks: int = Field(default=1, ge=1, le=1000)
    even_paused: bool = True


class Reorg(Body):
    """Replace the newest blocks by one more empty ones."""

    depth: int = Field(ge=1, le=100)


class Drop(Body):
    """Forget a waiting transaction."""

    txid: str


class Mining(Body):
    """Stop the mining loop, or let it run again."""

    paused: bool


class Fees(Body):
    """In satoshi per 1,000 virtual bytes: what `estimatesmartfee` says (null: nothing), and what the miner asks for."""

    estimate: int | None = Field(default=DEFAULT_FEE_RATE, ge=1)
    least_mined: int = Field(default=0, ge=0)


def router(node: Node, miner: Miner) -> APIRouter:
    """The controls of the node."""
    routes = APIRouter(prefix="/control/bitcoin")

    @routes.post("/fund")
    async def fund(body: Fund) -> dict[str, list[str]]:
        outputs: list[tuple[str | bytes, int]] = [(payment.address, payment.amount) for payment in body.outputs]
        try:
            return {"txids": node.fund(outputs) if body.mine else node.pay(outputs)}
        except RpcError as error:
            raise _refused(error) from None

    @routes.post("/mine")
    async def mine(body: Mine) -> dict[str, list[str]]:
        return {"blocks": [] if miner.paused and not body.even_paused else node.mine(body.blocks)}

    @routes.post("/reorg")
    async def reorg(body: Reorg) -> dict[str, list[str]]:
        try:
            return {"blocks": node.reorg(body.depth)}
        except RpcError as error:
            raise _refused(error) from None

    @routes.post("/drop")
    async def drop(body: Drop) -> dict[str, str]:
        node.drop_from_mempool(body.txid)
        return {"txid": body.txid}

    @routes.put("/fees")
    async def fees(body: Fees) -> dict[str, int | None]:
        node.fee_rate, node.least_mined = body.estimate, body.least_mined
        return body.model_dump()

    @routes.put("/mining")
    async def mining(body: Mining) -> dict[str, bool]:
        miner.paused = body.paused
        return {"paused": miner.paused}

    return routes


def _refused(error: RpcError) -> HTTPException:
    return HTTPException(400, {"code": error.code, "message": error.message})
