"""Sends on an EVM chain: signed in the signer's own way, over its socket, and held against what was asked."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from app.domain.assets import USDC_ETHEREUM
from app.domain.intent import Intent, IntentKeys
from app.ports.account_chain import FeeOffer, Transfer
from app.ports.chain import Branch
from app.signer.client import SignerClient
from app.signer.places import Folder, open_socket
from app.signer.policy import Limit, NetworkPolicy, Policy
from app.signer.program import keys_of, open_vault
from app.signer.server import Server
from bench.report import Line
from providers.evm.networks import PLAY
from providers.evm.node import Node
from providers.evm.rail import EvmRail
from providers.evm.signer import CallSigner
from providers.evm.wallet import EvmWallet
from providers.evm.watching import WatchedWallet

_SENDS, _BATCHES, _ADDRESSES = 500, 5, 5_000
_SENDS_WANTED = 200
_SEED, _KEYS = bytes(range(64)), IntentKeys([b"k" * 32])
_MOST = 10**30
_LIMIT = Limit(per_send=_MOST, per_hour=_MOST, per_day=_MOST)
_POLICY: Policy = {
    "ethereum": NetworkPolicy("31337", _MOST, {"USDC.ethereum": _LIMIT, "ETH.ethereum": _LIMIT}, frozenset())
}
_FEES = FeeOffer(20 * 10**9, 10**9)


def measure() -> list[Line]:
    """Sends one by one, batches of two hundred, and deposit addresses from the public key."""
    return asyncio.run(_measure())


async def _measure() -> list[Line]:
    wallet = EvmWallet(_SEED, PLAY)
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name))
        with open_vault(folder, keys_of(_SEED, _POLICY), _POLICY, _KEYS) as vault:
            server = Server(vault, open_socket(folder.path / "socket"))
            await server.start()
            client = SignerClient(folder.path / "socket")
            before = time.process_time()
            over_socket = await _sends(wallet, client)
            cpu_ms = (time.process_time() - before) * 1000 / _SENDS
            batches = await _batches(wallet, client)
            await client.aclose()
            await asyncio.sleep(0.05)  # the server sees that the client has gone
            await server.stop()
    alone = await _sends(wallet, wallet)
    addresses = _addresses(wallet)
    return [
        Line(
            "EVM sends signed",
            f"{over_socket:.0f}/s",
            f">= {_SENDS_WANTED}/s",
            over_socket >= _SENDS_WANTED,
            f"by the signer over its socket, {cpu_ms:.1f} ms of one core for both ends; {alone:.0f}/s by keys alone",
        ),
        Line("batches of 200 signed", f"{batches:.0f}/s", "", met=True, detail=f"{batches * 200:.0f} recipients/s"),
        Line("deposit addresses derived", f"{addresses:.0f}/s", "", met=True, detail="from the public key alone"),
    ]


def _rail(wallet: EvmWallet, signer: CallSigner) -> EvmRail:
    node = Node(httpx.AsyncClient(), "http://127.0.0.1:9", provider="ethereum", chain_id=PLAY.chain_id)
    return EvmRail(wallet=WatchedWallet(wallet.account_key), signer=signer, node=node, network=PLAY)


def _agreed(number: int) -> Transfer:
    script, subject = f"{number + 0xBEEF0000:040x}", f"or_{number}"
    seal = _KEYS.seal(subject, network="ethereum", asset=USDC_ETHEREUM.id, script=script, units=1_000_000)
    return Transfer(USDC_ETHEREUM, script, 1_000_000, Intent(subject, USDC_ETHEREUM.id, seal))


async def _sends(wallet: EvmWallet, signer: CallSigner) -> float:
    rail, transfers = _rail(wallet, signer), [_agreed(number) for number in range(_SENDS)]
    began = time.perf_counter()
    for nonce, transfer in enumerate(transfers):
        await rail.prepare([transfer], nonce=nonce, gas_limit=80_000, fees=_FEES)
    return _SENDS / (time.perf_counter() - began)


async def _batches(wallet: EvmWallet, signer: CallSigner) -> float:
    rail = _rail(wallet, signer)
    transfers = [[_agreed(200 * batch + number + _SENDS) for number in range(200)] for batch in range(_BATCHES)]
    began = time.perf_counter()
    for nonce, some in enumerate(transfers, start=_SENDS):
        await rail.prepare(some, nonce=nonce, gas_limit=8_000_000, fees=_FEES)
    return _BATCHES / (time.perf_counter() - began)


def _addresses(wallet: EvmWallet) -> float:
    watched = WatchedWallet(wallet.account_key)
    began = time.perf_counter()
    for index in range(_ADDRESSES):
        watched.address(Branch.RECEIVE, index)
    return _ADDRESSES / (time.perf_counter() - began)
