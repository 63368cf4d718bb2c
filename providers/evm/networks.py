"""What differs between one EVM chain and the next: its number, its tokens, and how they name themselves to signers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from app.domain.assets import ETH, ETH_BASE, USDC_BASE, USDC_ETHEREUM
from app.domain.money import Asset
from providers.evm.encoding import WORD, keccak

_DOMAIN: Final = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


@dataclass(frozen=True, slots=True)
class Token:
    """A token that we know by its exact contract. `name` and `version` are those of its EIP-712 domain."""

    asset: Asset
    contract: str  # a script: 40 hex digits
    name: str = "USD Coin"
    version: str = "2"

    def domain(self, chain_id: int) -> bytes:
        """The hash that a signature for this token on this chain begins with (EIP-712, "domain separator")."""
        parts = (_DOMAIN, keccak(self.name.encode()), keccak(self.version.encode()), chain_id.to_bytes(WORD, "big"))
        return keccak(b"".join(parts) + bytes.fromhex(self.contract).rjust(WORD, b"\0"))


@dataclass(frozen=True)
class EvmNetwork:
    """One chain. `name` is its network in the catalogue, which a test chain shares with the chain it stands in for."""

    name: str
    chain_id: int
    native: Asset
    tokens: tuple[Token, ...]

    def __post_init__(self) -> None:
        if not len(self.tokens) == len(self.by_contract) == len(self.by_asset):
            raise ValueError("a token or a contract is named twice")

    @cached_property
    def by_contract(self) -> dict[str, Token]:
        """The tokens by the script of their contract."""
        return {token.contract: token for token in self.tokens}

    @cached_property
    def by_asset(self) -> dict[Asset, Token]:
        """The tokens by asset; the native coin is not among them."""
        return {token.asset: token for token in self.tokens}


# Circle publishes these contracts: https://developers.circle.com/stablecoins/usdc-contract-addresses
MAINNET: Final = EvmNetwork("ethereum", 1, ETH, (Token(USDC_ETHEREUM, "a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"),))
SEPOLIA: Final = EvmNetwork(
    "ethereum", 11_155_111, ETH, (Token(USDC_ETHEREUM, "1c7d4b196cb0c7b01d743fbc6116a902379c7238", "USDC"),)
)
BASE: Final = EvmNetwork("base", 8453, ETH_BASE, (Token(USDC_BASE, "833589fcd6edb6e08f4c7c32d4f71b54bda02913"),))
BASE_SEPOLIA: Final = EvmNetwork(
    "base", 84_532, ETH_BASE, (Token(USDC_BASE, "036cbd53842c5426634e7929541ec2318f3dcf7e", "USDC"),)
)

NETWORKS: Final = {"mainnet": MAINNET, "sepolia": SEPOLIA, "base": BASE, "base-sepolia": BASE_SEPOLIA}
_PUBLIC_CHAINS: Final = frozenset(network.chain_id for network in NETWORKS.values())


def private_network(chain_id: int, usdc: str) -> EvmNetwork:
    """A chain of one's own that stands in for Ethereum's, with TestUSDC at this script; ValueError for a public one."""
    if chain_id in _PUBLIC_CHAINS:
        raise ValueError(f"chain {chain_id} is public, and its tokens are known")
    return replace(MAINNET, chain_id=chain_id, tokens=(Token(USDC_ETHEREUM, usdc),))


# An anvil of one's own, on which `play.py` has put TestUSDC first of all: then it stands at this address.
PLAY: Final = private_network(31_337, "e7f1725e7734ce288f8367e1bb143e90bb3f0512")
