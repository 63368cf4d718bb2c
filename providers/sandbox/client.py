"""Speaking to a running sandbox: the customer's and the miner's acts, the faucet, and its own records."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from app.ports.errors import ProviderRejected, ProviderUnavailable

PROVIDER = "sandbox"


class SandboxClient:
    """Implements Simulator; `base_url` is the sandbox's own address."""

    def __init__(self, client: httpx.AsyncClient, base_url: str) -> None:
        """Use the caller's client, who also closes it."""
        self._client = client
        self._base_url = base_url.rstrip("/")

    async def pay(self, payment_reference: str, card: str) -> None:
        """Do what the customer's browser does with a test card."""
        await self.command("POST", "/control/stripe/pay", {"payment_intent": payment_reference, "card": card})

    async def mine(self, network: str, blocks: int) -> list[str]:
        """Mine so many blocks; their hashes. Only `bitcoin` has a miner here."""
        if network != "bitcoin":
            raise ProviderRejected(PROVIDER, "there is no such chain here")
        answer = await self.command("POST", "/control/bitcoin/mine", {"blocks": blocks})
        return [str(block) for block in answer["blocks"]]

    async def fund(self, outputs: Sequence[tuple[str, int]]) -> list[str]:
        """Pay addresses from the faucet, in satoshi, and mine that; the transactions' ids."""
        body = {"outputs": [{"address": address, "amount": amount} for address, amount in outputs]}
        answer = await self.command("POST", "/control/bitcoin/fund", body)
        return [str(txid) for txid in answer["txids"]]

    async def requests(self, account: str) -> list[dict[str, object]]:
        """Every request that an account (by its secret key) has made, in order, as the sandbox logged it."""
        found: list[dict[str, object]] = []
        while True:
            after = found[-1]["id"] if found else 0
            params = {"account": account, "after": str(after), "limit": "1000"}
            page = await self.command("GET", "/control/requests", params=params)
            found += page["data"]
            if not page["has_more"]:
                return found

    async def command(
        self, method: str, path: str, body: object = None, *, params: dict[str, str] | None = None
    ) -> dict[str, list[dict[str, object]]]:
        """One call of the sandbox's own controls; raises ProviderRejected for a refusal, else ProviderUnavailable."""
        try:
            response = await self._client.request(method, self._base_url + path, json=body, params=params)
        except httpx.HTTPError as error:
            raise ProviderUnavailable(PROVIDER, f"no answer: {type(error).__name__}") from None
        if response.status_code >= 500:
            raise ProviderUnavailable(PROVIDER, f"answered {response.status_code}")
        if response.status_code >= 400:
            raise ProviderRejected(PROVIDER, f"refused {path}: {response.text[:200]}")
        answer: dict[str, list[dict[str, object]]] = response.json()
        return answer
