"""Other people's Bitcoin addresses: which we pay to, and the script that each stands for."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import AddressInvalid, NetworkMismatch
from app.ports.chain import Destination
from providers.bitcoin.encoding import decode_base58check, decode_segwit
from providers.bitcoin.networks import BitcoinNetwork
from providers.bitcoin.scripts import ScriptKind, script_of, vsize_of, witness_kind

_HASH_SIZE = 20
# Hashes and keys to which nobody can have the key: coins sent there are lost.
_BURN = frozenset(
    {
        bytes(20),
        bytes(32),
        bytes.fromhex("759d6677091e973b9e9d99f19c68fbf43e3f05f9"),  # 1BitcoinEaterAddressDontSendf59kuE
        bytes.fromhex("818895f3dc2c178629d3d2d8fa3ec4a3f8179821"),  # 1CounterpartyXXXXXXXXXXXXXXXUWLpVr
    }
)


class BitcoinAddresses:
    """The address rules of one network."""

    def __init__(self, network: BitcoinNetwork) -> None:
        """Accept addresses of this network only."""
        self._network = network

    def parse(self, text: str) -> Destination:
        """Check an address; raises AddressInvalid, or NetworkMismatch when it is sound but of another network.

        The text itself is never repeated in an error: people paste private keys into address fields.
        """
        self._refuse_confidential(text)
        kind, payload = self._segwit(text) or self._base58(text)
        if payload in _BURN:
            raise AddressInvalid("Coins sent to this address could never be spent.")
        normal = text.lower() if kind in (ScriptKind.P2WPKH, ScriptKind.P2WSH, ScriptKind.P2TR) else text
        return Destination(normal, script_of(kind, payload))

    def estimate_vsize(self, inputs: int, scripts: Sequence[str]) -> int:
        """The virtual size in bytes of a transaction with so many of our inputs and these output scripts."""
        return vsize_of(inputs, scripts)

    def _refuse_confidential(self, text: str) -> None:
        """Litecoin's extension blocks (LIP-0003) hide who got what: a payment there could not be shown to have come."""
        hrp = self._network.confidential_hrp
        if hrp is not None and text.lower().startswith(f"{hrp}1"):
            raise AddressInvalid("Addresses of Litecoin's extension blocks (MWEB) are not paid to; give another one.")

    def _segwit(self, text: str) -> tuple[ScriptKind, bytes] | None:
        """Read a segwit address; None when the text is not a sound one of any network."""
        try:
            hrp, version, program = decode_segwit(text)
        except ValueError:
            return None
        if hrp != self._network.hrp:
            raise NetworkMismatch
        kind = witness_kind(version, program)
        if kind is None:
            raise AddressInvalid("This address is of a kind that has no rules yet; anyone could take the coins.")
        return kind, program

    def _base58(self, text: str) -> tuple[ScriptKind, bytes]:
        try:
            payload = decode_base58check(text)
        except ValueError:
            raise AddressInvalid from None
        version, body = payload[0], payload[1:]
        if len(body) != _HASH_SIZE:
            raise AddressInvalid
        if version == self._network.pubkey_hash_version:
            return ScriptKind.P2PKH, body
        if version == self._network.script_hash_version:
            return ScriptKind.P2SH, body
        raise NetworkMismatch
