"""Batches for tests: partners with money, items, and wallets that nobody has the key to."""

from __future__ import annotations

import hashlib

from bitcoinlib.encoding import pubkeyhash_to_addr_bech32

from app.db import ledger
from app.db.columns import new_id
from app.db.database import Database
from app.domain import chart
from app.domain.assets import BTC
from app.domain.ledger import transfer
from app.domain.money import Money

Json = dict[str, object]
NETWORK = "bitcoin"


async def give(db: Database, partner_id: str, amount: Money) -> None:
    """Put some of what the operator has on a partner's balance, in the books alone."""
    entry = transfer(
        new_id("test"),
        "gift",
        debit=chart.EQUITY_OPERATOR,
        credit=chart.partner_available(partner_id),
        amount=amount,
    )
    async with db.transaction() as tx:
        await ledger.post(tx, entry)


async def give_coins(db: Database, partner_id: str, units: int = 10**8) -> None:
    """The same in satoshi."""
    await give(db, partner_id, Money(units, BTC))


async def available(db: Database, partner_id: str, asset: str = "BTC.bitcoin") -> int:
    """What a partner has available."""
    async with db.transaction() as tx:
        return await ledger.lock_available(tx, partner_id, asset)


def address(number: int) -> str:
    """A regtest address, another one for every number."""
    found: str = pubkeyhash_to_addr_bech32(hashlib.sha256(f"wallet {number}".encode()).digest()[:20], prefix="bcrt")
    return found


def wallet(number: int) -> Json:
    """A wallet as it is named in full."""
    return {"type": "wallet", "asset": "BTC", "network": NETWORK, "address": address(number)}


def item(number: int, amount: str = "0.00010000", **changes: object) -> Json:
    """A payment to a wallet of its own."""
    return {
        "amount": {"asset": "BTC", "network": NETWORK, "amount": amount},
        "external_account": wallet(number),
        **changes,
    }
