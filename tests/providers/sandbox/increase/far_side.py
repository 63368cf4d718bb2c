"""What tests of the bank hold in their hands: a running sandbox, and a group of their own in it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from increase import AsyncIncrease

from app.domain.assets import USD
from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.ports.payout import BankDetails, PayoutRequest
from providers.increase.rail import IncreaseRail
from providers.sandbox.client import SandboxClient

REPOSITORY = Path(__file__).parents[4]
HELD = 3600.0  # seconds: nothing moves by itself


class Sandbox:
    """The sandbox in a process of its own; transfers rest `pause` seconds in each state."""

    def __init__(self, home: Path, *, port: int = 0, pause: float = HELD) -> None:
        command = [sys.executable, "-m", "tests.providers.sandbox.increase.serve", str(home), str(port), str(pause)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
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


class Bank:
    """One API key's bank, seen through the unmodified SDK, plain HTTP, and the controls."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.api_key = f"sandbox_key_{secrets.token_hex(12)}"
        self.http = httpx.AsyncClient(base_url=url, timeout=10, trust_env=False, verify=False)
        self.acts = SandboxClient(self.http, url)
        self.sdk = AsyncIncrease(api_key=self.api_key, base_url=f"{url}/increase", http_client=self.http, max_retries=0)

    def rail(self, *, account_id: str | None = None, timeout: float = 5.0) -> IncreaseRail:
        """Our adapter, which the caller closes."""
        base = f"{self.url}/increase"
        return IncreaseRail(self.api_key, account_id=account_id, livemode=False, api_base=base, timeout=timeout)

    async def account_id(self) -> str:
        """The account that the key opens."""
        return (await self.sdk.accounts.list()).data[0].id

    async def balance(self) -> int:
        """Cents on the account."""
        return (await self.sdk.accounts.balance(await self.account_id())).current_balance

    async def post(self, path: str, body: object, key: str | None = None) -> httpx.Response:
        """A raw request to Increase's REST."""
        headers = {"authorization": f"Bearer {self.api_key}"} | ({"idempotency-key": key} if key else {})
        return await self.http.post(f"/increase/{path}", json=body, headers=headers)

    async def arm(self, kind: str, **fields: object) -> None:
        """Let the sandbox misbehave towards this key."""
        body = {"kind": kind, "account": self.api_key, **fields}
        response = await self.http.post("/control/faults", json=body)
        assert response.status_code == 201, response.text

    async def categories(self) -> list[str]:
        """Every event so far, oldest first."""
        return [str(event.category) for event in (await self.sdk.events.list()).data][::-1]


def asked(
    method: PayoutMethod = PayoutMethod.ACH, units: int = 12_345, *, account: str = "987600001111", key: str = ""
) -> PayoutRequest:
    """A payout to make."""
    details = BankDetails("Jane Doe", routing_number="110000000", account_number=account)
    return PayoutRequest(key or f"po_{secrets.token_hex(8)}", method, dollars(units), details, "Order 4711")


def dollars(cents: int) -> Money:
    """Cents."""
    return Money(cents, USD)
