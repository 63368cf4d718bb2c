"""What differs between Bitcoin's main network, its test networks and a private regtest chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class BitcoinNetwork:
    """The constants of one network (BIP-44, BIP-173 and Bitcoin Core's chain parameters)."""

    name: str
    hrp: str  # the human-readable part of segwit addresses
    pubkey_hash_version: int  # first byte of a base58 P2PKH address
    script_hash_version: int  # first byte of a base58 P2SH address
    coin_type: int  # third level of the key path
    preset: str  # bitcoinlib's name for it
    chains: frozenset[str]  # what `getblockchaininfo` may call it


MAIN: Final = BitcoinNetwork("main", "bc", 0x00, 0x05, 0, "bitcoin", frozenset({"main"}))
TEST: Final = BitcoinNetwork("test", "tb", 0x6F, 0xC4, 1, "testnet", frozenset({"test", "testnet4", "signet"}))
REGTEST: Final = BitcoinNetwork("regtest", "bcrt", 0x6F, 0xC4, 1, "regtest", frozenset({"regtest"}))

NETWORKS: Final = {network.name: network for network in (MAIN, TEST, REGTEST)}
