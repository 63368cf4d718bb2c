"""Putting the signer together: its folder, the keys of the networks that its policy names, and the running of it."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable

from app.domain.errors import RampwrightError
from app.domain.intent import IntentKeys
from app.signer.journal import Journal
from app.signer.places import Folder
from app.signer.policy import Policy, PolicyError
from app.signer.server import Server
from app.signer.vault import AccountKeys, Keys, Vault
from providers.bitcoin.networks import LITECOIN_NETWORKS, NETWORKS
from providers.bitcoin.wallet import Wallet
from providers.evm.networks import NETWORKS as EVM_NETWORKS
from providers.evm.networks import PLAY
from providers.evm.wallet import EvmWallet

_COINS = {"bitcoin": NETWORKS, "litecoin": LITECOIN_NETWORKS}
_ACCOUNTS = {(network.name, str(network.chain_id)): network for network in (*EVM_NETWORKS.values(), PLAY)}


class SignerError(RampwrightError):
    """The signer cannot be started; the message says why."""


def keys_of(seed: bytes, policy: Policy) -> Keys:
    """The keys of every network in the policy; raises PolicyError for one that is not known."""
    coins: dict[str, Wallet] = {}
    accounts: dict[str, AccountKeys] = {}
    for name, network in policy.items():
        account = _ACCOUNTS.get((name, network.chain))
        if account is not None:
            accounts[name] = EvmWallet(seed, account)
            continue
        known = _COINS.get(name)
        if known is None or network.chain not in known:
            raise PolicyError(f"the policy names {name} on chain {network.chain}, which is not known here")
        coins[name] = Wallet(seed, known[network.chain])
    return Keys(coins, accounts)


def open_vault(
    folder: Folder, keys: Keys, policy: Policy, intent_keys: IntentKeys, *, clock: Callable[[], float] = time.time
) -> Vault:
    """The vault on a folder's journal."""
    journal = Journal(folder.journal, clock=clock)
    return Vault(keys, policy, intent_keys, journal, stop_file=folder.stop_file)


async def serve(vault: Vault, listener: socket.socket) -> None:
    """Answer until SIGTERM or SIGINT."""
    server, stop = Server(vault, listener), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start()
    await stop.wait()
    await server.stop()
