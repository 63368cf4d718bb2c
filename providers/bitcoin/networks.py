"""What differs between Bitcoin and Litecoin, and between the main, test and private regtest networks of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class BitcoinNetwork:
    """The constants of one network (BIP-44, BIP-173, and the chain parameters of Bitcoin Core and Litecoin Core)."""

    name: str
    hrp: str  # the human-readable part of segwit addresses
    pubkey_hash_version: int  # first byte of a base58 P2PKH address
    script_hash_version: int  # first byte of a base58 P2SH address
    coin_type: int  # third level of the key path
    preset: str  # bitcoinlib's name for it, or for one with the same keys
    chains: frozenset[str]  # what `getblockchaininfo` may call it
    catalogue: str = "bitcoin"  # the network's name in our catalogue, the same for test networks
    dust_rate: int = 3  # what its nodes reckon with for spending an output, in satoshi per byte
    confidential_hrp: str | None = None  # the human-readable part of addresses outside the chain that we follow


MAIN: Final = BitcoinNetwork("main", "bc", 0x00, 0x05, 0, "bitcoin", frozenset({"main"}))
TEST: Final = BitcoinNetwork("test", "tb", 0x6F, 0xC4, 1, "testnet", frozenset({"test", "testnet4", "signet"}))
REGTEST: Final = BitcoinNetwork("regtest", "bcrt", 0x6F, 0xC4, 1, "regtest", frozenset({"regtest"}))

NETWORKS: Final = {network.name: network for network in (MAIN, TEST, REGTEST)}


def _litecoin(name: str, hrp: str, versions: tuple[int, int], coin_type: int, preset: str, mweb: str) -> BitcoinNetwork:
    return BitcoinNetwork(
        name,
        hrp,
        *versions,
        coin_type,
        preset,
        frozenset({name}),
        catalogue="litecoin",
        dust_rate=30,  # DUST_RELAY_TX_FEE of Litecoin Core
        confidential_hrp=mweb,
    )


# P2SH addresses are those of the newer version byte only: the older one is Bitcoin's, and whoever pastes such an
# address may mean either coin.
LITECOIN_MAIN: Final = _litecoin("main", "ltc", (0x30, 0x32), 2, "litecoin", "ltcmweb")
LITECOIN_TEST: Final = _litecoin("test", "tltc", (0x6F, 0x3A), 1, "litecoin_testnet", "tmweb")
LITECOIN_REGTEST: Final = _litecoin("regtest", "rltc", (0x6F, 0x3A), 1, "litecoin_testnet", "tmweb")

LITECOIN_NETWORKS: Final = {network.name: network for network in (LITECOIN_MAIN, LITECOIN_TEST, LITECOIN_REGTEST)}
