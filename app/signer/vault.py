"""The vault: keys, policy and journal together. Whoever has it can sign, and only what the policy allows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from app.domain.assets import native_asset
from app.domain.errors import ValidationFailed
from app.domain.intent import IntentKeys
from app.ports.chain import Address, Branch
from app.signer.journal import Journal, Spent
from app.signer.policy import NetworkPolicy, Policy, PolicyError
from app.signer.refusals import Refused, Rule
from app.signer.rules import judge_call, judge_draft
from providers.bitcoin.addresses import BitcoinAddresses
from providers.bitcoin.networks import BitcoinNetwork
from providers.bitcoin.signer import Draft
from providers.bitcoin.wallet import Wallet
from providers.evm.signer import CallDraft, sender_place

_HOT: Final = (Branch.CHANGE, 0)


class AccountKeys(Protocol):
    """The keys of an EVM network."""

    @property
    def account_key(self) -> str:
        """The extended public key, from which every address can be derived."""
        ...

    def address(self, branch: Branch, index: int) -> Address:
        """The address at a place in the account."""
        ...

    async def sign_call(self, draft: CallDraft) -> bytes:
        """Build and sign, whatever the draft says."""
        ...


@dataclass(frozen=True, slots=True)
class Keys:
    """What can sign, by network in the catalogue."""

    coins: Mapping[str, Wallet]
    accounts: Mapping[str, AccountKeys]

    def public(self) -> dict[str, str]:
        """The extended public keys, by network: enough to watch every address, and to sign nothing."""
        found = {name: wallet.account_key for name, wallet in self.coins.items()}
        return found | {name: keys.account_key for name, keys in self.accounts.items()}


class Vault:
    """Signs what the policy allows, one transaction after the other."""

    def __init__(
        self, keys: Keys, policy: Policy, intent_keys: IntentKeys, journal: Journal, *, stop_file: Path
    ) -> None:
        """While `stop_file` is there nothing is signed. Raises PolicyError for a policy that does not fit the keys."""
        self._keys = keys
        self._policy = policy
        self._intent_keys = intent_keys
        self._journal = journal
        self._stop_file = stop_file
        self._turn = asyncio.Lock()
        self._cold = {
            name: _scripts(policy[name], wallet.network) for name, wallet in keys.coins.items() if name in policy
        } | {
            name: frozenset(text.lower().removeprefix("0x") for text in policy[name].cold)
            for name in keys.accounts
            if name in policy
        }

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def public(self) -> dict[str, str]:
        """The extended public keys, by network."""
        return self._keys.public()

    async def sign_draft(self, network: str, draft: Draft) -> bytes:
        """Sign a Bitcoin transaction; raises Refused."""
        wallet, policy = self._keys.coins.get(network), self._policy.get(network)
        if wallet is None or policy is None or policy.chain != wallet.network.name:
            raise Refused(Rule.NETWORK_UNKNOWN, f"{network} is not in the policy")
        judged = judge_draft(
            draft,
            network=network,
            asset=native_asset(network).id,
            policy=policy,
            keys=self._intent_keys,
            derive=wallet.address,
            cold=self._cold[network],
        )
        spent = [Spent(coin.txid, coin.vout, coin.amount) for coin in draft.inputs]
        async with self._turn:
            self._check_stop()
            self._journal.record(network, spent, judged, policy)
            return await wallet.sign(draft)

    async def sign_call(self, draft: CallDraft) -> bytes:
        """Sign an EVM call; raises Refused."""
        keys, policy = self._keys.accounts.get(draft.network), self._policy.get(draft.network)
        if keys is None or policy is None:
            raise Refused(Rule.NETWORK_UNKNOWN, f"{draft.network} is not in the policy")
        asset = native_asset(draft.network).id
        judged = judge_call(
            draft,
            asset=asset,
            policy=policy,
            keys=self._intent_keys,
            hot=keys.address(*_HOT),
            cold=self._cold[draft.network],
        )
        sender = keys.address(*sender_place(draft))
        async with self._turn:
            self._check_stop()
            # An account's nonce is used once, as a coin is: who signs the same one again replaces what was there.
            self._journal.record(draft.network, [Spent(sender.script, draft.nonce, 0)], judged, policy)
            return await keys.sign_call(draft)

    def _check_stop(self) -> None:
        if self._stop_file.exists():
            raise Refused(Rule.STOPPED, "the signer was told to stop")


def _scripts(policy: NetworkPolicy, network: BitcoinNetwork) -> frozenset[str]:
    """The scripts of a network's cold addresses; raises PolicyError for one that is not of this network."""
    addresses = BitcoinAddresses(network)
    try:
        return frozenset(addresses.parse(text).script for text in policy.cold)
    except ValidationFailed:
        raise PolicyError("a cold address is not one of its network") from None
