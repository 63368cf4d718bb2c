"""Output scripts: the five kinds that we pay to, what they weigh, and below which amount they are dust."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

SCALE: Final = 4  # weight units in one virtual byte (BIP-141)
MAX_VSIZE: Final = 100_000  # Bitcoin Core relays nothing larger

# One P2WPKH input: outpoint 36, empty script 1, sequence 4; its witness: count, signature of at most 72 bytes with
# its length, key of 33 bytes with its length. About half of all signatures are one byte shorter.
_INPUT_BASE = 41
_INPUT_WITNESS = 1 + (1 + 72) + (1 + 33)
_FRAME = 8  # version and lock time
_MARKER_AND_FLAG = 2

# Bitcoin Core's GetDustThreshold: an output is dust when it is worth less than it costs at this rate, in satoshi per
# byte, to make it and to spend it; spending weighs 148 bytes, or 67 for a witness program.
DUST_RATE: Final = 3
_SPEND = 148
_SPEND_WITNESS = 67


class ScriptKind(StrEnum):
    """The standard output scripts."""

    P2PKH = "p2pkh"
    P2SH = "p2sh"
    P2WPKH = "p2wpkh"
    P2WSH = "p2wsh"
    P2TR = "p2tr"


_WITNESS_KINDS = {(0, 20): ScriptKind.P2WPKH, (0, 32): ScriptKind.P2WSH, (1, 32): ScriptKind.P2TR}
# Everything around the 20 or 32 bytes of hash or key, by kind.
_FRAMES: dict[ScriptKind, tuple[bytes, int, bytes]] = {
    ScriptKind.P2PKH: (b"\x76\xa9\x14", 20, b"\x88\xac"),
    ScriptKind.P2SH: (b"\xa9\x14", 20, b"\x87"),
    ScriptKind.P2WPKH: (b"\x00\x14", 20, b""),
    ScriptKind.P2WSH: (b"\x00\x20", 32, b""),
    ScriptKind.P2TR: (b"\x51\x20", 32, b""),
}


def script_of(kind: ScriptKind, payload: bytes) -> str:
    """The script of this kind around a hash or key, as hex."""
    head, _, tail = _FRAMES[kind]
    return (head + payload + tail).hex()


def witness_kind(version: int, program: bytes) -> ScriptKind | None:
    """The kind of a witness program; None for versions that have no rules yet, which anyone could spend."""
    return _WITNESS_KINDS.get((version, len(program)))


def kind_of(script: str) -> ScriptKind:
    """The kind of a script in hex; raises ValueError for every script that we do not pay to."""
    data = bytes.fromhex(script)
    for kind, (head, size, tail) in _FRAMES.items():
        if len(data) == len(head) + size + len(tail) and data.startswith(head) and data.endswith(tail):
            return kind
    raise ValueError("not a script that we pay to")


def dust_limit(script: str, rate: int = DUST_RATE) -> int:
    """The smallest amount in satoshi that nodes relay to this script; the rate is Bitcoin's unless told otherwise."""
    witness = kind_of(script) not in (ScriptKind.P2PKH, ScriptKind.P2SH)
    return rate * (_output_size(script) + (_SPEND_WITNESS if witness else _SPEND))


def vsize_of(inputs: int, scripts: Iterable[str]) -> int:
    """The virtual size in bytes of a transaction with so many P2WPKH inputs and these outputs, at its largest."""
    sizes = [_output_size(script) for script in scripts]
    base = _FRAME + _count_size(inputs) + _INPUT_BASE * inputs + _count_size(len(sizes)) + sum(sizes)
    weight = SCALE * base + _MARKER_AND_FLAG + _INPUT_WITNESS * inputs
    return -(-weight // SCALE)


def _output_size(script: str) -> int:
    length = len(script) // 2
    return 8 + _count_size(length) + length


def _count_size(count: int) -> int:
    """The bytes of Bitcoin's variable-length count."""
    if count < 0xFD:
        return 1
    return 3 if count <= 0xFFFF else 5
