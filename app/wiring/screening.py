"""Wiring of screening: which lists the settings require, and which chains say who paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import httpx

from app.db.database import Database
from app.domain.screening import Freshness
from app.ports.screening import SenderLookup
from app.services import screening_lists
from app.settings import Settings
from app.wiring import bitcoin, evm
from app.wiring.screening_list import list_format
from providers.bitcoin.node import Node
from providers.bitcoin.senders import SpentAddresses


async def require_lists(settings: Settings, db: Database) -> None:
    """Write what the settings require where every transaction that checks an address reads it."""
    rules = settings.screening
    required: dict[str, Freshness] = {}
    if rules.screening == "ofac":
        fetched, issued = timedelta(hours=rules.screening_hours), timedelta(days=rules.screening_days)
        required[list_format().source] = Freshness(fetched, issued)
    await screening_lists.require(db, required)


def lookups(settings: Settings, http: httpx.AsyncClient) -> Mapping[str, SenderLookup]:
    """By network: who says whose coins a transaction spent."""
    coins: Mapping[str, SenderLookup] = {
        chain.name: SpentAddresses(
            Node(http, chain.rpc_url, user=chain.rpc_user, password=chain.rpc_password, provider=chain.name),
            chain.network,
        )
        for chain in bitcoin.chains(settings)
    }
    return {**coins, **evm.lookups(settings, http)}
