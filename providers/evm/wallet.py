"""The hot wallet's keys and those of the deposit addresses, and their signatures."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from coincurve import PrivateKey

from app.ports.chain import Address, Branch
from providers.evm.calls import Authorization, authorization_of, call_of
from providers.evm.containment import Account, LocalAccount, seed_from_mnemonic
from providers.evm.derivation import HARDENED, ExtendedPrivateKey
from providers.evm.encoding import WORD
from providers.evm.networks import EvmNetwork
from providers.evm.signer import CallDraft, CallKind, sender_place
from providers.evm.watching import EXTERNAL, address_of, key_number

_SEED_SIZES: Final = range(32, 65)
_PURPOSE, _COIN, _ACCOUNT = 44 + HARDENED, 60 + HARDENED, HARDENED
_CACHED_KEYS: Final = 4096
_V: Final = 27  # what Ethereum's older signatures add to the parity


class EvmWallet:
    """The account `m/44'/60'/0'` of a seed on one network; see `watching.py`. Nothing of it is ever shown."""

    def __init__(self, seed: bytes, network: EvmNetwork) -> None:
        """Open the account of a seed of 32 to 64 bytes; raises ValueError for any other length."""
        if len(seed) not in _SEED_SIZES:
            raise ValueError("a seed has 32 to 64 bytes")
        coin = ExtendedPrivateKey.from_seed(seed).child(_PURPOSE).child(_COIN)
        account = coin.child(_ACCOUNT)
        self.network = network
        self.account_key = account.public.account_text(_ACCOUNT, coin.public.fingerprint)
        self._branch = account.child(EXTERNAL)
        self._account = lru_cache(maxsize=_CACHED_KEYS)(self._derive)
        self.address = lru_cache(maxsize=_CACHED_KEYS)(self._address)

    @classmethod
    def from_mnemonic(cls, words: str, network: EvmNetwork, *, passphrase: str = "") -> EvmWallet:
        """Open the account of a BIP-39 mnemonic; raises ValueError, without the words, when it is not valid."""
        try:
            seed = seed_from_mnemonic(" ".join(words.split()), passphrase)
        except Exception:  # the library's own errors repeat the words and end here
            seed = None
        if seed is None:
            raise ValueError("this is not a valid BIP-39 mnemonic")
        return cls(seed, network)

    def __repr__(self) -> str:
        return f"<EvmWallet {self.network.name}>"

    def _address(self, branch: Branch, index: int) -> Address:
        """The address at a place in the account; raises ValueError for a place that there is not."""
        return address_of(self._key(branch, index).public_key, branch, index)

    async def sign_call(self, draft: CallDraft) -> bytes:
        """Build and sign, whatever the draft says; see `signer.CallSigner`. Takes about a millisecond."""
        sender = self.address(draft.branch, draft.index)
        call = call_of(self.network, draft, sender)
        data = call.data
        authorization = authorization_of(self.network, draft, sender) if draft.kind is CallKind.COLLECT else None
        if authorization is not None:
            data += self._authorize(authorization, draft)
        signed = self._account(*sender_place(draft)).sign_transaction(
            {
                "type": 2,
                "chainId": draft.chain_id,
                "nonce": draft.nonce,
                "maxPriorityFeePerGas": draft.fees.max_priority_fee,
                "maxFeePerGas": draft.fees.max_fee,
                "gas": draft.gas_limit,
                "to": bytes.fromhex(call.target),
                "value": call.value,
                "data": data,
            }
        )
        return bytes(signed.raw_transaction)

    def _authorize(self, authorization: Authorization, draft: CallDraft) -> bytes:
        """The words v, r and s of a deposit address's authorisation."""
        key = self._key(draft.branch, draft.index)
        signature = key.sign_recoverable(authorization.digest(draft.chain_id), hasher=None)
        return (signature[64] + _V).to_bytes(WORD, "big") + signature[:64]

    def _key(self, branch: Branch, index: int) -> PrivateKey:
        return self._branch.child(key_number(branch, index)).key

    def _derive(self, branch: Branch, index: int) -> LocalAccount:
        account: LocalAccount = Account.from_key(self._key(branch, index).secret)
        return account
