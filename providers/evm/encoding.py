"""Ethereum's hash, its addresses, and RLP, the way in which its transactions are written down."""

from __future__ import annotations

from typing import Final, TypeAlias

from eth_hash.auto import keccak as _keccak

ADDRESS_SIZE: Final = 20
WORD: Final = 32
_SHORT: Final = 55  # the longest string or list whose length fits into its first byte
_STRING, _LIST = 0x80, 0xC0

# An RLP item: a byte string, or a list of items.
Item: TypeAlias = "bytes | list[Item]"


def keccak(data: bytes) -> bytes:
    """The hash of 32 bytes that Ethereum uses for everything: Keccak-256, not the later SHA-3."""
    return _keccak(data)


def address_text(script: str) -> str:
    """An address as people see it: a digit is upper case where the hash of the address says so (EIP-55)."""
    digest = keccak(script.encode()).hex()
    return "0x" + "".join(
        char.upper() if int(nibble, 16) > 7 else char for char, nibble in zip(script, digest, strict=False)
    )


def script_of_key(public: bytes) -> str:
    """The address that an uncompressed public key of 65 bytes opens, as a script."""
    return keccak(public[1:])[-ADDRESS_SIZE:].hex()


def create2_script(deployer: str, salt: bytes, creation_code: bytes) -> str:
    """Where a contract comes to stand that is made with CREATE2 (EIP-1014): it depends on nothing but these."""
    return keccak(b"\xff" + bytes.fromhex(deployer) + salt + keccak(creation_code))[-ADDRESS_SIZE:].hex()


def rlp_encode(item: Item) -> bytes:
    """An item as RLP."""
    if isinstance(item, list):
        return _with_length(b"".join(map(rlp_encode, item)), _LIST)
    if len(item) == 1 and item[0] < _STRING:
        return item
    return _with_length(item, _STRING)


def rlp_decode(data: bytes) -> Item:
    """Read one item that takes up all the bytes; raises ValueError, also for any spelling but the shortest."""
    item, end = _item(data, 0)
    if end != len(data):
        raise ValueError("bytes left over after an RLP item")
    return item


def rlp_number(value: int) -> bytes:
    """A number as RLP writes it: big-endian, zero as nothing at all."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _with_length(payload: bytes, kind: int) -> bytes:
    if len(payload) <= _SHORT:
        return bytes([kind + len(payload)]) + payload
    length = rlp_number(len(payload))
    return bytes([kind + _SHORT + len(length)]) + length + payload


def _item(data: bytes, at: int) -> tuple[Item, int]:
    """The item that begins at a position, and where it ends."""
    first = _take(data, at, 1)[0]
    if first < _STRING:
        return data[at : at + 1], at + 1
    kind = _LIST if first >= _LIST else _STRING
    size, start = first - kind, at + 1
    if size > _SHORT:
        length = _take(data, start, size - _SHORT)
        start += len(length)
        size = int.from_bytes(length, "big")
        if length[0] == 0 or size <= _SHORT:
            raise ValueError("an RLP length is not written in the shortest way")
    payload = _take(data, start, size)
    if kind == _STRING:
        if size == 1 and payload[0] < _STRING:
            raise ValueError("an RLP byte is not written in the shortest way")
        return payload, start + size
    items: list[Item] = []
    inner = start
    while inner < start + size:
        item, inner = _item(data, inner)
        items.append(item)
    if inner != start + size:
        raise ValueError("an RLP list ends in the middle of an item")
    return items, inner


def _take(data: bytes, at: int, size: int) -> bytes:
    chunk = data[at : at + size]
    if len(chunk) != size:
        raise ValueError("RLP is cut short")
    return chunk
