"""What assets and networks are called where customers read it."""

from __future__ import annotations

from typing import Final

ASSET_NAMES: Final = {
    "EUR": "Euro",
    "USD": "US dollar",
    "GBP": "Pound sterling",
    "JPY": "Japanese yen",
    "BTC": "Bitcoin",
    "LTC": "Litecoin",
    "ETH": "Ether",
    "USDC": "USD Coin",
}
SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
NETWORK_NAMES: Final = {"bitcoin": "Bitcoin", "litecoin": "Litecoin", "ethereum": "Ethereum", "base": "Base"}
