"""Setting up the far side: where webhooks go, our accounts at its banks, coins for the wallet, a block when needed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Final

import httpx
import structlog

from app.db import chain, wallet
from app.db.database import Database
from app.dev.home import BITCOIN_USER, IBAN, DevError, Home, Instance, Secrets
from app.domain.assets import EUR, USD
from app.domain.money import Money
from app.services import bank_floats
from providers.sandbox.client import SandboxClient

log = structlog.get_logger(__name__)

NETWORK: Final = "bitcoin"
COINS: Final = 2_000
COIN_UNITS: Final = 5_000_000  # satoshi: 0.05 BTC
_BLOCK_SECONDS: Final = 2.0
_ENDPOINT: Final = "stripe_webhook_endpoint"
_LOOK_SECONDS: Final = 0.1
_WALLET_SECONDS: Final = 30.0


# What moves an order. The processor's other events say the same again, and each costs a look at the payment.
_EVENTS = (
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "payment_intent.partially_funded",
    "customer_cash_balance_transaction.created",
    "radar.early_fraud_warning.created",
    "review.opened",
    "review.closed",
)

# Everything about money that leaves, and that comes in.
_BANK_EVENTS: Final = tuple(
    f"{kind}.{what}"
    for kind in (
        "ach_transfer",
        "real_time_payments_transfer",
        "wire_transfer",
        "inbound_ach_transfer",
        "inbound_real_time_payments_transfer",
        "inbound_wire_transfer",
    )
    for what in ("created", "updated")
)


async def webhook_secret(http: httpx.AsyncClient, home: Home, instance: Instance, kept: Secrets) -> str:
    """Have Stripe's webhooks sent to our API; the secret they are signed with.

    The endpoint of an earlier start is kept when the far side still has it at the same URL, else replaced.
    """
    url = f"{instance.api_url}/hooks/stripe"
    endpoints = f"{instance.stripe_api_base}/v1/webhook_endpoints"
    auth = (kept.stripe_secret_key, "")
    listed = _answer(await http.get(endpoints, auth=auth, params={"limit": "100"}))["data"]
    ours: dict[str, str] = json.loads(home.secret(_ENDPOINT, lambda: "{}"))
    found: str | None = None
    for endpoint in listed if isinstance(listed, list) else []:
        if endpoint["id"] == ours.get("id") and endpoint["url"] == url and endpoint["status"] == "enabled":
            found = ours["secret"]
        else:
            _answer(await http.delete(f"{endpoints}/{endpoint['id']}", auth=auth))
    if found is not None:
        return found
    made = _answer(await http.post(endpoints, auth=auth, data={"url": url, "enabled_events[]": list(_EVENTS)}))
    home.keep_secret(_ENDPOINT, json.dumps({"id": made["id"], "secret": made["secret"]}))
    return str(made["secret"])


async def subscribe_to_bank(http: httpx.AsyncClient, instance: Instance, kept: Secrets) -> None:
    """Have Increase's events sent to our API, signed with our own secret; subscriptions of earlier starts are ended."""
    url = f"{instance.api_url}/hooks/increase"
    subscriptions = f"{instance.increase_api_base}/event_subscriptions"
    headers = _bank_key(kept)
    listed = _answer(await http.get(subscriptions, headers=headers, params={"limit": "100"}))["data"]
    found = False
    for subscription in listed if isinstance(listed, list) else []:
        if subscription["status"] != "active":
            continue
        if subscription["url"] == url and _told_of(subscription) == set(_BANK_EVENTS):
            found = True
        else:
            ended = {"status": "deleted"}
            _answer(await http.patch(f"{subscriptions}/{subscription['id']}", headers=headers, json=ended))
    if not found:
        wanted = {
            "url": url,
            "shared_secret": kept.increase_webhook_secret,
            "selected_event_categories": [{"event_category": category} for category in _BANK_EVENTS],
        }
        _answer(await http.post(subscriptions, headers=headers, json=wanted))


def _told_of(subscription: Mapping[str, object]) -> set[str]:
    chosen = subscription["selected_event_categories"]
    return {one["event_category"] for one in chosen} if isinstance(chosen, list) else set()


async def open_banks(db: Database, http: httpx.AsyncClient, instance: Instance, kept: Secrets) -> None:
    """Have the SEPA bank serve our folder, and book, once, what stands on our accounts there and at Increase."""
    folder = {"path": instance.sepa_folder, "iban": IBAN}
    euros = _answer(await http.post(f"{instance.sandbox_url}/control/sepa/folders", json=folder))["balance"]
    await bank_floats.open_with(db, "sepa", Money(int(str(euros)), EUR))
    accounts = f"{instance.increase_api_base}/accounts"
    listed = _answer(await http.get(accounts, headers=_bank_key(kept)))["data"]
    assert isinstance(listed, list)  # noqa: S101 - so Increase's reference has it
    balance = _answer(await http.get(f"{accounts}/{listed[0]['id']}/balance", headers=_bank_key(kept)))
    await bank_floats.open_with(db, "increase", Money(int(str(balance["current_balance"])), USD))


def _bank_key(kept: Secrets) -> dict[str, str]:
    return {"Authorization": f"Bearer {kept.increase_api_key}"}


async def has_sent(http: httpx.AsyncClient, instance: Instance, kept: Secrets, account_number_id: str) -> bool:
    """Whether anybody has sent money to a number of ours at Increase, as Increase knows it."""
    listed = await http.get(
        f"{instance.increase_api_base}/inbound_ach_transfers",
        headers=_bank_key(kept),
        params={"account_number_id": account_number_id, "limit": "1"},
    )
    return bool(_answer(listed)["data"])


async def fund_wallet(db: Database, http: httpx.AsyncClient, instance: Instance, kept: Secrets) -> bool:
    """Give a wallet that has never had coins its first ones; the follower books them. False when it has had some."""
    async with asyncio.timeout(_WALLET_SECONDS):
        while True:
            async with db.connection() as connection:
                if await chain.was_funded(connection, NETWORK):
                    return False
                addresses = [address.text for address in await wallet.addresses(connection, NETWORK, "funding")]
            if addresses:
                break
            await asyncio.sleep(_LOOK_SECONDS)  # the worker makes them when it starts
    if await holds_coins(http, instance, kept, addresses):
        return False
    outputs = [(addresses[number % len(addresses)], COIN_UNITS) for number in range(COINS)]
    await SandboxClient(http, instance.sandbox_url).fund(outputs)
    return True


async def holds_coins(http: httpx.AsyncClient, instance: Instance, kept: Secrets, addresses: Sequence[str]) -> bool:
    """Whether the chain has coins for us that the follower has not read yet: an earlier start was killed just then."""
    scan = {"method": "scantxoutset", "params": ["start", [f"addr({address})" for address in addresses]]}
    auth = (BITCOIN_USER, kept.sandbox_rpc_password)
    found = _answer(await http.post(instance.bitcoin_rpc_url, auth=auth, json=scan))["result"]
    return isinstance(found, dict) and bool(found["unspents"])


async def mine_while_awaited(db: Database, sandbox: SandboxClient) -> None:
    """Ask for a block every two seconds while coins, sent or received, wait for depth; else the chain stands still."""
    while True:
        await asyncio.sleep(_BLOCK_SECONDS)
        try:
            async with db.connection() as connection:
                awaited = await chain.awaits_depth(connection, NETWORK)
            if awaited:
                await sandbox.mine_unless_paused()
        except Exception as error:
            log.warning("dev.not_mined", error=f"{type(error).__name__}: {error}")


def _answer(response: httpx.Response) -> dict[str, object]:
    if not response.is_success:
        raise DevError(f"The far side refused {response.request.method} {response.request.url.path}: {response.text}")
    answer: dict[str, object] = response.json()
    return answer
