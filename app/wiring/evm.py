"""Wiring of the EVM networks that the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import httpx

from app.domain.gas import GasLimits
from app.ports.account_chain import AccountReader
from app.ports.errors import ProviderUnavailable
from app.ports.screening import SenderLookup
from app.services.evm_calls import CallRules
from app.settings import EvmChain, Settings
from app.wiring.needed import NotConfigured
from app.wiring.signing import Signing
from providers.evm.building import GasPolicy
from providers.evm.encoding import address_text
from providers.evm.networks import NETWORKS, PLAY, EvmNetwork
from providers.evm.node import Node
from providers.evm.rail import EvmRail
from providers.evm.reading import Reader
from providers.evm.watching import WatchedWallet

_LIVE_STALE: Final = timedelta(minutes=5)


def chains(settings: Settings, http: httpx.AsyncClient, signing: Signing) -> dict[str, EvmRail]:
    """An adapter for every network that is configured; raises NotConfigured."""
    found: dict[str, EvmRail] = {}
    for name, chain in settings.evm.evm_chains.items():
        network = _network(name, chain)
        found[name] = EvmRail(
            wallet=WatchedWallet(signing.account_key(name)),
            signer=signing.client,
            node=_node(network, chain, http),
            network=network,
            gas=GasPolicy(most_price=chain.gas_cap),
            start_height=chain.start_height,
        )
    return found


def records(settings: Settings, http: httpx.AsyncClient) -> dict[str, AccountReader]:
    """The nodes' own views, for the auditor."""
    found: dict[str, AccountReader] = {}
    for name, chain in settings.evm.evm_chains.items():
        network = _network(name, chain)
        found[name] = Reader(_node(network, chain, http), network, start_height=chain.start_height)
    return found


def rules(settings: Settings, network: str) -> CallRules:
    """The operator's rules for one network."""
    chain = settings.evm.evm_chains[network]
    stale = None if chain.stale_seconds is None else timedelta(seconds=chain.stale_seconds)
    return CallRules(
        gas=GasLimits(chain.gas_cap, chain.least_tip),
        bump_after=timedelta(seconds=chain.bump_seconds),
        sends_final=chain.sends_final,
        sweep_from=chain.sweep_from,
        sweep_gas_cap=chain.sweep_gas_cap,
        stale_after=stale or (_LIVE_STALE if settings.process.livemode else None),
    )


@dataclass(frozen=True, slots=True)
class CallSenders:
    """Whose coins a transaction brought: who sent it, and whose balances it moved."""

    reader: AccountReader

    async def senders(self, txid: str, block_hash: str) -> tuple[str, ...]:
        """The addresses that a mined transaction spent from.

        Raises ProviderUnavailable when the node has it in another block, or in none: that clears nobody.
        """
        found = await self.reader.receipt(txid)
        if found is None or found[0].hash != block_hash:
            raise ProviderUnavailable("evm", f"the node does not have {txid} in block {block_hash}")
        _, receipt = found
        scripts = {receipt.sender} | {output.sender for output in receipt.outputs if output.sender is not None}
        return tuple(address_text(script) for script in sorted(scripts))


def lookups(settings: Settings, http: httpx.AsyncClient) -> Mapping[str, SenderLookup]:
    """Whose coins a deposit brought, for screening."""
    return {name: CallSenders(reader) for name, reader in records(settings, http).items()}


def _network(name: str, chain: EvmChain) -> EvmNetwork:
    network = PLAY if chain.chain == "anvil" else NETWORKS[chain.chain]
    if network.name != name:
        raise NotConfigured(f"RAMPWRIGHT_EVM_CHAINS: {chain.chain} is no chain of the network {name}")
    return network


def _node(network: EvmNetwork, chain: EvmChain, http: httpx.AsyncClient) -> Node:
    url = chain.rpc_url.get_secret_value()
    return Node(http, url, provider=network.name, chain_id=network.chain_id)
