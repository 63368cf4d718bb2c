"""Bitcoin's adapter keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from providers.bitcoin.encoding import encode_segwit
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.contracts.chain import ChainContract, ChainHarness
from providers.sandbox.bitcoin.node import Node as SandboxNode
from providers.sandbox.bitcoin.rpc import router
from tests.providers.bitcoin.samples import regtest_wallet


class BitcoinHarness(ChainHarness):
    """The adapter with a regtest chain whose verdicts are those of Bitcoin Core's code."""

    stranger = encode_segwit("bcrt", 0, b"\x03" * 20)

    def __init__(self, rail: BitcoinRail, chain: SandboxNode) -> None:
        self.rail, self._chain = rail, chain

    async def fund(self, script: str, units: int) -> None:
        self._chain.fund([(bytes.fromhex(script), units)])

    async def mine(self, blocks: int = 1) -> None:
        self._chain.mine(blocks)

    async def reorganise(self, depth: int) -> None:
        self._chain.reorg(depth)


class TestBitcoin(ChainContract):
    @pytest.fixture
    async def harness(self, tmp_path: Path) -> AsyncIterator[BitcoinHarness]:
        far = SandboxNode.open(tmp_path / "chain")
        app = FastAPI()
        app.include_router(router(far, "user", "password"), prefix="/bitcoin")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), trust_env=False) as client:
            node = Node(client, "http://sandbox/bitcoin", user="user", password="password")
            yield BitcoinHarness(BitcoinRail(wallet=(wallet := regtest_wallet()), signer=wallet, node=node), far)
        far.close()
