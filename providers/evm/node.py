"""Talking to a node: Ethereum's JSON-RPC over httpx, and what its failures mean.

What was never sent may be sent again, what was sent and not answered may have happened, and what the node refuses is
told apart by `refusals.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final, TypeVar

import httpx

from app.ports.account_chain import NonceUsed, Underpriced
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderThrottled, ProviderUnavailable
from providers.evm.answers import Unusable, as_data, as_object, as_quantity, as_text, decode
from providers.evm.refusals import SendAnswer, is_block_gone, is_execution, is_throttle, send_answer

T = TypeVar("T")
Block = str  # a tag such as "latest", or a height as a quantity

_LIMIT_EXCEEDED: Final = -32005  # EIP-1474
# The node, or the gate before it, turns these away before anything is done.
_TURNED_AWAY: Final = frozenset({401, 402, 403, 503})
_TOO_OFTEN: Final = 429
_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)
_LONGEST_MESSAGE: Final = 200


class NodeError(Exception):
    """The node understood and said no, with its code, its words, and what a reverted call answered."""

    def __init__(self, code: int, message: str, data: bytes = b"") -> None:
        """Keep the message without what could break a log line."""
        self.code = code
        self.message = "".join(char if char.isprintable() else " " for char in message)[:_LONGEST_MESSAGE]
        self.data = data
        super().__init__(f"{code} {self.message}")


class Reverted(Exception):
    """The call was carried out and failed; `data` is what the contract answered, `message` what the node says."""

    def __init__(self, message: str, data: bytes) -> None:
        """Keep both."""
        self.message, self.data = message, data
        super().__init__(message)


class BlockGone(Exception):
    """The node does not have the block in its chain whose state was asked for."""


class Node:
    """A connection to one node of one chain. Errors carry `provider`, the network's name in the catalogue."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, *, provider: str, chain_id: int, timeout_seconds: float = 30
    ) -> None:
        """Use the caller's client. The URL may hold a key and is never shown."""
        self.provider = provider
        self.chain_id = chain_id
        self._client = client
        self._url = url
        self._timeout = httpx.Timeout(timeout_seconds)
        self._ids = itertools.count(1)

    async def check_chain(self) -> None:
        """Raise ProviderRejected unless the node is on our chain: everything else it says is about another world."""
        found = await self.read(as_quantity, "eth_chainId")
        if found != self.chain_id:
            raise ProviderRejected(self.provider, f"the node is on chain {found} instead of {self.chain_id}")

    async def read(self, convert: Callable[[object], T], method: str, *params: object) -> T:
        """Ask for something that changes nothing; every failure means: ask again later (ProviderUnavailable)."""
        try:
            return await self.query(convert, method, *params)
        except NodeError as error:
            raise self._unavailable(error) from None

    async def query(self, convert: Callable[[object], T], method: str, *params: object) -> T:
        """As `read`, but the node's own errors come through as NodeError."""
        try:
            return convert(await self._ask(method, *params))
        except OutcomeUnknown as error:
            raise ProviderUnavailable(self.provider, "the node's answer was lost", code=error.code) from error
        except Unusable as error:
            raise ProviderUnavailable(self.provider, f"the node's answer cannot be used: {error}") from None

    async def execute(self, convert: Callable[[object], T], method: str, *params: object) -> T:
        """Have a call carried out without sending it (`eth_call`, `eth_estimateGas`); raises Reverted when it fails."""
        try:
            return await self.query(convert, method, *params)
        except NodeError as error:
            if is_execution(error.code, error.message):
                raise Reverted(error.message, error.data) from None
            raise self._unavailable(error) from None

    async def read_at(self, convert: Callable[[object], T], block_hash: str, method: str, *params: object) -> T:
        """Ask for something as it was after a block (EIP-1898); raises BlockGone when that is not in the chain."""
        at = {"blockHash": f"0x{block_hash}", "requireCanonical": True}
        try:
            return await self.query(convert, method, *params, at)
        except NodeError as error:
            if is_block_gone(error.code, error.message):
                raise BlockGone from None
            raise self._unavailable(error) from None

    async def send(self, raw: bytes, txid: str) -> None:
        """Hand over a transaction; known already is success.

        Raises NonceUsed, Underpriced or ProviderRejected when it is refused, ProviderUnavailable when it certainly was
        not taken but may be later, OutcomeUnknown when the answer was lost.
        """
        try:
            answer = await self._ask("eth_sendRawTransaction", f"0x{raw.hex()}")
        except NodeError as error:
            await self._judge(error, txid)
            return
        if answer != f"0x{txid}":
            raise OutcomeUnknown(self.provider, "the node answered a broadcast with another transaction's id")

    async def _judge(self, error: NodeError, txid: str) -> None:
        """Return when the transaction is with the network in spite of the error; raise what it means otherwise."""
        code, said = str(error.code), send_answer(error.code, error.message)
        match said:
            case SendAnswer.KNOWN:
                return
            case SendAnswer.NONCE_USED:
                if not await self._knows(txid):
                    raise NonceUsed(self.provider, error.message, code=code) from None
            case SendAnswer.UNDERPRICED:
                raise Underpriced(self.provider, error.message, code=code) from None
            case SendAnswer.SHORT | SendAnswer.LATER:
                raise ProviderUnavailable(self.provider, error.message, code=said.value) from None
            case SendAnswer.REFUSED:
                raise ProviderRejected(self.provider, error.message, code=code) from None
            case SendAnswer.UNKNOWN:
                raise OutcomeUnknown(self.provider, error.message, code=code) from None

    async def _knows(self, txid: str) -> bool:
        """Whether the node has this very transaction: then it is what has used the nonce."""
        try:
            return await self.read(lambda found: found is not None, "eth_getTransactionByHash", f"0x{txid}")
        except ProviderUnavailable:
            return False  # NonceUsed leaves open which bytes were mined

    async def _ask(self, method: str, *params: object) -> object:
        """One call. Raises NodeError, ProviderUnavailable when nothing was done, OutcomeUnknown when the answer
        was lost."""
        call_id = next(self._ids)
        body = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}
        try:
            response = await self._client.post(self._url, json=body, timeout=self._timeout)
        except _NEVER_SENT as error:
            raise ProviderUnavailable(self.provider, f"the node cannot be reached: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(self.provider, f"the node's answer was lost: {type(error).__name__}") from None
        if response.status_code == _TOO_OFTEN:
            raise self._throttled(response)
        if response.status_code in _TURNED_AWAY:
            raise ProviderUnavailable(self.provider, "the node turned us away", code=str(response.status_code))
        try:
            return _result_of(response, call_id)
        except NodeError as error:
            if error.code == _LIMIT_EXCEEDED and is_throttle(error.message):
                raise self._throttled(response) from None
            raise
        except Unusable:
            code = str(response.status_code)
            raise OutcomeUnknown(self.provider, "the node's answer cannot be read", code=code) from None

    def _throttled(self, response: httpx.Response) -> ProviderThrottled:
        wait = response.headers.get("retry-after", "")
        seconds = float(wait) if wait.isascii() and wait.isdigit() else None
        return ProviderThrottled(self.provider, "the node wants to be asked less often", retry_after=seconds)

    def _unavailable(self, error: NodeError) -> ProviderUnavailable:
        return ProviderUnavailable(self.provider, error.message, code=str(error.code))


def _result_of(response: httpx.Response, call_id: int) -> object:
    """The result in a response; raises NodeError and Unusable. Some nodes answer errors with a status of their own."""
    answer = as_object(decode(response.content))
    error = answer.get("error")
    if error is not None:
        refusal = as_object(error)
        number = refusal.get("code")
        if not isinstance(number, int):
            raise Unusable("error without a code")
        raise NodeError(number, as_text(refusal.get("message")), _revert_data(refusal.get("data")))
    if answer.get("id") != call_id or "result" not in answer or not response.is_success:
        raise Unusable("not an answer to this call")
    return answer["result"]


def _revert_data(value: object) -> bytes:
    """What a reverted call answered; nothing when the node does not say it in the usual way."""
    try:
        return as_data(value)
    except Unusable:
        return b""
