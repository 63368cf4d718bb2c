"""A node of its own for every test, and its JSON-RPC as a client sees it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

import providers.bitcoin.wallet  # noqa: F401  (contains bitcoinlib, which writes to the home folder when it is imported)
from providers.sandbox.bitcoin.node import Node
from providers.sandbox.bitcoin.rpc import router
from tests.providers.sandbox.bitcoin.client import AUTH, Client


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the node keeps its files; nothing is there yet."""
    return tmp_path / "far-side"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain just after its set-up, to be copied."""
    home = tmp_path_factory.mktemp("bitcoin") / "prepared"
    Node.open(home).close()
    return home


@pytest.fixture
def node(home: Path, prepared: Path) -> Iterator[Node]:
    """A chain of 250 blocks with a faucet that can pay."""
    shutil.copytree(prepared, home)
    node = Node.open(home)
    yield node
    node.close()


@pytest.fixture
async def rpc(node: Node) -> AsyncIterator[Client]:
    """The node over HTTP."""
    app = FastAPI()
    app.include_router(router(node, *AUTH), prefix="/bitcoin")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node", auth=AUTH) as http:
        yield Client(http)
