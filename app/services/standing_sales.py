"""Sales at standing addresses: coins that have counted become a sell order at the price of the moment."""

from __future__ import annotations

import time

from app.db import external_accounts as account_rows
from app.db import selling as selling_rows
from app.db.database import Transaction
from app.db.deposit_addresses import DepositAddress
from app.db.deposits import Deposit
from app.domain.assets import asset_by_id
from app.domain.order import Direction
from app.domain.quote import AmountSide
from app.services import external_accounts, quotes, sell_orders
from app.services.deposit_rules import DepositRules
from app.services.quotes import Wanted


async def place(tx: Transaction, rules: DepositRules, deposit: Deposit, address: DepositAddress) -> str:
    """Write the quote and the order that sell a deposit; the order's id. It is then to be told of its coins.

    Raises RouteUnavailable and InsufficientLiquidity when it has to be tried again, and any other DomainError when
    this deposit cannot be sold: outside of the limits, or to an account that cannot be paid. Nothing is written then.
    """
    coin, fiat = asset_by_id(address.asset), asset_by_id(address.sell_asset or "")
    account = await account_rows.get(tx, address.partner_id, address.external_account_id or "")
    external_accounts.payable(account, fiat, pointer="/external_account_id")
    wanted = Wanted(Direction.SELL, coin, fiat, AmountSide.SOURCE, deposit.units)
    at = await tx.fetchval("SELECT now()")
    now = time.monotonic()
    quote = quotes.priced(
        wanted, rules.board, rules.policy, partner_id=address.partner_id, at=at, now=now, livemode=rules.livemode
    )
    quote.payment_method = "deposit"
    order = sell_orders.drafted(
        quote, external_account_id=address.external_account_id or "", window=rules.policy.payment_window, at=at
    )
    order.deposit_address = address.address
    order.order_metadata = address.address_metadata
    await selling_rows.insert_quote(tx, quote)
    await sell_orders.write(tx, order)
    return order.id
