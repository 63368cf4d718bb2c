"""The hot wallet's keys: a BIP-84 account, its addresses and its signatures. The only module that uses bitcoinlib."""

from __future__ import annotations

import hmac
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from coincurve import PrivateKey, PublicKey

from app.ports.chain import Address, Branch
from providers.bitcoin.networks import BitcoinNetwork
from providers.bitcoin.scripts import ScriptKind, script_of
from providers.bitcoin.signer import SEQUENCE, SIGHASH_ALL, VERSION, Draft

with warnings.catch_warnings():
    # bitcoinlib 0.7.10 leaves a file open and uses a name that SQLAlchemy has moved; both only when imported.
    warnings.simplefilter("ignore")
    from bitcoinlib.encoding import hash160, pubkeyhash_to_addr_bech32
    from bitcoinlib.keys import Address as LibraryAddress
    from bitcoinlib.keys import BKeyError, HDKey
    from bitcoinlib.mnemonic import Mnemonic
    from bitcoinlib.transactions import Transaction

_SEED_SIZES: Final = range(32, 65)
_BRANCH_NUMBERS: Final = {Branch.RECEIVE: 0, Branch.CHANGE: 1}
_MAX_INDEX: Final = 0x7FFFFFFF  # above begin the hardened keys (BIP-32)
_CACHED_KEYS: Final = 4096
_ACCOUNT_DEPTH: Final = 3  # of its key below the root: purpose, coin, account


@dataclass(frozen=True, slots=True, repr=False)
class _KeyPair:
    """One key of ours with the address that it opens, in our words and in the library's."""

    private: PrivateKey
    public: bytes
    address: Address
    library_address: LibraryAddress


@dataclass(frozen=True, slots=True, repr=False)
class _Parent:
    """A key that others are derived from (BIP-32)."""

    private: PrivateKey
    chain_code: bytes


class WatchedWallet:
    """The addresses of a BIP-84 account, from its public key alone: nothing can be signed with it."""

    def __init__(self, account_key: str, network: BitcoinNetwork) -> None:
        """Watch the account of an extended public key; raises ValueError when it is none of a BIP-84 account."""
        self._network = network
        try:
            account = HDKey(account_key, network=network.preset, witness_type="segwit")
        except (BKeyError, ValueError, LookupError, TypeError):
            raise ValueError("this is not an extended public key") from None
        if account.is_private or account.depth != _ACCOUNT_DEPTH:
            raise ValueError("this is not the extended public key of an account")
        branches = {branch: account.child_public(number) for branch, number in _BRANCH_NUMBERS.items()}
        self._branches = {branch: (PublicKey(key.public_byte), key.chain) for branch, key in branches.items()}
        self.address = lru_cache(maxsize=_CACHED_KEYS)(self._derive)

    @property
    def network(self) -> BitcoinNetwork:
        """Whose addresses they are."""
        return self._network

    def _derive(self, branch: Branch, index: int) -> Address:
        parent, chain_code = self._branches[branch]
        child = parent.add(_tweak(parent, chain_code, index))
        return _address_of(hash160(child.format()), self._network, branch, index)


class Wallet:
    """One BIP-84 account (`m/84'/coin'/0'`) of one network. Nothing of it is ever shown."""

    def __init__(self, seed: bytes, network: BitcoinNetwork) -> None:
        """Open the account of a seed of 32 to 64 bytes; raises ValueError for any other length."""
        if len(seed) not in _SEED_SIZES:
            raise ValueError("a seed has 32 to 64 bytes")
        self._network = network
        # As hex, because bitcoinlib would decode bytes that happen to spell hex digits.
        root = HDKey.from_seed(seed.hex(), network=network.preset, witness_type="segwit")
        # The path is spelt out: bitcoinlib's own regtest preset takes the coin type of the main network.
        account = root.key_for_path(f"m/84h/{network.coin_type}h/0h")
        self.account_key: str = account.wif_public()
        branches = {branch: account.child_private(number) for branch, number in _BRANCH_NUMBERS.items()}
        self._branches = {branch: _Parent(PrivateKey(key.private_byte), key.chain) for branch, key in branches.items()}
        self._key = lru_cache(maxsize=_CACHED_KEYS)(self._derive)

    @classmethod
    def from_mnemonic(cls, words: str, network: BitcoinNetwork, *, passphrase: str = "") -> Wallet:
        """Open the account of a BIP-39 mnemonic; raises ValueError, without the words, when it is not valid."""
        return cls(seed_of(words, passphrase), network)

    def __repr__(self) -> str:
        return f"<Wallet {self._network.name}>"

    @property
    def network(self) -> BitcoinNetwork:
        """Whose addresses they are."""
        return self._network

    def address(self, branch: Branch, index: int) -> Address:
        """The address at a place in the account; raises ValueError for an index below 0 or above 2^31 - 1."""
        return self._key(branch, index).address

    async def sign(self, draft: Draft) -> bytes:
        """See `signer.Signer`: whatever the draft says is signed, and nothing refused."""
        return self.signed(draft)

    def signed(self, draft: Draft) -> bytes:
        """Build and sign, whatever the draft says. Takes a millisecond per coin at most, and gives way to nobody.

        The library's own `txid`, `fee` and size are not looked at: they are stale or wrong after signing. It builds
        the transaction and says what is to be signed; its own signatures would take ten times as long as these of
        libsecp256k1, which are the same to the byte (RFC 6979).
        """
        transaction = Transaction(network=self._network.preset, witness_type="segwit", version=VERSION)
        keys = [self._key(coin.branch, coin.index) for coin in draft.inputs]
        for coin, key in zip(draft.inputs, keys, strict=True):
            transaction.add_input(
                prev_txid=coin.txid,
                output_n=coin.vout,
                public_hash=key.library_address.hash_bytes,
                value=coin.amount,
                address=key.library_address,
                witness_type="segwit",
                sequence=SEQUENCE,
            )
        for output in draft.outputs:
            transaction.add_output(output.amount, lock_script=output.script)
        for position, key in enumerate(keys):
            signature = key.private.sign(transaction.signature_hash(position), hasher=None)
            transaction.inputs[position].witnesses = [signature + SIGHASH_ALL, key.public]
        return bytes(transaction.raw())

    def _derive(self, branch: Branch, index: int) -> _KeyPair:
        parent = self._branches[branch]
        private = parent.private.add(_tweak(parent.private.public_key, parent.chain_code, index))
        public = private.public_key.format()
        key_hash = hash160(public)
        library_address = LibraryAddress(hashed_data=key_hash, network=self._network.preset, script_type="p2wpkh")
        return _KeyPair(private, public, _address_of(key_hash, self._network, branch, index), library_address)


def _tweak(parent: PublicKey, chain_code: bytes, index: int) -> bytes:
    """What is added to a key to make its child (BIP-32). With bitcoinlib a thousand addresses would take seconds."""
    if not 0 <= index <= _MAX_INDEX:
        raise ValueError("an address index lies between 0 and 2^31 - 1")
    return hmac.digest(chain_code, parent.format() + index.to_bytes(4, "big"), "sha512")[:32]


def _address_of(key_hash: bytes, network: BitcoinNetwork, branch: Branch, index: int) -> Address:
    # Not the library's `address()`: it has no preset for Litecoin's regtest.
    text = pubkeyhash_to_addr_bech32(key_hash, prefix=network.hrp)
    return Address(text, script_of(ScriptKind.P2WPKH, key_hash), branch, index)


def seed_of(words: str, passphrase: str = "") -> bytes:
    """The seed of a BIP-39 mnemonic; raises ValueError, without the words, when it is not valid."""
    seed = _seed_of(words, passphrase)
    if seed is None:
        raise ValueError("this is not a valid BIP-39 mnemonic")
    return seed


def _seed_of(words: str, passphrase: str) -> bytes | None:
    """The seed of a mnemonic; None when it is not valid. bitcoinlib's own errors repeat the words and end here."""
    try:
        return bytes(Mnemonic().to_seed(" ".join(words.split()), passphrase))
    except (Warning, ValueError, LookupError, TypeError):
        return None
