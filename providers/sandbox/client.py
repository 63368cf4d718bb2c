"""Speaking to a running sandbox: the customer's and the miner's acts, the faucet, and its own records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import httpx

from app.ports.errors import ProviderRejected, ProviderUnavailable
from app.ports.simulator import CardAnswer

PROVIDER = "sandbox"


class SandboxClient:
    """Implements Simulator; `base_url` is the sandbox's own address."""

    def __init__(self, client: httpx.AsyncClient, base_url: str) -> None:
        """Use the caller's client, who also closes it."""
        self._client = client
        self._base_url = base_url.rstrip("/")

    async def pay(self, payment_reference: str, card: str) -> CardAnswer:
        """Do what the customer's browser does with a test card."""
        return await self._card("POST", "/control/stripe/pay", {"payment_intent": payment_reference, "card": card})

    async def authenticate(self, payment_reference: str, *, succeeded: bool) -> CardAnswer:
        """End the customer's 3-D Secure challenge."""
        outcome = "succeeded" if succeeded else "failed"
        body = {"payment_intent": payment_reference, "outcome": outcome}
        return await self._card("POST", "/control/stripe/authenticate", body)

    async def _card(self, method: str, path: str, body: object) -> CardAnswer:
        """An act on a card, and what Stripe's script would tell the browser of it."""
        answer: dict[str, object] = dict(await self.command(method, path, body))
        error = answer.get("error")
        if isinstance(error, dict):
            return CardAnswer("declined", error.get("decline_code") or error.get("code"))
        match answer.get("status"):
            case "succeeded" | "requires_capture":
                return CardAnswer("succeeded")
            case "requires_action":
                return CardAnswer("requires_action")
            case "processing":
                return CardAnswer("processing")
        failed = answer.get("last_payment_error")
        return CardAnswer("declined", str(failed["code"]) if isinstance(failed, dict) else None)

    async def dispute(self, payment_reference: str, *, units: int | None, outcome: str | None) -> None:
        """Charge a payment back, wholly or in part; with an `outcome`, end the dispute so."""
        body = {"payment_intent": payment_reference, "amount": units, "outcome": outcome}
        await self.command("POST", "/control/stripe/dispute", body)

    async def debit(self, payment_reference: str, account: str) -> None:
        """Give a mandate for a test bank account, as the customer does in the browser."""
        body = {"payment_intent": payment_reference, "account": account}
        await self.command("POST", "/control/stripe/debit", body)

    async def settle_debit(self, payment_reference: str) -> None:
        """Let the customer's bank answer: pay, or return the debit, as the account does."""
        await self.command("POST", "/control/stripe/settle", {"payment_intent": payment_reference})

    async def return_debit(self, payment_reference: str, code: str) -> None:
        """Let the customer's bank return a debit under a code of its scheme, at any time."""
        await self.command("POST", "/control/stripe/return", {"payment_intent": payment_reference, "code": code})

    async def transfer(self, payment_reference: str, units: int) -> None:
        """Let a bank transfer arrive where the payment's instructions say."""
        body = {"payment_intent": payment_reference, "amount": units}
        await self.command("POST", "/control/stripe/transfer", body)

    async def mine(self, network: str, blocks: int) -> list[str]:
        """Mine so many blocks; their hashes. Only `bitcoin` has a miner here."""
        if network != "bitcoin":
            raise ProviderRejected(PROVIDER, "there is no such chain here")
        answer = await self.command("POST", "/control/bitcoin/mine", {"blocks": blocks})
        return [str(block) for block in answer["blocks"]]

    async def mine_unless_paused(self) -> None:
        """Mine a block of bitcoin's, unless its miner is told to pause."""
        await self.command("POST", "/control/bitcoin/mine", {"blocks": 1, "even_paused": False})

    async def fund(self, outputs: Sequence[tuple[str, int]]) -> list[str]:
        """Pay addresses from the faucet, in satoshi, and mine that; the transactions' ids."""
        body = {"outputs": [{"address": address, "amount": amount} for address, amount in outputs]}
        answer = await self.command("POST", "/control/bitcoin/fund", body)
        return [str(txid) for txid in answer["txids"]]

    async def deposit(self, network: str, address: str, units: int) -> str:
        """Pay an address from the faucet, in satoshi, and leave that to a miner; the transaction's id."""
        if network != "bitcoin":
            raise ProviderRejected(PROVIDER, "there is no such chain here")
        body = {"outputs": [{"address": address, "amount": units}], "mine": False}
        answer = await self.command("POST", "/control/bitcoin/fund", body)
        return str(answer["txids"][0])

    async def settle(self, payout_reference: str) -> None:
        """Let a bank transfer settle now."""
        await self.increase_settle(payout_reference)

    async def give_back(self, payout_reference: str, code: str) -> None:
        """Send a bank transfer back, at any time."""
        await self.increase_return(payout_reference, code)

    async def sepa_register(self, folder: Path, iban: str, balance: int) -> None:
        """Have the SEPA bank serve a folder, with our account at it and its first balance in cents."""
        body = {"path": str(folder), "iban": iban, "balance": balance}
        await self.command("POST", "/control/sepa/folders", body)

    async def sepa_credit(self, folder: Path, amount: int, sender: str = "", message: str = "") -> None:
        """Let somebody send cents to our account."""
        body = {"folder": str(folder), "amount": amount, "sender": sender, "message": message}
        await self.command("POST", "/control/sepa/credit", body)

    async def sepa_return(self, folder: Path, end_to_end_id: str, code: str = "AC04") -> None:
        """Let a booked payment come back; the next statement tells of it."""
        body = {"folder": str(folder), "end_to_end_id": end_to_end_id, "code": code}
        await self.command("POST", "/control/sepa/return", body)

    async def sepa_run(self, folder: Path) -> None:
        """Let the bank do now what is waiting."""
        await self.command("POST", "/control/sepa/run", {"folder": str(folder)})

    async def increase_settle(self, transfer_reference: str) -> None:
        """Let a bank transfer settle now."""
        await self.command("POST", "/control/increase/settle", {"transfer": transfer_reference})

    async def increase_return(self, transfer_reference: str, code: str = "R03") -> None:
        """Send a bank transfer back under one of the scheme's codes (`R03` for ACH, `AC03` for a wire), at any time."""
        await self.command("POST", "/control/increase/return", {"transfer": transfer_reference, "code": code})

    async def increase_reject(self, transfer_reference: str) -> None:
        """Let Increase refuse a transfer that has not left yet."""
        await self.command("POST", "/control/increase/reject", {"transfer": transfer_reference})

    async def increase_correct(self, transfer_reference: str, code: str = "C01") -> None:
        """Send a notification of change."""
        await self.command("POST", "/control/increase/correct", {"transfer": transfer_reference, "code": code})

    async def increase_credit(
        self, account_number_reference: str, amount: int, sender: str, message: str, *, method: str = "ach"
    ) -> str:
        """Send cents to an account number, by its id or its digits; the inbound transfer's id."""
        body = {"account_number": account_number_reference, "amount": amount, "sender": sender, "message": message}
        answer = await self.command("POST", "/control/increase/credit", body | {"method": method})
        return str(answer["id"])

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
