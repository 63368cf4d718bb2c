"""Running anvil, the Ethereum node of Foundry, with a chain that lives as long as the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from providers.sandbox.nodes.places import Program, anvil_path
from providers.sandbox.nodes.processes import RunningNode, running

CHAIN_ID: Final = 31_337


def anvil_arguments(port: int, *, chain_id: int = CHAIN_ID) -> list[str]:
    """Anvil's arguments for a node on this machine only that mines when it is told to, and then what pays most."""
    return [
        "--host=127.0.0.1",
        f"--port={port}",
        f"--chain-id={chain_id}",
        "--no-mining",
        "--order=fees",
        "--silent",
    ]


@asynccontextmanager
async def running_anvil(*extra: str, chain_id: int = CHAIN_ID) -> AsyncIterator[RunningNode]:
    """An anvil on a free port, with `extra` arguments; raises NodeMissing and NodeFailed."""

    def command_line(port: int, _: Path) -> Sequence[str]:
        return [*anvil_arguments(port, chain_id=chain_id), *extra]

    async with running(Program(anvil_path()), command_line, ready="eth_chainId") as node:
        yield node
