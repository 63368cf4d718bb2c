"""Wiring of the wallets' rules: what may leave, what is bumped and swept, and when deposits count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

import httpx

from app.db.database import Database
from app.domain.assets import CATALOGUE
from app.domain.spending import SpendingLimits
from app.services import spending
from app.services.crediting import CreditGate
from app.services.floats import FloatWatch
from app.services.wallet_rules import DEFAULT_RULES, WalletRules
from app.settings import Settings
from app.wiring.needed import NotConfigured
from providers.bitcoin.addresses import BitcoinAddresses
from providers.bitcoin.networks import LITECOIN_NETWORKS, NETWORKS
from providers.bitcoin.node import Node
from providers.bitcoin.witness import NodeWitness

_COIN_CHAINS: Final = frozenset({"bitcoin", "litecoin"})
_LIVE_HEAD_AGE: Final = timedelta(hours=3)
_LITECOIN_UNITS: Final = 100_000_000  # litoshi: a coin worth having


def rules(settings: Settings, network: str) -> WalletRules:
    """The operator's rules for one network's wallet."""
    wallet = settings.wallet
    ceilings = {"bitcoin": settings.bitcoin.bitcoin_fee_ceiling, "litecoin": settings.litecoin.litecoin_fee_ceiling}
    units = {"litecoin": _LITECOIN_UNITS} | wallet.coin_units
    return WalletRules(
        unconfirmed_depth=wallet.unconfirmed_depth,
        coins_wanted=wallet.coins_wanted,
        coin_units=units.get(network, DEFAULT_RULES.coin_units),
        low_rate=wallet.low_fee_rate,
        gather_rate=wallet.gather_fee_rate,
        bump_blocks=wallet.bump_blocks,
        bump_after=timedelta(minutes=wallet.bump_minutes),
        head_age=head_age(settings),
        low_float=wallet.low_float.get(network, 0),
        ceiling=wallet.wallet_ceiling.get(network),
        most_rate=ceilings.get(network, DEFAULT_RULES.most_rate),
    )


def address_rules(settings: Settings, network: str) -> BitcoinAddresses:
    """How addresses of a chain of coins are read; raises NotConfigured for any other."""
    if network == "bitcoin":
        return BitcoinAddresses(NETWORKS[settings.bitcoin.bitcoin_network])
    if network == "litecoin":
        return BitcoinAddresses(LITECOIN_NETWORKS[settings.litecoin.litecoin_network])
    raise NotConfigured(f"there is no wallet of coins on {network}")


def floats(settings: Settings) -> FloatWatch | None:
    """What keeps us from promising more than the wallets of coins hold; None where that is allowed."""
    allowed = settings.wallet.promise_beyond_float
    return None if (not settings.process.livemode if allowed is None else allowed) else FloatWatch(_COIN_CHAINS)


def head_age(settings: Settings) -> timedelta | None:
    """How old the newest block may be; a chain of our own that nobody mines may stand still."""
    if settings.wallet.head_age_minutes is not None:
        return timedelta(minutes=settings.wallet.head_age_minutes)
    return _LIVE_HEAD_AGE if settings.process.livemode else None


async def configure_spending(settings: Settings, db: Database) -> None:
    """Let the limits of the settings count. In live mode what has no limit does not leave; else everything may."""
    limits = {asset: SpendingLimits(**limit.model_dump()) for asset, limit in settings.wallet.spending_limits.items()}
    free = () if settings.process.livemode else tuple(asset.id for asset in CATALOGUE if asset.network is not None)
    networks = sorted({asset.network for asset in CATALOGUE if asset.network is not None})
    async with db.transaction() as tx:
        await spending.configure(tx, networks, limits, assets=free)


def gates(settings: Settings, http: httpx.AsyncClient, networks: Iterable[str]) -> Mapping[str, CreditGate]:
    """What has to hold before deposits count, by network."""
    second, age = settings.second_node, head_age(settings)
    found = {network: CreditGate(age) for network in networks}
    if second.bitcoin_second_rpc_url is not None:
        password = second.bitcoin_second_rpc_password.get_secret_value()
        node = Node(http, second.bitcoin_second_rpc_url, user=second.bitcoin_second_rpc_user, password=password)
        found["bitcoin"] = CreditGate(age, NodeWitness(node), second.bitcoin_second_above)
    return found
