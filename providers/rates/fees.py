"""What a venue charges this very account for taking from its book, read from the venue itself.

Kraken: `POST /0/private/TradeVolume`, signed with HMAC-SHA512 over the path and SHA-256 of nonce and body
(docs.kraken.com, "Spot REST Authentication", "Get Trade Volume"; `fees` are percentages). Binance: `GET
/api/v3/account/commission`, signed with HMAC-SHA256 over the query (Binance's "SIGNED endpoint security", "Query
Commission Rates"; parts of one, in lines that add up). A fee that cannot be one is not believed, and the operator's own
figure holds.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol
from urllib.parse import urlencode

import structlog

from app.ports.errors import ProviderError, ProviderUnavailable
from providers.rates.numbers import Unusable, exact
from providers.rates.pairs import binance_symbol, kraken_answers, kraken_pair
from providers.rates.rest import Rest

_EVERY_SECONDS: Final = 3_600.0
_AGAIN_SECONDS: Final = 60.0  # after a failure
_LEAST, _MOST = 0, 20_000  # millionths: no venue pays for taking, none charges more than 2 %
_FEE_PLACES: Final = 18
_COMMISSION_WEIGHT: Final = 20
_log = structlog.stdlib.get_logger(__name__)


class Fees(Protocol):
    """Where fees are read."""

    async def taker_ppm(self, base: str, quote: str) -> int:
        """Our fee for taking, in millionths; raises ProviderUnavailable."""
        ...


class FeeTable:
    """The fees as last read, by pair."""

    def __init__(
        self, name: str, fees: Fees | None, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Without `fees` nothing is ever read."""
        self._name = name
        self._fees = fees
        self._sleep = sleep
        self._known: dict[tuple[str, str], int] = {}

    def taker_ppm(self, base: str, quote: str) -> int | None:
        """The pair's fee in millionths; None while it is not known."""
        return self._known.get((base, quote))

    async def run(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Read them every hour, until cancelled; at once when there is nothing to read."""
        while self._fees is not None:
            await self._sleep(_EVERY_SECONDS if await self.read(pairs) else _AGAIN_SECONDS)

    async def read(self, pairs: Sequence[tuple[str, str]]) -> bool:
        """Read all of them once; False when one could not be read, which keeps what was known of it."""
        complete = True
        for base, quote in pairs if self._fees is not None else ():
            assert self._fees is not None  # noqa: S101 - the loop is empty without
            try:
                fee = await self._fees.taker_ppm(base, quote)
                if not _LEAST <= fee <= _MOST:
                    raise ProviderUnavailable(self._name, "a fee that cannot be one")
            except ProviderError as error:
                complete = False
                _log.warning("price.no_fee", source=self._name, base=base, quote=quote, reason=str(error))
            else:
                self._known[base, quote] = fee
        return complete


class KrakenFees:
    """Kraken's, with a key that may query funds."""

    def __init__(self, rest: Rest, name: str, key: str, secret: str, nonce: Callable[[], int] = time.time_ns) -> None:
        """`nonce` must rise with every request of the key."""
        self._rest = rest
        self._name = name
        self._key = key
        self._secret = secret
        self._nonce = nonce

    async def taker_ppm(self, base: str, quote: str) -> int:
        """Our fee for taking, in millionths; raises ProviderUnavailable."""
        path, nonce = "/0/private/TradeVolume", str(self._nonce())
        content = urlencode({"nonce": nonce, "pair": kraken_pair(base, quote)})
        headers = {
            "API-Key": self._key,
            "API-Sign": kraken_signature(self._secret, path, nonce, content),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = await self._rest.send("POST", path, weight=1, content=content, headers=headers)
        body = answer.body if isinstance(answer.body, dict) else {}
        if body.get("error") != []:
            raise ProviderUnavailable(self._name, "the fees were refused")
        fees = _inside(_inside(body, "result"), "fees")
        for pair in kraken_answers(base, quote):
            if pair in fees:
                return _ppm(self._name, _inside(fees, pair).get("fee"), places=4)
        raise ProviderUnavailable(self._name, "no fee for the pair")


class BinanceFees:
    """Binance's, with a key that may read."""

    def __init__(self, rest: Rest, name: str, key: str, secret: str, now: Callable[[], float] = time.time) -> None:
        """`now` is the time of day in seconds since 1970."""
        self._rest = rest
        self._name = name
        self._key = key
        self._secret = secret
        self._now = now

    async def taker_ppm(self, base: str, quote: str) -> int:
        """Our fee for taking, in millionths: every line that a taker can be charged; raises ProviderUnavailable.

        The dearer of buyer and seller is taken; the discount for those who hold the venue's own coin is not counted.
        """
        query = urlencode({"symbol": binance_symbol(base, quote), "timestamp": int(self._now() * 1000)})
        signed = f"/api/v3/account/commission?{query}&signature={binance_signature(self._secret, query)}"
        headers = {"X-MBX-APIKEY": self._key}
        body = (await self._rest.send("GET", signed, weight=_COMMISSION_WEIGHT, headers=headers)).body
        total = 0
        for kind in ("standardCommission", "specialCommission", "taxCommission"):
            lines = body.get(kind) if isinstance(body, dict) else None
            if lines is None and kind != "standardCommission":
                continue
            if not isinstance(lines, dict):
                raise ProviderUnavailable(self._name, "no fee for the pair")
            taker, buyer, seller = (_ppm(self._name, lines.get(who), places=6) for who in ("taker", "buyer", "seller"))
            total += taker + max(buyer, seller)
        return total


def kraken_signature(secret: str, path: str, nonce: str, content: str) -> str:
    """Kraken's API-Sign of a request; `secret` is in base64, as Kraken shows it."""
    inner = hashlib.sha256((nonce + content).encode()).digest()
    return base64.b64encode(hmac.new(base64.b64decode(secret), path.encode() + inner, hashlib.sha512).digest()).decode()


def binance_signature(secret: str, query: str) -> str:
    """Binance's signature of a query, in hexadecimal."""
    return hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()


def _ppm(name: str, text: object, *, places: int) -> int:
    """A fee as millionths, rounded up: 10^-`places` of the text's unit is one of them."""
    try:
        found = exact(text, _FEE_PLACES)
    except Unusable:
        raise ProviderUnavailable(name, "a fee that cannot be read") from None
    step: int = 10 ** (_FEE_PLACES - places)
    return -(-found // step)


def _inside(body: dict[str, object], name: str) -> dict[str, object]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}
