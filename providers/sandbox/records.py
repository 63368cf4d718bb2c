"""The sandbox's log of requests as an auditor's records: what our program asked of a provider, by another's account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.ports.records import SeenRequest
from providers.sandbox.client import SandboxClient

# Setting up webhooks and opening numbers moves no money; everything else that is posted may.
_HARMLESS = ("/v1/webhook_endpoints", "/event_subscriptions", "/account_numbers")


class SandboxRecords:
    """Implements RequestRecords for one account of the sandbox, at Stripe or at Increase."""

    def __init__(self, client: SandboxClient, account: str) -> None:
        """`account` is the account's id, or a secret key that opens it."""
        self._client = client
        self._account = account

    async def requests(self) -> Sequence[SeenRequest]:
        """Every request of the account that could have moved money, oldest first; raises ProviderUnavailable."""
        found = [_seen(line) for line in await self._client.requests(self._account)]
        return [request for request in found if request.method == "POST" and not request.path.startswith(_HARMLESS)]


def _seen(line: dict[str, object]) -> SeenRequest:
    key, status = line["idempotency_key"], line["status"]
    return SeenRequest(
        at=datetime.fromtimestamp(float(str(line["received_at"])), UTC),
        method=str(line["method"]),
        path=str(line["path"]),
        key=None if key is None else str(key),
        status=status if isinstance(status, int) else None,
    )
