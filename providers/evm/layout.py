"""Reading a signed transaction, so that what we store and send is known from the bytes and not from a library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from coincurve import PublicKey

from providers.evm.encoding import ADDRESS_SIZE, Item, keccak, rlp_decode, rlp_encode, script_of_key

TYPE: Final = b"\x02"  # EIP-1559, the only type that we send
_FIELDS: Final = 12
_SIGNED: Final = 9  # of the fields; the last three are the signature
# Above it, every signature has a twin that is valid too, with another id for the transaction (EIP-2).
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True, slots=True)
class CallLayout:
    """A transaction as its bytes say. `sender` is whoever signed it."""

    txid: str
    sender: str
    chain_id: int
    nonce: int
    max_priority_fee: int
    max_fee: int
    gas_limit: int
    target: str
    value: int
    data: bytes


def read_call(raw: bytes) -> CallLayout:
    """Read a transaction of type 2 that calls somebody; raises ValueError, also when its signature is none."""
    if raw[:1] != TYPE:
        raise ValueError("not a transaction of type 2")
    fields = rlp_decode(raw[1:])
    if not isinstance(fields, list) or len(fields) != _FIELDS or fields[8] != []:
        raise ValueError("a transaction of type 2 has twelve fields, and ours an empty access list")
    strings = [field for field in fields if isinstance(field, bytes)]
    if len(strings) != _FIELDS - 1 or len(strings[5]) != ADDRESS_SIZE:
        raise ValueError("a field of the transaction is of the wrong kind")
    chain_id, nonce, max_priority_fee, max_fee, gas_limit = map(_number, strings[:5])
    return CallLayout(
        keccak(raw).hex(),
        _signer(fields[:_SIGNED], *map(_number, strings[8:])),
        chain_id,
        nonce,
        max_priority_fee,
        max_fee,
        gas_limit,
        strings[5].hex(),
        _number(strings[6]),
        strings[7],
    )


def recovered(digest: bytes, parity: int, r: int, s: int) -> str:
    """The script of whoever signed a digest; raises ValueError when it is no signature."""
    if parity not in (0, 1) or not 0 < s <= _HALF_ORDER or not 0 < r < 1 << 256:
        raise ValueError("not a signature")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        public = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception as error:  # the library has only this to raise
        raise ValueError("not a signature") from error
    return script_of_key(public.format(compressed=False))


def _signer(signed: list[Item], parity: int, r: int, s: int) -> str:
    return recovered(keccak(TYPE + rlp_encode(signed)), parity, r, s)


def _number(field: bytes) -> int:
    if field[:1] == b"\0":
        raise ValueError("a number of the transaction has leading zeros")
    return int.from_bytes(field, "big")
