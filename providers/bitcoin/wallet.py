"""The hot wallet's keys: a BIP-84 account, its addresses and its signatures. The only module that uses bitcoinlib."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.ports.chain import Address, Branch
from providers.bitcoin.networks import BitcoinNetwork
from providers.bitcoin.scripts import ScriptKind, script_of
from providers.bitcoin.signer import SEQUENCE, VERSION, Draft

with warnings.catch_warnings():
    # bitcoinlib 0.7.10 leaves a file open and uses a name that SQLAlchemy has moved; both only when imported.
    warnings.simplefilter("ignore")
    from bitcoinlib.keys import HDKey
    from bitcoinlib.mnemonic import Mnemonic
    from bitcoinlib.transactions import Transaction

_SEED_SIZES: Final = range(32, 65)
_BRANCH_NUMBERS: Final = {Branch.RECEIVE: 0, Branch.CHANGE: 1}
_MAX_INDEX: Final = 0x7FFFFFFF  # above begin the hardened keys (BIP-32)
_CACHED_KEYS: Final = 4096


@dataclass(frozen=True, slots=True, repr=False)
class _KeyPair:
    """One key of ours with the address that it opens."""

    private: HDKey
    public: HDKey
    address: Address


class Wallet:
    """One BIP-84 account (`m/84'/coin'/0'`) of one network. Nothing of it is ever shown."""

    def __init__(self, seed: bytes, network: BitcoinNetwork) -> None:
        """Open the account of a seed of 32 to 64 bytes; raises ValueError for any other length."""
        if len(seed) not in _SEED_SIZES:
            raise ValueError("a seed has 32 to 64 bytes")
        self.network = network
        # As hex, because bitcoinlib would decode bytes that happen to spell hex digits.
        root = HDKey.from_seed(seed.hex(), network=network.preset, witness_type="segwit")
        # The path is spelt out: bitcoinlib's own regtest preset takes the coin type of the main network.
        account = root.key_for_path(f"m/84h/{network.coin_type}h/0h")
        self._branches = {branch: account.child_private(number) for branch, number in _BRANCH_NUMBERS.items()}
        self._key = lru_cache(maxsize=_CACHED_KEYS)(self._derive)

    @classmethod
    def from_mnemonic(cls, words: str, network: BitcoinNetwork, *, passphrase: str = "") -> Wallet:
        """Open the account of a BIP-39 mnemonic; raises ValueError, without the words, when it is not valid."""
        seed = _seed_of(words, passphrase)
        if seed is None:
            raise ValueError("this is not a valid BIP-39 mnemonic")
        return cls(seed, network)

    def __repr__(self) -> str:
        return f"<Wallet {self.network.name}>"

    def address(self, branch: Branch, index: int) -> Address:
        """The address at a place in the account; raises ValueError for an index below 0 or above 2^31 - 1."""
        return self._key(branch, index).address

    def sign(self, draft: Draft) -> bytes:
        """Build and sign; see `signer.Signer`.

        The library's own `txid`, `fee` and size are not looked at: they are stale or wrong after signing.
        """
        transaction = Transaction(network=self.network.preset, witness_type="segwit", version=VERSION)
        keys = [self._key(coin.branch, coin.index) for coin in draft.inputs]
        for coin, key in zip(draft.inputs, keys, strict=True):
            transaction.add_input(
                prev_txid=coin.txid,
                output_n=coin.vout,
                keys=key.public,
                value=coin.amount,
                address=key.public.address_obj,
                witness_type="segwit",
                sequence=SEQUENCE,
            )
        for output in draft.outputs:
            transaction.add_output(output.amount, lock_script=output.script)
        for position, key in enumerate(keys):
            # One input at a time: given several keys at once, bitcoinlib tries each on every input and fails.
            transaction.sign(key.private, index_n=position)
        return bytes(transaction.raw())

    def _derive(self, branch: Branch, index: int) -> _KeyPair:
        if not 0 <= index <= _MAX_INDEX:
            raise ValueError("an address index lies between 0 and 2^31 - 1")
        private = self._branches[branch].child_private(index)
        public = private.public()
        # bitcoinlib asks for this copy at every signature and makes it anew each time, for half a millisecond.
        private.public = lambda: public
        script = script_of(ScriptKind.P2WPKH, public.hash160)
        return _KeyPair(private, public, Address(public.address(), script, branch, index))


def _seed_of(words: str, passphrase: str) -> bytes | None:
    """The seed of a mnemonic; None when it is not valid. bitcoinlib's own errors repeat the words and end here."""
    try:
        return bytes(Mnemonic().to_seed(" ".join(words.split()), passphrase))
    except (Warning, ValueError, LookupError, TypeError):
        return None
