"""The far side's Ethereum: contracts of ours on a chain, coins for the hot wallet, and a block when one is needed."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx
import structlog

from app.db import account_chains, wallet
from app.db.database import Database
from app.dev.home import DevError
from providers.evm.calls import Call
from providers.evm.networks import PLAY
from providers.evm.play import PlayChain

log = structlog.get_logger(__name__)

NETWORK: Final = "ethereum"
_FIRST_ETHER: Final = 100 * 10**18
_FIRST_USDC: Final = 1_000_000 * 10**6
_BLOCK_SECONDS: Final = 1.0
_START_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1


async def set_up(http: httpx.AsyncClient, url: str) -> None:
    """Put the contracts on a chain that has none; raises DevError when there is no chain, or another one."""
    play = PlayChain(http, url)
    async with asyncio.timeout(_START_SECONDS):
        while True:
            try:
                height = await play.height()
                break
            except httpx.HTTPError:
                await asyncio.sleep(_LOOK_SECONDS)
    [token] = PLAY.tokens
    if height == 0 and await play.deploy() != token.contract:
        raise DevError("TestUSDC came to stand elsewhere than the settings say.")


async def fund(db: Database, http: httpx.AsyncClient, url: str) -> bool:
    """Give a hot wallet that holds nothing its first coins; the follower books them. False when it has some."""
    play = PlayChain(http, url)
    script = await _hot_wallet(db)
    if int(str(await play.ask("eth_getBalance", f"0x{script}", "latest")), 16):
        return False
    [token] = PLAY.tokens
    await play.send(Call(script, _FIRST_ETHER, b""))
    await play.pay_token(token.contract, script, _FIRST_USDC)
    return True


async def _hot_wallet(db: Database) -> str:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            async with db.connection() as connection:
                found = await wallet.addresses(connection, NETWORK, "funding")
            if found:
                return found[0].script
            await asyncio.sleep(_LOOK_SECONDS)  # the worker makes it when it starts


async def mine_while_awaited(db: Database, http: httpx.AsyncClient, url: str) -> None:
    """A block every second while something of ours waits to be mined, or to be final; else the chain stands still."""
    play = PlayChain(http, url)
    while True:
        await asyncio.sleep(_BLOCK_SECONDS)
        try:
            async with db.connection() as connection:
                awaited = await account_chains.awaits_block(connection, NETWORK)
            if awaited:
                await play.mine()
        except Exception as error:
            log.warning("dev.not_mined", network=NETWORK, error=f"{type(error).__name__}: {error}")
