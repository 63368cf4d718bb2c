"""What the venues call our pairs."""

from __future__ import annotations

from typing import Final

_KRAKEN_CODES: Final = {"BTC": "XBT"}


def kraken_pair(base: str, quote: str) -> str:
    """The pair in Kraken's REST: XBTEUR."""
    return _KRAKEN_CODES.get(base, base) + quote


def kraken_answers(base: str, quote: str) -> tuple[str, ...]:
    """What an answer about the pair may be keyed by: Kraken still answers about older assets under older names."""
    code = _KRAKEN_CODES.get(base, base)
    return f"{code}{quote}", f"X{code}Z{quote}", f"{base}{quote}"


def kraken_symbol(base: str, quote: str) -> str:
    """The pair in Kraken's WebSocket v2: BTC/EUR."""
    return f"{base}/{quote}"


def binance_symbol(base: str, quote: str) -> str:
    """The pair at Binance: BTCEUR."""
    return base + quote
