"""A node as a child process: started on a free port with data of its own, asked over JSON-RPC, ended by its pid."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import json
import os
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Final

import httpx

from providers.sandbox.nodes.places import Program

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.02
_ANSWER_SECONDS: Final = 60.0
_TRIES: Final = 3  # another program may take the free port before the node does
_PR_SET_PDEATHSIG: Final = 1  # <sys/prctl.h>

CommandLine = Callable[[int, Path], Sequence[str]]


class NodeFailed(RuntimeError):
    """The node did not start, or answered with an error."""


class RunningNode:
    """A node that runs, and how to reach it."""

    def __init__(self, http: httpx.AsyncClient, url: str, pid: int, *, user: str, password: str) -> None:
        """Use the given client, which is closed before the node is stopped."""
        self._http = http
        self._ids = itertools.count(1)
        self.url = url
        self.pid = pid
        self.user = user
        self.password = password

    async def ask(self, method: str, *params: object) -> object:
        """The result of one JSON-RPC call, amounts as Decimal; raises NodeFailed with the node's own error."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        response = await self._http.post(self.url, json=body)
        answer: dict[str, object] = json.loads(response.content, parse_float=Decimal)
        if answer.get("error") is not None:
            raise NodeFailed(f"{method}: {answer['error']}")
        return answer["result"]


@asynccontextmanager
async def running(
    program: Program, command_line: CommandLine, *, ready: str, user: str = "", password: str = ""
) -> AsyncIterator[RunningNode]:
    """Run a node until the block ends; `command_line` is given the port and the folder for its data.

    It is running when it answers the method `ready`. Raises NodeFailed when it does not. Close your own connections
    to it before you leave: a node like Bitcoin Core waits for them.
    """
    for left in reversed(range(_TRIES)):
        with tempfile.TemporaryDirectory(prefix="rampwright-node-", ignore_cleanup_errors=True) as folder:
            process = await _start(program, command_line(port := _free_port(), Path(folder)), Path(folder))
            talk = asyncio.create_task(process.communicate())  # a node whose words nobody reads stands still
            try:
                async with _client(user, password) as http:
                    node = RunningNode(http, f"http://127.0.0.1:{port}", process.pid, user=user, password=password)
                    if await _answers(node, process, ready):
                        yield node
                        return
            finally:
                said = await _stop(process, talk)
        if left == 0:
            raise NodeFailed(f"{program.path} does not start: {said[-500:]}")


def _client(user: str, password: str) -> httpx.AsyncClient:
    auth = httpx.BasicAuth(user, password) if user else None
    return httpx.AsyncClient(auth=auth, trust_env=False, verify=False, timeout=_ANSWER_SECONDS)  # noqa: S501 - no TLS


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _start(program: Program, arguments: Sequence[str], folder: Path) -> Process:
    # HOME is the node's own folder: nothing of the caller's is read, and nothing left there.
    environment = {**os.environ, **program.environment, "HOME": str(folder)}
    return await asyncio.create_subprocess_exec(
        program.path,
        *arguments,
        env=environment,
        cwd=folder,
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        preexec_fn=_die_with_parent(),
    )


async def _answers(node: RunningNode, process: Process, ready: str) -> bool:
    """Whether the node answers before it ends; raises NodeFailed when it does neither for too long."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _START_SECONDS
    while process.returncode is None and loop.time() < deadline:
        with suppress(httpx.HTTPError, NodeFailed, ValueError):
            await node.ask(ready)
            return True
        await asyncio.sleep(_LOOK_SECONDS)
    return False


async def _stop(process: Process, talk: asyncio.Task[tuple[bytes, bytes]]) -> str:
    """End the process, by force when it takes too long; what it said on its standard error."""
    if process.returncode is None:
        process.terminate()
    try:
        _, said = await asyncio.wait_for(asyncio.shield(talk), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        _, said = await talk
    return said.decode(errors="replace").strip()


def _die_with_parent() -> Callable[[], None] | None:
    """What the child runs before its program, so that it ends when we are killed; None where only Linux could."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:
            os._exit(1)

    return ask
