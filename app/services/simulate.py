"""Test mode's levers: cards, coins, blocks, a bank's answers: acts on the far side, never on our own tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.db import deposit_addresses as address_rows
from app.db import idempotency
from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db import payouts as payout_rows
from app.db.database import Database, Transaction
from app.db.deposit_addresses import DepositAddress
from app.domain.assets import asset_by_id
from app.domain.errors import AmountBelowMin, ConflictState, NotFound, ValidationFailed
from app.domain.money import parse_units
from app.domain.payout import PayoutMethod
from app.ports.simulator import Simulator
from app.schemas.simulate import (
    AchActOut,
    AchReturnIn,
    AchSettleIn,
    CardPaidOut,
    DepositedOut,
    DepositIn,
    MinedOut,
    MineIn,
    PayIn,
)
from app.services import idempotent
from app.services.idempotent import Answer, IdempotentRequest, replay
from app.services.rails import Rails

_RELAYED = 546  # satoshi: Bitcoin Core's limit for the outputs that cost most to spend


async def pay(db: Database, simulator: Simulator, partner_id: str, body: PayIn, request: IdempotentRequest) -> Answer:
    """Do what the customer's browser would do; what follows comes back as a notification, as in life.

    Raises NotFound, and ConflictState while the provider has not answered yet. The card is neither kept nor logged.
    """

    async def act() -> bytes:
        order = await order_rows.get(db, partner_id, body.order_id)
        if order is None:
            raise NotFound("There is no such order.", pointer="/order_id")
        async with db.connection() as connection:
            payment = await payment_rows.of_order(connection, order.id)
        if payment is None or payment.reference is None:
            raise ConflictState("The payment has not reached the provider yet.", retry_after=1)
        await simulator.pay(payment.reference, body.card)
        return CardPaidOut(order_id=order.id).model_dump_json().encode()

    return await once(db, request, act)


async def mine(db: Database, rails: Rails, simulator: Simulator, body: MineIn, request: IdempotentRequest) -> Answer:
    """Let the far side mine; raises RouteUnsupported for a network that no rail serves."""
    rails.chain(body.network)

    async def act() -> bytes:
        hashes = await simulator.mine(body.network, body.blocks)
        return MinedOut(network=body.network, blocks=hashes).model_dump_json().encode()

    return await once(db, request, act)


async def deposit(
    db: Database, simulator: Simulator, partner_id: str, body: DepositIn, request: IdempotentRequest
) -> Answer:
    """Send coins to one of the partner's own deposit addresses, and mine as many blocks as are asked for.

    Raises ValidationFailed unless exactly one address is named, NotFound, and AmountBelowMin for an amount that no
    node would relay.
    """
    if (body.order_id is None) is (body.deposit_address_id is None):
        raise ValidationFailed("Exactly one of order and deposit address is named.", pointer="/order_id")

    async def act() -> bytes:
        address = await _address(db, partner_id, body)
        units = parse_units(body.amount, asset_by_id(address.asset).decimals, pointer="/amount")
        if units < _RELAYED:
            raise AmountBelowMin(f"No node relays less than {_RELAYED} units.", pointer="/amount")
        txid = await simulator.deposit(address.network, address.address, units)
        if body.confirmations:
            await simulator.mine(address.network, body.confirmations)
        return DepositedOut(network=address.network, tx_hash=txid).model_dump_json().encode()

    return await once(db, request, act)


async def settle(
    db: Database, simulator: Simulator, partner_id: str, body: AchSettleIn, request: IdempotentRequest
) -> Answer:
    """Let an ACH payout settle at the bank. Raises NotFound, and ConflictState while the bank does not have it."""

    async def act() -> bytes:
        await simulator.settle(await _at_the_bank(db, partner_id, body.payout_id))
        return AchActOut(act="ach.settle", payout_id=body.payout_id).model_dump_json().encode()

    return await once(db, request, act)


async def give_back(
    db: Database, simulator: Simulator, partner_id: str, body: AchReturnIn, request: IdempotentRequest
) -> Answer:
    """Let an ACH payout come back, settled or not. Raises NotFound, and ConflictState before the bank has it."""

    async def act() -> bytes:
        await simulator.give_back(await _at_the_bank(db, partner_id, body.payout_id), body.code)
        return AchActOut(act="ach.return", payout_id=body.payout_id).model_dump_json().encode()

    return await once(db, request, act)


async def _at_the_bank(db: Database, partner_id: str, payout_id: str) -> str:
    """The bank's own id of a payout by ACH."""
    payout = await payout_rows.get(db, partner_id, payout_id)
    if payout is None or payout.payout_method is not PayoutMethod.ACH:
        raise NotFound("There is no such ACH payout.", pointer="/payout_id")
    if payout.provider_reference is None:
        raise ConflictState("The payout has not reached the bank yet.", retry_after=1)
    return payout.provider_reference


async def _address(db: Database, partner_id: str, body: DepositIn) -> DepositAddress:
    if body.order_id is None:
        found = await address_rows.get(db, partner_id, body.deposit_address_id or "")
        pointer = "/deposit_address_id"
    else:
        found = await address_rows.of_order(db, partner_id, body.order_id)
        pointer = "/order_id"
    if found is None:
        raise NotFound("There is no such deposit address.", pointer=pointer)
    return found


async def once(db: Database, request: IdempotentRequest, act: Callable[[], Awaitable[bytes]]) -> Answer:
    """Act and keep the answer, or give the answer that was kept.

    No transaction is open while the far side works. Two requests with one key at the same moment may both act: this is
    play money, and the answer of one of them is kept.
    """
    async with db.connection() as connection:
        earlier = await idempotency.find(connection, request.partner_id, request.key)
    if earlier is not None:
        return replay(earlier, request)
    body = await act()

    async def keep(_tx: Transaction) -> tuple[int, bytes]:
        return 200, body

    return await idempotent.run(db, request, keep)
