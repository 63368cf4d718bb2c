"""Payouts of orders: the fiat that a sale brought, and coins that go back to the customer."""

from __future__ import annotations

import re
from typing import Final

from app.db import deposits as deposit_rows
from app.db import external_accounts as account_rows
from app.db import ledger
from app.db import orders as order_rows
from app.db import payouts as payout_rows
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.jobs import Job, JobName, enqueue
from app.db.orders import Order
from app.db.payouts import Payout
from app.domain import bookkeeping_out as books
from app.domain import chart
from app.domain.assets import asset_by_id, dust_of
from app.domain.errors import DomainError
from app.domain.intent import IntentKeys
from app.domain.money import Money
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.domain.payout import ENDED, TERMINAL, PayoutKind, PayoutMethod, PayoutState, PayoutTrigger
from app.services import external_accounts, intents, orders, payouts
from app.services.orders import Fact
from app.services.payouts import PayoutFact
from app.services.rails import Rails

# A text that every method can carry to the receiver's statement.
_SAID_EVERYWHERE: Final = re.compile(r"[A-Za-z0-9]{1,80}", re.ASCII)


async def pay_out_order(db: Database, rails: Rails, order_id: str) -> None:
    """The job of a sell order whose deposit counts: queue its payout, once."""
    async with db.transaction() as tx:
        order = await order_rows.lock(tx, order_id)
        if order is None or order.hold is not None or order.order_state is not OrderState.DEPOSIT_CONFIRMED:
            return
        live = await _live_sale(tx, order.id)
        if live is not None:
            if payouts.waits_for_job(live):
                await enqueue(tx, [Job(JobName.PAY_BANK, live.id)])
            return
        await _queue_sale(tx, rails, order)


async def _live_sale(tx: Transaction, order_id: str) -> Payout | None:
    sales = await payout_rows.of_order(tx, order_id, PayoutKind.SALE)
    return next((sale for sale in sales if sale.payout_state not in TERMINAL), None)


async def _queue_sale(tx: Transaction, rails: Rails, order: Order) -> None:
    fiat = asset_by_id(order.destination_asset)
    found = await account_rows.get(tx, order.partner_id, order.external_account_id or "")
    try:
        account = external_accounts.payable(found, fiat, pointer="/external_account_id")
        method = rails.payout_method(account.scheme)
        provider = rails.payout_provider(method)
    except DomainError as refused:
        await orders.hold(tx, order.id, refused.code, cause=f"{order.id}:{order.sequence}")
        return
    made = _payout(order, PayoutKind.SALE, order.destination_asset, order.destination_units)
    made.external_account_id, made.method, made.provider = account.id, method.value, provider
    made.reference = order.external_id if _SAID_EVERYWHERE.fullmatch(order.external_id or "") else order.id[3:]
    await payouts.begin(tx, [made], order.id)


def _payout(order: Order, kind: PayoutKind, asset: str, units: int) -> Payout:
    return Payout(
        id=new_id("po"),
        partner_id=order.partner_id,
        kind=kind.value,
        order_id=order.id,
        asset=asset,
        units=units,
        method=PayoutMethod.CHAIN.value,
        provider="",
        state=PayoutState.QUEUED.value,
        sequence=1,
        payout_metadata={},
        request_id=order.request_id,
        livemode=order.livemode,
        created_at=order.updated_at,
        updated_at=order.updated_at,
    )


async def drop_sale(tx: Transaction, order: Order) -> bool:
    """Call off a sale's payout that has not been asked for; False when it may be on its way. The order is locked."""
    live = await _live_sale(tx, order.id)
    if live is None:
        return True
    if live.payout_state is not PayoutState.QUEUED:
        return False
    await payouts.move(tx, live, PayoutFact(PayoutTrigger.CANCELED, f"{order.id}:{order.sequence}"))
    return True


async def surplus_account(tx: Transaction, keys: IntentKeys, order: Order, units: int) -> str:
    """Where coins go that an order does not need: back to the customer, or to the partner whose customer it is.

    With a refund address they are queued to be sent there, and the account is that payout's. Locked: the order.
    """
    if order.refund_script is None or units < dust_of(asset_by_id(order.source_asset)):
        return chart.partner_available(order.partner_id)
    return chart.payout(await _queue_coins(tx, keys, order, units))


def _network(order: Order) -> str:
    return asset_by_id(order.source_asset).network or ""


async def _queue_coins(tx: Transaction, keys: IntentKeys, order: Order, units: int) -> str:
    made = _payout(order, PayoutKind.REFUND, order.source_asset, units)
    made.provider, made.address, made.script = _network(order), order.refund_address, order.refund_script
    intents.seal_payout(keys, made)
    await payouts.begin(tx, [made], order.id)
    return made.id


async def send_again(tx: Transaction, keys: IntentKeys, failed: Payout) -> Payout:
    """Another payout of a customer's coins, in place of one that has failed as nothing of it can ever be mined.

    It has an id of its own, so that whatever keeps a payout from being sent twice holds for both.
    """
    order = await order_rows.lock(tx, failed.order_id or "")
    assert order is not None  # noqa: S101 - a foreign key
    made = _payout(order, PayoutKind.REFUND, failed.asset, failed.units)
    made.provider, made.address, made.script = failed.provider, failed.address, failed.script
    intents.seal_payout(keys, made)
    await payouts.begin(tx, [made], failed.id)
    amount = Money(failed.units, asset_by_id(failed.asset))
    await ledger.post(tx, books.payout_renewed(failed.id, made.id, amount), order.id)
    return made


async def refund_coins(tx: Transaction, keys: IntentKeys, order: Order) -> None:
    """What a refunding sell order does next, with its row locked: send back all that it holds, or end."""
    if not await drop_sale(tx, order):
        return  # the bank has still to say what became of it
    held = await orders.money_held(tx, order)
    covered = min(held, await deposit_rows.lost_of_order(tx, order.id))
    if covered:  # the fiat came back, and the coins that it was paid for are gone
        cause = f"{order.id}:{order.sequence}"
        await orders.move(tx, order, Fact(OrderTrigger.LOSS_COVERED, cause, moved=Moved(cause, amount=covered)))
        await deposit_rows.make_good(tx, order.id, covered)
        held -= covered
    if held == 0:
        refunds = await payout_rows.of_order(tx, order.id, PayoutKind.REFUND)
        if all(refund.payout_state in ENDED for refund in refunds):
            await orders.move(tx, order, Fact(OrderTrigger.REFUND_COMPLETED, f"{order.id}:{order.sequence}"))
        return
    if order.refund_script is None:
        await orders.hold(tx, order.id, "refund_address_missing", cause=f"{order.id}:{order.sequence}")
        return
    if held < dust_of(asset_by_id(order.source_asset)):
        await orders.hold(tx, order.id, "refund_too_small", cause=f"{order.id}:{order.sequence}")
        return
    payout_id = await _queue_coins(tx, keys, order, held)
    await orders.move(tx, order, Fact(OrderTrigger.REFUND_ACCEPTED, payout_id, moved=Moved(payout_id, amount=held)))
