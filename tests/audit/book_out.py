"""The other half of the right book: deposits, sales, payouts to banks and wallets, and batches, each to some end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from app.db.columns import new_id
from app.db.partners import insert_key
from app.domain.assets import USD
from app.domain.money import Money
from app.ports.records import BankBooks, BankLine
from app.services import reconciliation
from app.services.keys import new_key
from app.services.reconciliation import Patience
from tests.support import sanctions
from tests.support.batches import item
from tests.support.coins import Document, deposit, mined, reorg, sell_order, standing_address
from tests.support.world import CUSTOMER_ADDRESS, World

Names = dict[str, str]


@dataclass(frozen=True, slots=True)
class FixedBank:
    """A bank whose books are these."""

    books: BankBooks

    async def read(self) -> BankBooks:
        return self.books


SHOWN_LIMITS = {"USD": 100_00, "BTC.bitcoin": 700_000}


async def lead_out(world: World) -> Names:
    """Lead money out in every way; what the tests call each payout, batch, deposit, order and address."""
    world.settings.payouts.approval_above.update(SHOWN_LIMITS)
    names: Names = {}
    await _deposits(world, names)
    await _sales(world, names)
    await world.top_up(500_00)
    await world.top_up(100_00, "EUR")
    await _bank_payouts(world, names)
    await _coins(world, names)
    await _reconciled(world)
    return names


async def _reconciled(world: World) -> None:
    """Every source is held against the ledger, and one line of the bank's, a fee, nobody can explain."""
    patience = Patience(grace=timedelta(0))
    assert reconciliation.clean(await reconciliation.run_all(world.db, world.records, patience=patience))
    real = await world.records.banks["increase"].read()
    fee = BankLine("transaction_fee", Money(-1_00, USD), datetime.now(UTC), None)
    charged = replace(real, lines=(*real.lines, fee), balance=real.balance + fee.amount)
    far_side = replace(world.records, banks={"increase": FixedBank(charged)})
    await reconciliation.run_all(world.db, far_side, only="increase", patience=patience)


async def _deposits(world: World, names: Names) -> None:
    """One that a reorganisation took back after it had counted, one for the balance, one for a person, one blocked."""
    lost = await standing_address(world)
    gone = await deposit(world, lost, "0.00200000", confirmations=3)
    await reorg(world, 3, drop=gone)
    await mined(world, 2)
    balance = await standing_address(world)
    await deposit(world, balance, "0.05000000", confirmations=3)
    closed = await standing_address(world)
    response = await world.post(f"/v1/deposit_addresses/{closed['id']}/deactivate")
    assert response.status_code == 200, response.text
    await deposit(world, closed, "0.00030000", confirmations=2)
    await mined(world, 3)  # all of these count before anything of the faucet's is listed
    blocked = await standing_address(world)
    await sanctions.bring_in(world, world.settings.process.home, sanctions.faucet_address())
    await deposit(world, blocked, "0.00040000", confirmations=4)
    await sanctions.bring_in(world, world.settings.process.home)  # other coins of the faucet are clean
    for name, address in (("lost", lost), ("balance", balance), ("closed", closed), ("blocked", blocked)):
        names[f"deposit_{name}"] = await _deposit_at(world, address)


async def _sales(world: World, names: Names) -> None:
    """A sale that was paid for too much, and one whose payout came back; what is the customer's goes back in coins."""
    sold = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    returned = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    waiting = await sell_order(world)
    await deposit(world, sold, "0.01300000")
    await deposit(world, returned, confirmations=3)
    await world.drain()
    for order in (sold, returned):
        await _settled(world, await _payout_of(world, str(order["id"]), "sale"))
    await world.far.increase_return(await _reference(world, await _payout_of(world, str(returned["id"]), "sale")))
    names |= {"sold": str(sold["id"]), "sale_returned": str(returned["id"]), "sale_open": str(waiting["id"])}

    async def is_back() -> bool:
        return (await world.get(f"/v1/orders/{returned['id']}"))["status"] == "refunding"

    await world.eventually(is_back, "the sale comes back")
    await world.drain()
    await mined(world, 6)
    await world.drain()
    for name in ("sold", "sale_returned"):
        names[f"{name}_payout"] = await _payout_of(world, names[name], "sale")
        names[f"{name}_coins"] = await _payout_of(world, names[name], "refund")


async def _bank_payouts(world: World, names: Names) -> None:
    bank = names["bank"] = await world.account()
    for name, amount in (("settled", "25.00"), ("returned", "30.00"), ("failed", "35.00"), ("approved", "120.00")):
        names[f"bank_{name}"] = await _payout(world, "USD", amount, bank)
    await approve(world, f"/v1/payouts/{names['bank_approved']}")
    names["bank_canceled"] = await _payout(world, "USD", "40.00", bank)
    response = await world.post(f"/v1/payouts/{names['bank_canceled']}/cancel")
    assert response.status_code == 200, response.text
    names["bank_pending"] = await _payout(world, "USD", "101.00", bank)
    sepa = await world.account(type="bank", scheme="sepa", iban="DE89370400440532013000", holder_name="Ada Lovelace")
    names["sepa_settled"] = await _payout(world, "EUR", "40.00", sepa)
    await world.drain()
    await _settled(world, names["bank_settled"])
    await _settled(world, names["bank_returned"])
    await world.far.increase_return(await _reference(world, names["bank_returned"]))
    await world.far.increase_reject(await _reference(world, names["bank_failed"]))
    await _reaches(world, names["bank_returned"], "returned")
    await _reaches(world, names["bank_failed"], "failed")
    await world.sepa()


async def _coins(world: World, names: Names) -> None:
    wallet = names["wallet"] = await world.account(
        type="wallet", asset="BTC", network="bitcoin", address=CUSTOMER_ADDRESS
    )
    for name in ("first", "second"):  # two outputs of one transaction, the same in all
        names[f"coins_{name}"] = await _payout(world, "BTC", "0.00010000", wallet)
    names["batch_done"] = await _batch(world, [item(1), item(2, external_id="second"), item(3)])
    bad = {**item(4), "external_account_id": "xa_none", "external_account": None}
    names["batch_partial"] = await _batch(world, [item(5), {k: v for k, v in bad.items() if v is not None}])
    names["batch_approved"] = await _batch(world, [item(6, "0.00400000"), item(7, "0.00500000")])
    await approve(world, f"/v1/payout_batches/{names['batch_approved']}")
    await world.drain()
    await mined(world, 6)
    await world.drain()


async def leave_open(world: World, names: Names) -> None:
    """What is on its way when the book is closed: a batch that waits, coins that are out, a deposit that is young."""
    names["batch_pending"] = await _batch(world, [item(8, "0.00400000"), item(9, "0.00500000")])
    names["coins_sent"] = await _payout(world, "BTC", "0.00500000", names["wallet"])
    open_address = await standing_address(world)
    await world.drain()
    # Both in one block, and the second too small to be a deposit.
    await world.far.fund([(str(open_address["address"]), units) for units in (20_000_000, 600)])
    await world.drain()
    names["deposit_open"] = await _deposit_at(world, open_address)


async def approve(world: World, path: str) -> None:
    """Approve with another key of the same partner."""
    made = new_key("test")
    async with world.db.transaction() as tx:
        await insert_key(
            tx,
            key_id=new_id("key"),
            partner_id=world.partner.id,
            key_hash=made.hash,
            hint=made.hint,
            mode="test",
            scopes=["*"],
            expires_at=None,
        )
    headers = {"Authorization": f"Bearer {made.key}", "Idempotency-Key": f"approve-{path}"}
    response = await world.client.post(f"{path}/approve", json={}, headers=headers)
    assert response.status_code == 200, response.text


async def _payout(world: World, asset: str, amount: str, account: str) -> str:
    money = {"asset": asset, "amount": amount} | ({"network": "bitcoin"} if asset == "BTC" else {})
    response = await world.post("/v1/payouts", {"amount": money, "external_account_id": account})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def _batch(world: World, items: list[Document]) -> str:
    response = await world.post("/v1/payout_batches", {"mode": "best_effort", "items": items})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def _deposit_at(world: World, address: Document) -> str:
    async with world.db.connection() as connection:
        return str(await connection.fetchval("SELECT id FROM deposits WHERE deposit_address_id = $1", address["id"]))


async def _payout_of(world: World, order_id: str, kind: str) -> str:
    async with world.db.connection() as connection:
        return str(
            await connection.fetchval("SELECT id FROM payouts WHERE order_id = $1 AND kind = $2", order_id, kind)
        )


async def _reference(world: World, payout_id: str) -> str:
    return str((await world.get(f"/v1/payouts/{payout_id}"))["provider_reference"])


async def _settled(world: World, payout_id: str) -> None:
    await world.far.increase_settle(await _reference(world, payout_id))
    await _reaches(world, payout_id, "settled")


async def _reaches(world: World, payout_id: str, status: str) -> None:
    async def has() -> bool:
        return (await world.get(f"/v1/payouts/{payout_id}"))["status"] == status

    await world.eventually(has, f"{payout_id} is {status}")
