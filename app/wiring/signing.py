"""Wiring of the signer: what API and worker know of it, which is no key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from app.domain.intent import IntentKeys
from app.settings import Settings
from app.signer.client import SignerClient, SocketSigner
from app.signer.places import Folder
from app.wiring.needed import NotConfigured
from app.wiring.secrets import intent_keys
from providers.bitcoin.networks import BitcoinNetwork
from providers.bitcoin.wallet import WatchedWallet


@dataclass(frozen=True, slots=True)
class Signing:
    """How coins leave: the way to the signer, the extended public keys by network, and the keys of the seals."""

    client: SignerClient
    account_keys: Mapping[str, str]
    intents: IntentKeys

    def account_key(self, network: str) -> str:
        """The extended public key of a network; raises NotConfigured for one that the signer does not know."""
        try:
            return self.account_keys[network]
        except KeyError:
            raise NotConfigured(f"the signer has no keys for {network}: is it in its policy?") from None

    def wallet(self, network: BitcoinNetwork) -> WatchedWallet:
        """The wallet of a Bitcoin-like network, to watch."""
        return WatchedWallet(self.account_key(network.catalogue), network)

    def signer(self, network: str) -> SocketSigner:
        """Who signs on a Bitcoin-like network."""
        return SocketSigner(self.client, network)


async def open_signing(settings: Settings, stack: AsyncExitStack) -> Signing:
    """Learn what can be known without a key: from the settings, else from the signer itself.

    Raises ProviderUnavailable when it has to be asked and does not answer.
    """
    client = SignerClient(settings.signer_socket)
    stack.push_async_callback(client.aclose)
    keys = settings.signer.account_keys or await client.public()
    return Signing(client, keys, intent_keys(settings))


def refuse_keys_in_reach(settings: Settings) -> None:
    """In live mode a process that talks to the world does not start where it could read a key; raises NotConfigured."""
    if not settings.process.livemode:
        return
    found = [settings.bitcoin.bitcoin_seed_file, settings.process.secrets / "bitcoin_seed"]
    found.append(Folder(settings.signer_home).key_file)
    if any(path is not None and os.access(path, os.R_OK) for path in found):
        raise NotConfigured(
            "this process could read the wallet's key: only the signer may. See RAMPWRIGHT_SIGNER_HOME and "
            "RAMPWRIGHT_RUN_AS in docs/configuration.md"
        )
