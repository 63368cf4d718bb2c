"""Holding what we believe of a chain's tokens against the chain: a wrong contract must be found before money moves."""

from __future__ import annotations

from app.ports.errors import ProviderRejected
from providers.evm.answers import as_data, as_word
from providers.evm.calls import view
from providers.evm.networks import EvmNetwork, Token
from providers.evm.node import Node


async def check_tokens(node: Node, network: EvmNetwork) -> None:
    """Raise ProviderRejected unless the chain is ours and every token has code, our decimals, and our EIP-712 domain.

    Raises ProviderUnavailable when the node cannot be asked.
    """
    await node.check_chain()
    for token in network.tokens:
        code = await node.read(as_data, "eth_getCode", f"0x{token.contract}", "latest")
        if not code:
            raise _wrong(node, token, "there is no contract")
        decimals = await _ask(node, token, b"decimals()")
        if decimals != token.asset.decimals:
            raise _wrong(node, token, f"it has {decimals} decimals instead of {token.asset.decimals}")
        domain = await _ask(node, token, b"DOMAIN_SEPARATOR()")
        if domain != int.from_bytes(token.domain(network.chain_id), "big"):
            raise _wrong(node, token, "it signs by another name, version or chain")


async def _ask(node: Node, token: Token, signature: bytes) -> int:
    question = {"to": f"0x{token.contract}", "data": f"0x{view(signature).hex()}"}
    return await node.read(as_word, "eth_call", question, "latest")


def _wrong(node: Node, token: Token, why: str) -> ProviderRejected:
    return ProviderRejected(node.provider, f"{token.asset.id} at 0x{token.contract}: {why}", code="token_wrong")
