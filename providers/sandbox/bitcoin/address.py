"""Addresses of regtest (BIP-173 bech32, BIP-350 bech32m) and the kinds of output script."""

from __future__ import annotations

from functools import lru_cache

from providers.sandbox.bitcoin.errors import NOT_FOUND, RpcError

PREFIX = "bcrt"
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32, _BECH32M = 1, 0x2BC830A3
_CHECKSUM_SIZE = 6
OP_1, OP_16, OP_RETURN = 0x51, 0x60, 0x6A


class AddressRefused(RpcError):
    """This is no regtest segwit address."""

    def __init__(self, reason: str) -> None:
        super().__init__(NOT_FOUND, reason)


def witness_program(script: bytes) -> tuple[int, bytes] | None:
    """The version and the program of a segwit output script (BIP-141); None for any other script."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] == 0:
        return 0, script[2:]
    return (script[0] - OP_1 + 1, script[2:]) if OP_1 <= script[0] <= OP_16 else None


def script_type(script: bytes) -> str:
    """The kind of an output script, in Core's words."""
    match witness_program(script):
        case (0, program):
            kinds = {20: "witness_v0_keyhash", 32: "witness_v0_scripthash"}
            return kinds.get(len(program), "nonstandard")
        case (1, program) if len(program) == 32:
            return "witness_v1_taproot"
        case (_, _):
            return "witness_unknown"
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return "pubkeyhash"
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return "scripthash"
    return "nulldata" if script[:1] == bytes([OP_RETURN]) else "nonstandard"


@lru_cache(maxsize=16_384)
def address_of(script: bytes) -> str | None:
    """The address that stands for an output script; None when it is not a segwit script."""
    match witness_program(script):
        case (version, program) if version or len(program) in (20, 32):
            data = [version, *_fives(program)]
            constant = _BECH32M if version else _BECH32
            checksum = _polymod([*_expanded_prefix(), *data, *([0] * _CHECKSUM_SIZE)]) ^ constant
            data += [checksum >> 5 * (_CHECKSUM_SIZE - 1 - at) & 31 for at in range(_CHECKSUM_SIZE)]
            return f"{PREFIX}1{''.join(_ALPHABET[five] for five in data)}"
    return None


def script_of(address: str) -> bytes:
    """The output script of a `bcrt1...` address; raises AddressRefused for anything else."""
    text = address.lower()
    if address not in (text, address.upper()) or not text.startswith(f"{PREFIX}1") or len(text) > 90:
        raise AddressRefused(f"Only {PREFIX}1... (bech32 and bech32m) addresses are known here")
    data = [_ALPHABET.find(letter) for letter in text[len(PREFIX) + 1 :]]
    if len(data) <= _CHECKSUM_SIZE or -1 in data or data[0] > 16:
        raise AddressRefused("Invalid Bech32 address")
    program = _eights(data[1:-_CHECKSUM_SIZE])
    version = OP_1 - 1 + data[0] if data[0] else 0
    script = bytes([version, len(program)]) + program
    # Writing the address again checks checksum, padding and program length in one go.
    if address_of(script) != text:
        raise AddressRefused("Invalid Bech32 address: wrong checksum, padding or program length")
    return script


def _expanded_prefix() -> list[int]:
    return [ord(letter) >> 5 for letter in PREFIX] + [0] + [ord(letter) & 31 for letter in PREFIX]


def _polymod(values: list[int]) -> int:
    """The checksum of BIP-173, a BCH code over groups of five bits."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                check ^= generator
    return check


def _fives(data: bytes) -> list[int]:
    """Bytes as groups of five bits, padded with zeros at the end."""
    groups = -(-len(data) * 8 // 5)
    number = int.from_bytes(data) << groups * 5 - len(data) * 8
    return [number >> 5 * (groups - 1 - at) & 31 for at in range(groups)]


def _eights(groups: list[int]) -> bytes:
    """Groups of five bits as bytes; the padding is dropped (its value is not checked here)."""
    number = 0
    for group in groups:
        number = number << 5 | group
    size = len(groups) * 5 // 8
    return (number >> len(groups) * 5 - size * 8).to_bytes(size)
