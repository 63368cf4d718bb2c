"""Running litecoind or bitcoind on a regtest chain of its own: the real thing, where the sandbox only plays one."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from providers.sandbox.nodes.places import bitcoind_program, litecoind_program
from providers.sandbox.nodes.processes import RunningNode, running

_USER: Final = "rampwright"
_COMMON: Final = (
    "-regtest",
    "-server",
    "-listen=0",
    "-discover=0",
    "-dnsseed=0",
    "-txindex=1",
    "-fallbackfee=0.0002",
    "-keypool=8",  # a wallet of the node's own is there at once
    "-printtoconsole=0",
    "-rpcbind=127.0.0.1",
    "-rpcallowip=127.0.0.1",
    f"-rpcuser={_USER}",
)
# Litecoin does not replace transactions unless told to.
_LITECOIN: Final = ("-mempoolreplacement=1",)
# Extension blocks (MWEB) put a transaction that pays nobody into every block from height 432 on; so they never begin.
_NO_EXTENSION_BLOCKS: Final = ("-vbparams=mweb:4000000000:4000000001",)


@dataclass(frozen=True, slots=True)
class CoreNode:
    """A node like Bitcoin Core, and the human-readable part of its addresses: `rltc` or `bcrt`."""

    node: RunningNode
    hrp: str


@asynccontextmanager
async def running_litecoind(*, extension_blocks: bool = False) -> AsyncIterator[CoreNode]:
    """A litecoind on a free port, as a rule without extension blocks; raises NodeMissing and NodeFailed."""
    password, own = secrets.token_hex(16), _LITECOIN if extension_blocks else (*_LITECOIN, *_NO_EXTENSION_BLOCKS)

    def command_line(port: int, folder: Path) -> Sequence[str]:
        return [*_COMMON, *own, f"-datadir={folder}", f"-rpcport={port}", f"-rpcpassword={password}"]

    async with running(litecoind_program(), command_line, ready="getblockcount", user=_USER, password=password) as node:
        yield CoreNode(node, "rltc")


@asynccontextmanager
async def running_core() -> AsyncIterator[CoreNode]:
    """The bitcoind that BITCOIND names, else a litecoind; raises NodeMissing and NodeFailed."""
    program, password = bitcoind_program(), secrets.token_hex(16)
    if program is None:
        async with running_litecoind() as node:
            yield node
        return

    def command_line(port: int, folder: Path) -> Sequence[str]:
        return [*_COMMON, f"-datadir={folder}", f"-rpcport={port}", f"-rpcpassword={password}"]

    async with running(program, command_line, ready="getblockcount", user=_USER, password=password) as bitcoind:
        yield CoreNode(bitcoind, "bcrt")
