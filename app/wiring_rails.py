"""Wiring of the rails: each vendor's adapter from its settings, and the vendors' own records for the auditor."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import httpx

from app.ports.notifications import NotificationSource
from app.ports.payout import BankRail, FundingAccount
from app.ports.records import BankRecords, FarSide, RequestRecords
from app.services.rails import FileRail, Rails
from app.settings import Settings
from providers.bitcoin.building import FeePolicy
from providers.bitcoin.networks import NETWORKS
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.records import BitcoinRecords
from providers.bitcoin.wallet import Wallet
from providers.increase.notifications import IncreaseNotifications
from providers.increase.rail import IncreaseRail
from providers.increase.records import IncreaseRecords
from providers.sandbox.client import SandboxClient
from providers.sandbox.records import SandboxRecords
from providers.sepa.channel import FolderChannel
from providers.sepa.format import SepaFiles
from providers.sepa.records import SepaRecords
from providers.sepa.writing import SepaAccount
from providers.stripe.notifications import StripeNotifications
from providers.stripe.rail import StripeRail
from providers.stripe.records import StripeRecords
from providers.stripe.vocabulary import API_VERSION


class NotConfigured(RuntimeError):
    """A setting that this process needs is missing."""


def needed(value: str | None, name: str) -> str:
    """A setting that must be there; raises NotConfigured."""
    if value is None:
        raise NotConfigured(f"RAMPWRIGHT_{name} is not set")
    return value


def build(settings: Settings, http: httpx.AsyncClient, stack: AsyncExitStack) -> Rails:
    """Every rail that is configured; what they open is closed by the stack."""
    stripe, bitcoin = _stripe(settings), _bitcoin(settings, http)
    stack.push_async_callback(stripe.aclose)
    banks: dict[str, BankRail] = {}
    increase = _increase(settings)
    if increase is not None:
        stack.push_async_callback(increase.aclose)
        banks[increase.provider] = increase
    notifications: dict[str, NotificationSource] = {}
    if (secrets := settings.stripe.stripe_webhook_secrets) is not None:
        notifications[stripe.provider] = StripeNotifications(secrets.get_secret_value().split(","))
    if increase is not None and (secrets := settings.increase.increase_webhook_secrets) is not None:
        notifications[increase.provider] = IncreaseNotifications(secrets.get_secret_value().split(","))
    sepa = _sepa(settings)
    publishable = settings.stripe.stripe_publishable_key
    return Rails(
        livemode=settings.process.livemode,
        payin={stripe.provider: stripe},
        methods={"card": stripe.provider},
        chains={bitcoin.network: bitcoin},
        notifications=notifications,
        publishable_keys={} if publishable is None else {stripe.provider: publishable},
        api_versions={stripe.provider: API_VERSION},
        banks=banks,
        bank_files={} if sepa is None else {sepa.form.provider: sepa},
        credits={} if increase is None else {"USD": increase},
        shared_accounts={} if sepa is None else {"EUR": (sepa.form.provider, _own_account(settings))},
    )


def far_side(settings: Settings, http: httpx.AsyncClient) -> FarSide:
    """Whose own records an auditor holds against our books; the sandbox's request log stands in for a proxy's."""
    stripe_key, bitcoin = settings.stripe.stripe_secret_key, settings.bitcoin
    key = "" if stripe_key is None else stripe_key.get_secret_value()
    sandbox_url = settings.process.sandbox_url
    chain = BitcoinRecords(
        http,
        needed(bitcoin.bitcoin_rpc_url, "BITCOIN_RPC_URL"),
        user=bitcoin.bitcoin_rpc_user,
        password=bitcoin.bitcoin_rpc_password.get_secret_value(),
        start_height=bitcoin.bitcoin_start_height,
    )
    return FarSide(
        payins={"stripe": StripeRecords(http, key, api_base=settings.stripe.stripe_api_base)},
        chains={"bitcoin": chain},
        banks=_bank_records(settings, http),
        requests={} if sandbox_url is None else _requests(settings, SandboxClient(http, sandbox_url)),
    )


def _requests(settings: Settings, sandbox: SandboxClient) -> dict[str, RequestRecords]:
    """What the sandbox has logged of our requests, for each provider that it plays over HTTP."""
    keys = {"stripe": settings.stripe.stripe_secret_key, "increase": settings.increase.increase_api_key}
    return {name: SandboxRecords(sandbox, key.get_secret_value()) for name, key in keys.items() if key is not None}


def _bank_records(settings: Settings, http: httpx.AsyncClient) -> dict[str, BankRecords]:
    found: dict[str, BankRecords] = {}
    increase = settings.increase
    if increase.increase_api_key is not None:
        found["increase"] = IncreaseRecords(
            http,
            increase.increase_api_key.get_secret_value(),
            account_id=increase.increase_account_id,
            livemode=settings.process.livemode,
            api_base=increase.increase_api_base,
        )
    if (sepa := _sepa(settings)) is not None:
        found[sepa.form.provider] = SepaRecords(sepa.channel, sepa.form)
    return found


def _stripe(settings: Settings) -> StripeRail:
    key = settings.stripe.stripe_secret_key
    if key is None:
        raise NotConfigured("RAMPWRIGHT_STRIPE_SECRET_KEY is not set")
    return StripeRail(
        key.get_secret_value(), livemode=settings.process.livemode, api_base=settings.stripe.stripe_api_base
    )


def _increase(settings: Settings) -> IncreaseRail | None:
    increase = settings.increase
    if increase.increase_api_key is None:
        return None
    return IncreaseRail(
        increase.increase_api_key.get_secret_value(),
        account_id=increase.increase_account_id,
        livemode=settings.process.livemode,
        api_base=increase.increase_api_base,
    )


def _sepa(settings: Settings) -> FileRail | None:
    sepa = settings.sepa
    if sepa.sepa_folder is None:
        return None
    try:
        account = SepaAccount(sepa.sepa_holder_name, needed(sepa.sepa_iban, "SEPA_IBAN"), sepa.sepa_bic or "")
    except ValueError as error:
        raise NotConfigured(f"the account that RAMPWRIGHT_SEPA_... names: {error}") from None
    channel = FolderChannel(sepa.sepa_folder / "outbox", sepa.sepa_folder / "inbox")
    return FileRail(SepaFiles(account), channel, timedelta(seconds=sepa.sepa_gather_seconds))


def _own_account(settings: Settings) -> FundingAccount:
    """The euro account that all partners share: what a transfer names says whose it is."""
    sepa = settings.sepa
    return FundingAccount(
        reference="", holder_name=sepa.sepa_holder_name, bank_name=sepa.sepa_bank_name, iban=sepa.sepa_iban or ""
    )


def _bitcoin(settings: Settings, http: httpx.AsyncClient) -> BitcoinRail:
    bitcoin = settings.bitcoin
    node = Node(
        http,
        needed(bitcoin.bitcoin_rpc_url, "BITCOIN_RPC_URL"),
        user=bitcoin.bitcoin_rpc_user,
        password=bitcoin.bitcoin_rpc_password.get_secret_value(),
    )
    fees = FeePolicy(
        floor=bitcoin.bitcoin_fee_floor, ceiling=bitcoin.bitcoin_fee_ceiling, fallback=bitcoin.bitcoin_fee_fallback
    )
    return BitcoinRail(wallet=_wallet(settings), node=node, fees=fees, start_height=bitcoin.bitcoin_start_height)


def _wallet(settings: Settings) -> Wallet:
    path: Path = settings.bitcoin.bitcoin_seed_file or settings.process.secrets / "bitcoin_seed"
    if not path.exists():
        raise NotConfigured("RAMPWRIGHT_BITCOIN_SEED_FILE names no file")
    words, network = path.read_text().strip(), NETWORKS[settings.bitcoin.bitcoin_network]
    if " " in words:
        return Wallet.from_mnemonic(words, network)
    return Wallet(bytes.fromhex(words), network)
