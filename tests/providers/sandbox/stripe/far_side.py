"""What tests hold in their hands: the running sandbox, a Stripe account of their own in it, a webhook receiver."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import stripe

REPOSITORY = Path(__file__).parents[4]


class Sandbox:
    """The sandbox in a process of its own."""

    def __init__(self, home: Path, *, port: int = 0, bitcoin: bool = False) -> None:
        command = [sys.executable, "-m", "tests.providers.sandbox.stripe.serve", str(home), str(port)]
        self._process = subprocess.Popen(
            command + (["--bitcoin"] if bitcoin else []), stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process and return its exit code."""
        assert self._process.stdout is not None
        os.kill(self._process.pid, how)
        code = self._process.wait(timeout=10)
        self._process.stdout.close()
        return code


class FarSide:
    """One account at the sandbox, seen through the unmodified SDK, plain HTTP, and the controls."""

    def __init__(self, url: str, sdk_http: stripe.HTTPXClient) -> None:
        self.url = url
        self.secret_key = f"sk_test_{secrets.token_hex(12)}"
        self.http = httpx.AsyncClient(base_url=url, timeout=10, trust_env=False, verify=False)
        self._sdk_http = sdk_http
        client = stripe.StripeClient(
            self.secret_key,
            base_addresses={"api": f"{url}/stripe"},
            http_client=sdk_http,
            max_network_retries=0,
        )
        self.stripe = client.v1

    @asynccontextmanager
    async def neighbour(self) -> AsyncIterator[FarSide]:
        """Another account at the same sandbox."""
        other = FarSide(self.url, self._sdk_http)
        try:
            yield other
        finally:
            await other.http.aclose()

    async def open(self, amount: int = 10_000, currency: str = "eur", **metadata: str) -> stripe.PaymentIntent:
        """A payment as our adapter opens it."""
        return await self.stripe.payment_intents.create_async(
            {
                "amount": amount,
                "currency": currency,
                "capture_method": "manual",
                "allowed_payment_method_types": ["card"],
                "metadata": metadata,
            }
        )

    async def captured(self, amount: int = 10_000, card: str = "4242424242424242") -> stripe.PaymentIntent:
        """A payment that is ours."""
        intent = await self.open(amount)
        await self.act("pay", payment_intent=intent.id, card=card)
        return await self.stripe.payment_intents.capture_async(intent.id)

    async def act(self, name: str, **body: object) -> dict[str, object]:
        """What happens at Stripe without our asking."""
        response = await self.http.post(f"/control/stripe/{name}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def arm(self, kind: str, **fields: object) -> None:
        """Let the sandbox misbehave towards this account."""
        body = {"kind": kind, "account": self.secret_key, **fields}
        response = await self.http.post("/control/faults", json=body)
        assert response.status_code == 201, response.text

    async def post(self, path: str, data: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        """A raw request to Stripe's REST."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(
            f"/stripe/v1/{path}", data=data, headers={"authorization": f"Bearer {self.secret_key}"} | named
        )

    async def event_types(self) -> list[str]:
        """Every event so far, oldest first."""
        return [event.type for event in (await self.stripe.events.list_async({"limit": 100})).data][::-1]

    async def requests(self) -> list[dict[str, object]]:
        """The sandbox's log of this account's requests."""
        data = (await self.http.get("/control/requests", params={"account": self.secret_key})).json()["data"]
        assert isinstance(data, list)
        return data


@dataclass
class Received:
    """One webhook as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def type(self) -> str:
        return str(stripe.Event.construct_from(_json(self.body), None).type)

    @property
    def id(self) -> str:
        return str(_json(self.body)["id"])


@dataclass
class Receiver:
    """A subscriber on loopback. `answers` are the statuses that it gives first; then it gives 200."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/stripe"

    def types(self) -> list[str]:
        return [each.type for each in self.received]

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")[1:-2]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.received.append(Received(headers, body))
                status = self.answers.pop(0) if self.answers else 200
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """A webhook receiver while the block runs."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 5.0) -> None:
    """Wait until something holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        held = holds()
        if held if isinstance(held, bool) else await held:
            return
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def _json(body: bytes) -> dict[str, object]:
    document = httpx.Response(200, content=body).json()
    assert isinstance(document, dict)
    return document
