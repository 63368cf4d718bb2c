"""Wiring of Bitcoin."""

from __future__ import annotations

from pathlib import Path

import httpx

from app.settings import Settings
from app.wiring.needed import NotConfigured, needed
from providers.bitcoin.building import FeePolicy
from providers.bitcoin.networks import NETWORKS
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.records import BitcoinRecords
from providers.bitcoin.wallet import Wallet


def rail(settings: Settings, http: httpx.AsyncClient) -> BitcoinRail:
    """The adapter on our wallet and node; raises NotConfigured."""
    bitcoin = settings.bitcoin
    node = Node(
        http,
        needed(bitcoin.bitcoin_rpc_url, "BITCOIN_RPC_URL"),
        user=bitcoin.bitcoin_rpc_user,
        password=bitcoin.bitcoin_rpc_password.get_secret_value(),
    )
    fees = FeePolicy(
        floor=bitcoin.bitcoin_fee_floor, ceiling=bitcoin.bitcoin_fee_ceiling, fallback=bitcoin.bitcoin_fee_fallback
    )
    return BitcoinRail(wallet=_wallet(settings), node=node, fees=fees, start_height=bitcoin.bitcoin_start_height)


def records(settings: Settings, http: httpx.AsyncClient) -> BitcoinRecords:
    """The node's own view, for the auditor; raises NotConfigured."""
    bitcoin = settings.bitcoin
    return BitcoinRecords(
        http,
        needed(bitcoin.bitcoin_rpc_url, "BITCOIN_RPC_URL"),
        user=bitcoin.bitcoin_rpc_user,
        password=bitcoin.bitcoin_rpc_password.get_secret_value(),
        start_height=bitcoin.bitcoin_start_height,
    )


def _wallet(settings: Settings) -> Wallet:
    path: Path = settings.bitcoin.bitcoin_seed_file or settings.process.secrets / "bitcoin_seed"
    if not path.exists():
        raise NotConfigured("RAMPWRIGHT_BITCOIN_SEED_FILE names no file")
    words, network = path.read_text().strip(), NETWORKS[settings.bitcoin.bitcoin_network]
    if " " in words:
        return Wallet.from_mnemonic(words, network)
    return Wallet(bytes.fromhex(words), network)
