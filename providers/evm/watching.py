"""Our addresses from the account's public key alone: nothing can be signed with it.

The account is `m/44'/60'/0'` (BIP-44) and only its external branch is used, as wallets for people do it: the hot wallet
is key 0, the place CHANGE/0 of the port, and the deposit addresses are the keys after it, RECEIVE/i being key i + 1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from coincurve import PublicKey

from app.ports.chain import Address, Branch
from providers.evm.derivation import HARDENED, read_account_key
from providers.evm.encoding import address_text, script_of_key

EXTERNAL: Final = 0  # the branch below the account's key
_CACHED_ADDRESSES: Final = 4096


class WatchedWallet:
    """The addresses of one account. Ten thousand of them are made in a second or two."""

    def __init__(self, account_key: str) -> None:
        """Watch the account of an extended public key; raises ValueError when it is none."""
        self._branch = read_account_key(account_key).child(EXTERNAL)
        self.address = lru_cache(maxsize=_CACHED_ADDRESSES)(self._address)

    def _address(self, branch: Branch, index: int) -> Address:
        """The address at a place in the account; raises ValueError for a place that there is not."""
        public = PublicKey(self._branch.child(key_number(branch, index)).key)
        return address_of(public, branch, index)


def key_number(branch: Branch, index: int) -> int:
    """The number of a place's key on the external branch; raises ValueError for a place that there is not."""
    number = index + 1 if branch is Branch.RECEIVE else index
    if (branch is Branch.CHANGE and index != 0) or index < 0 or number >= HARDENED:
        raise ValueError("the hot wallet is the address 0 of its branch; deposit addresses are 0 to 2^31 - 2")
    return number


def address_of(public: PublicKey, branch: Branch, index: int) -> Address:
    """The address that a public key opens, at its place."""
    script = script_of_key(public.format(compressed=False))
    return Address(address_text(script), script, branch, index)
