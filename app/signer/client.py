"""The callers' end of the signer's socket: what the worker signs with, having no key of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from app.ports.errors import ProviderUnavailable, SigningPostponed, SigningRefused
from app.signer import wire
from app.signer.refusals import PASSING
from providers.bitcoin.signer import Draft
from providers.evm.signer import CallDraft

PROVIDER: Final = "signer"
# A transaction of the database is open meanwhile; signing the largest transaction takes two seconds.
_PATIENCE_SECONDS: Final = 10.0
# What is wrong with a connection whose other end was started again.
_GONE = (OSError, EOFError, wire.MalformedError)


class SignerClient:
    """A connection to the signer, made when it is needed and once more when it is lost."""

    def __init__(self, path: Path) -> None:
        """`path` is the signer's socket. Nothing is connected yet."""
        self._path = path
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def aclose(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def public(self) -> dict[str, str]:
        """The extended public keys, by network; raises ProviderUnavailable when the signer cannot be asked."""
        return (await self._ask(wire.ask_public())).public or {}

    async def sign_draft(self, network: str, draft: Draft) -> bytes:
        """A signed Bitcoin transaction; raises SigningRefused, or ProviderUnavailable when it may be asked again."""
        return bytes.fromhex((await self._ask(wire.ask_draft(network, draft))).raw or "")

    async def sign_call(self, draft: CallDraft) -> bytes:
        """A signed EVM call; raises as `sign_draft` does."""
        return bytes.fromhex((await self._ask(wire.ask_call(draft))).raw or "")

    async def _ask(self, document: bytes) -> wire.Answer:
        frame = wire.framed(document)
        async with self._turn:
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    answer = await self._exchange(frame)
            except (*_GONE, TimeoutError) as error:
                await self.aclose()
                raise ProviderUnavailable(PROVIDER, f"the signer does not answer: {type(error).__name__}") from None
            except BaseException:
                await self.aclose()  # what was cut off here must not be read as the answer to something else
                raise
        if answer.refused is None:
            return answer
        refused = answer.refused
        if refused.rule in PASSING:
            raise SigningPostponed(refused.message, code=refused.rule.value, coins=refused.coins)
        raise SigningRefused(refused.message, code=refused.rule.value, subjects=refused.subjects, coins=refused.coins)

    async def _exchange(self, frame: bytes) -> wire.Answer:
        """Ask; once more over a new connection when the old one is gone. Asking twice signs the same, once."""
        if self._streams is not None:
            try:
                return await self._once(frame)
            except _GONE:
                await self.aclose()
        return await self._once(frame)

    async def _once(self, frame: bytes) -> wire.Answer:
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(self._path)
        reader, writer = self._streams
        writer.write(frame)
        await writer.drain()
        answer = await wire.read_frame(reader)
        if answer is None:
            raise EOFError
        return wire.read_answer(answer)


class SocketSigner:
    """The signer of one Bitcoin-like network, behind the socket: `providers.bitcoin.signer.Signer`."""

    def __init__(self, client: SignerClient, network: str) -> None:
        """`network` is its name in the catalogue."""
        self._client = client
        self._network = network

    async def sign(self, draft: Draft) -> bytes:
        """See `providers.bitcoin.signer.Signer`."""
        return await self._client.sign_draft(self._network, draft)
