"""Wiring of Bitcoin, and of Litecoin where its node is named: the same adapter on another network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import httpx

from app.settings import Settings
from app.wiring.needed import needed
from app.wiring.signing import Signing
from providers.bitcoin.building import FeePolicy
from providers.bitcoin.networks import LITECOIN_NETWORKS, NETWORKS, BitcoinNetwork
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.records import BitcoinRecords

_MOST_LITECOIN_FEE: Final = 100_000_000  # litoshi: one coin


@dataclass(frozen=True, slots=True)
class CoinChain:
    """One chain as the settings have it: its node, and what we pay miners."""

    network: BitcoinNetwork
    rpc_url: str
    rpc_user: str
    rpc_password: str
    start_height: int
    fees: FeePolicy

    @property
    def name(self) -> str:
        """The network's name in the catalogue."""
        return self.network.catalogue


def chains(settings: Settings) -> list[CoinChain]:
    """Bitcoin, and Litecoin where its node is named; raises NotConfigured."""
    found = [_bitcoin(settings)]
    if settings.litecoin.litecoin_rpc_url is not None:
        found.append(_litecoin(settings, settings.litecoin.litecoin_rpc_url))
    return found


def rail(chain: CoinChain, http: httpx.AsyncClient, signing: Signing) -> BitcoinRail:
    """The adapter on our wallet and node; raises NotConfigured."""
    node = Node(http, chain.rpc_url, user=chain.rpc_user, password=chain.rpc_password, provider=chain.name)
    return BitcoinRail(
        wallet=signing.wallet(chain.network),
        signer=signing.signer(chain.name),
        node=node,
        fees=chain.fees,
        start_height=chain.start_height,
    )


def records(chain: CoinChain, http: httpx.AsyncClient) -> BitcoinRecords:
    """The node's own view, for the auditor."""
    return BitcoinRecords(
        http,
        chain.rpc_url,
        user=chain.rpc_user,
        password=chain.rpc_password,
        provider=chain.name,
        start_height=chain.start_height,
    )


def _bitcoin(settings: Settings) -> CoinChain:
    bitcoin = settings.bitcoin
    return CoinChain(
        NETWORKS[bitcoin.bitcoin_network],
        needed(bitcoin.bitcoin_rpc_url, "BITCOIN_RPC_URL"),
        bitcoin.bitcoin_rpc_user,
        bitcoin.bitcoin_rpc_password.get_secret_value(),
        bitcoin.bitcoin_start_height,
        FeePolicy(
            floor=bitcoin.bitcoin_fee_floor,
            ceiling=bitcoin.bitcoin_fee_ceiling,
            fallback=bitcoin.bitcoin_fee_fallback,
            max_fee=bitcoin.bitcoin_fee_cap,
        ),
    )


def _litecoin(settings: Settings, rpc_url: str) -> CoinChain:
    litecoin = settings.litecoin
    return CoinChain(
        LITECOIN_NETWORKS[litecoin.litecoin_network],
        rpc_url,
        litecoin.litecoin_rpc_user,
        litecoin.litecoin_rpc_password.get_secret_value(),
        litecoin.litecoin_start_height,
        FeePolicy(
            floor=litecoin.litecoin_fee_floor,
            ceiling=litecoin.litecoin_fee_ceiling,
            fallback=litecoin.litecoin_fee_fallback,
            max_fee=_MOST_LITECOIN_FEE,
        ),
    )
