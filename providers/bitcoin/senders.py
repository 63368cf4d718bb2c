"""Whose coins a transaction spent: by the node's own word, else by what an input had to reveal to spend them.

A hash in an address is the hash of a key or script that the spender shows, so that most inputs name their address
without a look at the transaction before. Where an input fits two addresses, both are given. A taproot output spent by
its key alone shows nothing: only a node that says what was spent can tell (Bitcoin Core from 25 on).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from app.ports.errors import ProviderUnavailable
from providers.bitcoin.answers import Unusable, as_list, as_object, as_text
from providers.bitcoin.encoding import encode_base58check, encode_segwit
from providers.bitcoin.networks import BitcoinNetwork
from providers.bitcoin.node import Node

_KEY_SIZES = {2: 33, 3: 33, 4: 65}  # SEC 1: the first byte says whether a key is compressed
_PUSHDATA = {0x4C: 1, 0x4D: 2, 0x4E: 4}  # opcodes before which the length stands in so many bytes
_LONGEST_PUSH = 75


class SpentAddresses:
    """Implements SenderLookup for Bitcoin and its like."""

    def __init__(self, node: Node, network: BitcoinNetwork) -> None:
        """Ask this node; addresses are spelled as on this network."""
        self._node = node
        self._network = network

    async def senders(self, txid: str, block_hash: str) -> tuple[str, ...]:
        """The addresses that a mined transaction spent from, each once; raises ProviderUnavailable."""
        inputs = await self._node.spent_by(txid, block_hash)
        try:
            found = [address for one in inputs if "coinbase" not in one for address in self._addresses(one)]
        except (Unusable, ValueError) as error:
            raise ProviderUnavailable(self._node.provider, f"an input cannot be read: {error}") from None
        return tuple(dict.fromkeys(found))

    def _addresses(self, one: dict[str, object]) -> Iterator[str]:
        if "prevout" in one:
            script = as_object(as_object(one["prevout"]).get("scriptPubKey"))
            if "address" in script:  # a bare key, or a script of its own kind, has none
                yield as_text(script["address"])
            return
        signature = bytes.fromhex(as_text(as_object(one.get("scriptSig")).get("hex")))
        witness = [bytes.fromhex(as_text(item)) for item in as_list(one.get("txinwitness", []))]
        yield from self._revealed(_pushes(signature), witness)

    def _revealed(self, pushes: Sequence[bytes], witness: Sequence[bytes]) -> Iterator[str]:
        network = self._network
        if pushes:
            if _is_key(pushes[-1]) and len(pushes) > 1:
                yield encode_base58check(bytes([network.pubkey_hash_version]) + _hash160(pushes[-1]))
            yield encode_base58check(bytes([network.script_hash_version]) + _hash160(pushes[-1]))
        elif witness:
            if _is_key(witness[-1]) and len(witness) > 1:
                yield encode_segwit(network.hrp, 0, _hash160(witness[-1]))
            yield encode_segwit(network.hrp, 0, hashlib.sha256(witness[-1]).digest())


def _is_key(data: bytes) -> bool:
    return bool(data) and len(data) == _KEY_SIZES.get(data[0])


def _hash160(data: bytes) -> bytes:
    return hashlib.new("ripemd160", hashlib.sha256(data).digest()).digest()


def _pushes(script: bytes) -> list[bytes]:
    """What a script that only pushes puts on the stack; raises ValueError for one that is cut short."""
    found: list[bytes] = []
    at = 0
    while at < len(script):
        size, at = script[at], at + 1
        if size > _LONGEST_PUSH:
            width = _PUSHDATA.get(size, 0)
            size, at = int.from_bytes(script[at : at + width], "little"), at + width
        if at + size > len(script):
            raise ValueError("a script is cut short")
        found.append(script[at : at + size])
        at += size
    return found
