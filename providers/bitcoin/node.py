"""Talking to a node: Bitcoin Core's JSON-RPC over httpx, and what its errors mean.

The codes are Bitcoin Core's (`src/rpc/protocol.h`); texts differ between versions and are used only where one code
covers both a refusal for good and one for now.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

import httpx

from app.ports.chain import ChainTransaction, Waiting
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from providers.bitcoin.answers import (
    Unusable,
    as_count,
    as_hash,
    as_list,
    as_object,
    as_satoshi,
    as_text,
    decode,
    transaction_of,
)

_BITCOIN: Final = "bitcoin"

T = TypeVar("T")

_INVALID_PARAMETER: Final = -8  # also: no block at this height
_INVALID_ADDRESS_OR_KEY: Final = -5  # also: no such transaction or block
_MISSING_INPUTS: Final = -25
_POLICY: Final = -26
_ALREADY_MINED: Final = -27
# What the node says before it has done anything: bad types, no such method, undecodable, refused.
_REFUSALS: Final = frozenset({-3, _INVALID_PARAMETER, -22, _MISSING_INPUTS, _POLICY, -32600, -32601, -32602, -32700})
_NOT_NOW: Final = frozenset({-7, -9, -10, -28})  # out of memory, not connected, still downloading, still starting
_ALREADY_WAITING: Final = ("txn-already-in-mempool", "txn-already-known", "txn-same-nonwitness-data-in-mempool")
_LATER: Final = ("mempool min fee not met", "mempool full", "too-long-mempool-chain", "too-large-cluster")
# The node turns these away at its door, before any command runs.
_TURNED_AWAY: Final = frozenset({401, 403, 429, 503})
_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)
_LONGEST_MESSAGE: Final = 200


class NodeError(Exception):
    """The node understood and said no, with its code."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the code, and the message without what could break a log line."""
        self.code = code
        self.message = "".join(char if char.isprintable() else " " for char in message)[:_LONGEST_MESSAGE]
        super().__init__(f"{code} {self.message}")


class Node:
    """A connection to one node."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        *,
        user: str,
        password: str,
        provider: str = _BITCOIN,
        timeout_seconds: float = 30,
    ) -> None:
        """Use the caller's client, who also closes it: a Core node does not stop while a connection is open.

        Errors name the `provider`.
        """
        self.provider = provider
        self._client = client
        self._url = url
        self._auth = httpx.BasicAuth(user, password)
        self._timeout = httpx.Timeout(timeout_seconds)
        self._ids = itertools.count(1)

    async def chain(self) -> str:
        """Which chain the node follows: `main`, `test`, `testnet4`, `signet`, `regtest`."""
        return await self._read(lambda answer: as_text(as_object(answer).get("chain")), "getblockchaininfo")

    async def block_count(self) -> int:
        """The height of the newest block."""
        return await self._read(as_count, "getblockcount")

    async def block_hash(self, height: int) -> str | None:
        """The hash of the block at a height of the active chain; None above its tip."""
        try:
            return await self._query(as_hash, "getblockhash", height)
        except NodeError as error:
            if error.code == _INVALID_PARAMETER:
                return None
            raise self._unavailable(error) from None

    async def block(self, block_hash: str) -> dict[str, object]:
        """A block with its transactions, as `getblock` tells it with verbosity 2."""
        return await self._read(as_object, "getblock", block_hash, 2)

    async def best_block(self) -> str:
        """The hash of the newest block."""
        return await self._read(as_hash, "getbestblockhash")

    async def mempool(self) -> list[str]:
        """The ids of the transactions that wait for a block."""
        return await self._read(lambda answer: [as_hash(txid) for txid in as_list(answer)], "getrawmempool")

    async def waiting(self, seen: AbstractSet[str], limit: int) -> Waiting:
        """What waits for a block: see `app.ports.chain.ChainRail`. One that leaves while we read is left out."""
        txids = await self.mempool()
        unseen = [txid for txid in txids if txid not in seen]
        found = [await self.transaction(txid) for txid in unseen[:limit]]
        tip = await self.best_block()
        read = tuple(transaction for transaction in found if transaction is not None)
        return Waiting(frozenset(txids), read, tip, more=len(unseen) > limit)

    async def transaction(self, txid: str) -> ChainTransaction | None:
        """A waiting transaction; None when the node does not have it any more."""
        try:
            return await self._query(lambda answer: transaction_of(as_object(answer)), "getrawtransaction", txid, 1)
        except NodeError as error:
            if error.code == _INVALID_ADDRESS_OR_KEY:
                return None
            raise self._unavailable(error) from None

    async def spent_by(self, txid: str, block_hash: str) -> list[dict[str, object]]:
        """The inputs of a transaction in a block that is named, which needs no index of all transactions.

        Nodes that know what their inputs spent say so with verbosity 2 (Bitcoin Core from 25 on); others read it as 1.
        """
        answer = await self._read(as_object, "getrawtransaction", txid, 2, block_hash)
        try:
            return [as_object(item) for item in as_list(answer.get("vin"))]
        except Unusable as error:
            raise ProviderUnavailable(self.provider, f"a transaction cannot be read: {error}") from None

    async def estimated_fee(self, target_blocks: int) -> int | None:
        """What to pay to be mined within so many blocks, in satoshi per 1000 virtual bytes; None if it cannot say."""
        try:
            answer = await self._query(as_object, "estimatesmartfee", target_blocks)
            return as_satoshi(answer.get("feerate")) or None
        except Unusable:
            return None
        except NodeError as error:
            if error.code in _NOT_NOW:
                raise self._unavailable(error) from None
            return None

    async def send(self, raw: bytes, txid: str) -> None:
        """Hand over a transaction; already waiting or already mined is success.

        Raises ProviderRejected when it is refused, ProviderUnavailable when it certainly was not taken but may be
        later, OutcomeUnknown when the answer was lost. A refusal with code -25 says that a coin is gone; that this
        very transaction has spent it, and everything it paid has been spent since, only the chain can tell.
        """
        try:
            answer = await self._ask("sendrawtransaction", raw.hex())
        except NodeError as error:
            await self._judge(error, txid)
            return
        if answer != txid:
            raise OutcomeUnknown(self.provider, "the node answered a broadcast with another transaction's id")

    async def _judge(self, error: NodeError, txid: str) -> None:
        """Return when the transaction is with the network in spite of the error; raise what it means otherwise."""
        code = str(error.code)
        if error.code == _ALREADY_MINED or (error.code == _POLICY and _says(error, _ALREADY_WAITING)):
            return
        if error.code in _NOT_NOW or (error.code == _POLICY and _says(error, _LATER)):
            raise ProviderUnavailable(self.provider, error.message, code=code) from None
        if error.code not in _REFUSALS:
            # An internal error of the node says nothing about how far it had come.
            raise OutcomeUnknown(self.provider, error.message, code=code) from None
        if error.code == _MISSING_INPUTS and await self._explains_missing(txid):
            return
        raise ProviderRejected(self.provider, error.message, code=code) from None

    async def _explains_missing(self, txid: str) -> bool:
        """Whether the inputs are missing because the transaction itself is known.

        Raises ProviderUnavailable when the node has not caught up with the chain and cannot know its coins yet.
        """
        try:
            await self._query(as_text, "getrawtransaction", txid)
        except NodeError as error:
            if error.code != _INVALID_ADDRESS_OR_KEY:
                raise self._unavailable(error) from None
        else:
            return True
        if await self._read(_is_behind, "getblockchaininfo"):
            raise ProviderUnavailable(
                self.provider, "the node has not caught up with the chain", code=str(_MISSING_INPUTS)
            )
        return False

    async def _read(self, convert: Callable[[object], T], method: str, *params: object) -> T:
        """Ask for something that changes nothing; every failure means: ask again later."""
        try:
            return await self._query(convert, method, *params)
        except NodeError as error:
            raise self._unavailable(error) from None

    async def _query(self, convert: Callable[[object], T], method: str, *params: object) -> T:
        """As `_read`, but the node's own errors come through as NodeError."""
        try:
            return convert(await self._ask(method, *params))
        except OutcomeUnknown as error:
            raise ProviderUnavailable(self.provider, "the node's answer was lost", code=error.code) from error
        except Unusable as error:
            raise ProviderUnavailable(self.provider, f"the node's answer cannot be used: {error}") from None

    async def _ask(self, method: str, *params: object) -> object:
        """One call. Raises NodeError, ProviderUnavailable when nothing was done, OutcomeUnknown when the answer
        was lost."""
        call_id = next(self._ids)
        body = {"jsonrpc": "1.0", "id": call_id, "method": method, "params": params}
        try:
            response = await self._client.post(self._url, json=body, auth=self._auth, timeout=self._timeout)
        except _NEVER_SENT as error:
            raise ProviderUnavailable(self.provider, f"the node cannot be reached: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(self.provider, f"the node's answer was lost: {type(error).__name__}") from None
        if response.status_code in _TURNED_AWAY:
            raise ProviderUnavailable(self.provider, "the node turned us away", code=str(response.status_code))
        return _result_of(response, call_id, self.provider)

    def _unavailable(self, error: NodeError) -> ProviderUnavailable:
        return ProviderUnavailable(self.provider, error.message, code=str(error.code))


def _result_of(response: httpx.Response, call_id: int, provider: str) -> object:
    """The result in a response. Core answers errors with status 500, 404 or 400 and a body that explains."""
    code = str(response.status_code)
    try:
        answer = as_object(decode(response.content))
        error = answer.get("error")
        if error is not None:
            refusal = as_object(error)
            number = refusal.get("code")
            if not isinstance(number, int):
                raise Unusable("error without a code")
            raise NodeError(number, as_text(refusal.get("message")))
        if answer.get("id") != call_id or "result" not in answer or not response.is_success:
            raise Unusable("not an answer to this call")
    except Unusable:
        raise OutcomeUnknown(provider, "the node's answer cannot be read", code=code) from None
    return answer["result"]


def _says(error: NodeError, phrases: tuple[str, ...]) -> bool:
    return any(phrase in error.message for phrase in phrases)


def _is_behind(answer: object) -> bool:
    info = as_object(answer)
    return as_count(info.get("blocks")) < as_count(info.get("headers"))
