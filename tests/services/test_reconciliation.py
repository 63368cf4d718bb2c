"""Reconciliation on a whole instance: green after real money has moved, and each planted difference found and ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from app.db.reconciliation import ReconciliationBreak, ReconciliationRun, open_breaks
from app.domain.assets import USD
from app.domain.money import Money
from app.ports.records import BankBooks, FarSide, PayinBooks, PayinPayment
from app.services import reconciliation
from app.services.reconciliation import Patience
from tests.support.coins import alerts, deposit, mined, reorg, sell_order, standing_address
from tests.support.world import CUSTOMER_ADDRESS, World

NOW = Patience(grace=timedelta(0), statement=timedelta(0))


@dataclass(slots=True)
class Changed:
    """A bank's or a processor's records, with something planted."""

    real: BankBooks
    change: Callable[[BankBooks], BankBooks]

    async def read(self) -> BankBooks:
        return self.change(self.real)


@dataclass(slots=True)
class ChangedPayin:
    """The same for a card processor."""

    real: PayinBooks
    change: Callable[[PayinBooks], PayinBooks]

    async def read(self) -> PayinBooks:
        return self.change(self.real)


async def run(world: World, far_side: FarSide | None = None, *, only: str | None = None) -> list[ReconciliationRun]:
    return await reconciliation.run_all(world.db, far_side or world.records, only=only, patience=NOW)


async def bank_with(world: World, change: Callable[[BankBooks], BankBooks]) -> FarSide:
    real = await world.records.banks["increase"].read()
    return replace(world.records, banks={"increase": Changed(real, change)})


async def payin_with(world: World, change: Callable[[PayinBooks], PayinBooks]) -> FarSide:
    real = await world.records.payins["stripe"].read()
    return replace(world.records, payins={"stripe": ChangedPayin(real, change)})


async def found(world: World) -> list[tuple[str, str, int]]:
    return [(one.source, one.kind, one.units) for one in await open_breaks(world.db)]


async def the_break(world: World) -> ReconciliationBreak:
    [one] = await open_breaks(world.db)
    return one


async def actions(world: World, break_id: str) -> list[str]:
    async with world.db.connection() as connection:
        records = await connection.fetch(
            "SELECT action FROM reconciliation_actions WHERE break_id = $1 ORDER BY sequence", break_id
        )
    return [record["action"] for record in records]


async def delivered(world: World) -> dict[str, object]:
    """A buy order that is delivered and final."""
    await world.fund(6)
    order = await world.order()
    await world.pay(order)
    await world.drain()
    await mined(world, 6)
    await world.drain()
    return order


async def test_after_money_has_moved_on_every_rail_every_unit_is_explained(world: World) -> None:
    refunded = await world.order("50.00")
    await world.pay(refunded)
    await world.drain("WalletShort", "SendWaits")  # there are no coins yet
    assert (await world.post(f"/v1/orders/{refunded['id']}/refund")).status_code == 200
    await delivered(world)
    await world.top_up(50_00)
    await world.top_up(50_00, "EUR")
    bank = await world.account()
    payout = await world.post(
        "/v1/payouts", {"amount": {"asset": "USD", "amount": "25.00"}, "external_account_id": bank}
    )
    sepa = await world.account(type="bank", scheme="sepa", iban="DE89370400440532013000", holder_name="Ada Lovelace")
    body = {"amount": {"asset": "EUR", "amount": "20.00"}, "external_account_id": sepa}
    assert (await world.post("/v1/payouts", body)).status_code == 201
    sale = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    await deposit(world, sale, "0.01300000", confirmations=3)
    lost = await deposit(world, await standing_address(world), "0.00200000", confirmations=3)
    await reorg(world, 3, drop=lost)
    await mined(world, 8)
    wallet = await world.account(type="wallet", asset="BTC", network="bitcoin", address=CUSTOMER_ADDRESS)
    await deposit(world, await standing_address(world), "0.05000000", confirmations=6)
    coins = {"amount": {"asset": "BTC", "network": "bitcoin", "amount": "0.00100000"}, "external_account_id": wallet}
    assert (await world.post("/v1/payouts", coins)).status_code == 201
    await world.drain()
    reference = str((await world.get(f"/v1/payouts/{payout.json()['id']}"))["provider_reference"])
    await world.far.increase_settle(reference)
    await world.far.increase_return(reference)
    await world.sepa()
    await mined(world, 6)
    await world.drain()
    runs = await run(world)
    assert {one.source: (one.state, one.breaks) for one in runs} == {
        source: ("done", 0) for source in ("stripe", "increase", "sepa", "bitcoin")
    }
    for one in runs:
        explained_to_the_unit(one)
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reconciliation_lines") == sum(
            one.matched for one in runs
        )
    await world.audit()


def explained_to_the_unit(run: ReconciliationRun) -> None:
    """What they have more than we is all pending."""
    assert run.matched
    for units in run.balances.values():
        assert isinstance(units, dict)
        apart = int(str(units["theirs"])) - int(str(units["ours"]))
        assert apart == int(str(units["pending"]))
        assert (units["broken"], units["explained"]) == ("0", "0")


PAYIN_PLANTS: dict[str, tuple[Callable[[PayinBooks], PayinBooks], list[tuple[str, str, int]]]] = {
    "a missing line": (
        lambda books: replace(books, lines=tuple(one for one in books.lines if one.kind != "charge")),
        [("stripe", "not_at_source", -100_00)],
    ),
    "an extra line": (
        lambda books: replace(
            books,
            lines=(*books.lines, replace(books.lines[0], reference="txn_x", payment_reference=None, fee=0)),
        ),
        [("stripe", "not_in_books", 100_00)],
    ),
    "another amount": (
        lambda books: replace(
            books, lines=tuple(replace(one, amount=Money(99_00, one.amount.asset)) for one in books.lines)
        ),
        [("stripe", "other_amount", -1_00)],
    ),
    "another currency": (
        lambda books: replace(
            books, lines=tuple(replace(one, amount=Money(100_00, USD), fee=0) for one in books.lines)
        ),
        [],
    ),
    "the same line twice": (
        lambda books: replace(books, lines=(*books.lines, replace(books.lines[0], reference="txn_x", fee=0))),
        [("stripe", "duplicate", 100_00)],
    ),
}


async def test_x_4_each_planted_difference_at_the_processor_is_a_break(world: World) -> None:
    order = await delivered(world)
    assert reconciliation.clean(await run(world, only="stripe"))
    for name, (change, expected) in PAYIN_PLANTS.items():
        [one] = await run(world, await payin_with(world, change), only="stripe")
        got = await found(world)
        assert [each for each in got if each in expected] == expected, (name, got)
        assert one.breaks == len(got)
        assert "reconciliation_break" in await alerts(world)
        assert reconciliation.clean(await run(world, only="stripe"))  # it was not so after all
        assert not await found(world)
    await _second_payment(world, str(order["id"]))


async def _second_payment(world: World, order_id: str) -> None:
    """F-40: another payment of the processor's own making, for an order that has one."""

    def twice(books: PayinBooks) -> PayinBooks:
        second = replace(books.lines[0], reference="txn_x", payment_reference="pi_second", fee=0)
        payment = PayinPayment("pi_second", None, order_id, canceled=False)
        return replace(books, lines=(*books.lines, second), payments=(*books.payments, payment))

    await run(world, await payin_with(world, twice), only="stripe")
    assert await found(world) == [("stripe", "duplicate", 100_00)]
    assert "provider_duplicate" in await alerts(world)


BANK_PLANTS: dict[str, tuple[Callable[[BankBooks], BankBooks], tuple[str, str, int]]] = {
    "a missing line": (
        lambda books: replace(books, lines=books.lines[1:], balance=books.balance - books.lines[0].amount),
        ("increase", "not_at_source", -50_00),
    ),
    "an extra line": (
        lambda books: replace(
            books,
            lines=(*books.lines, replace(books.lines[0], reference="x", about=None, amount=Money(-1_00, USD))),
            balance=books.balance - Money(1_00, USD),
        ),
        ("increase", "not_in_books", -1_00),
    ),
    "another amount": (
        lambda books: replace(
            books,
            lines=(replace(books.lines[0], amount=Money(49_00, USD)), *books.lines[1:]),
            balance=books.balance - Money(1_00, USD),
        ),
        ("increase", "other_amount", -1_00),
    ),
    "the same line twice": (
        lambda books: replace(
            books,
            lines=(*books.lines, replace(books.lines[0], reference="x")),
            balance=books.balance + books.lines[0].amount,
        ),
        ("increase", "duplicate", 50_00),
    ),
    "a balance that its lines do not make": (
        lambda books: replace(books, balance=books.balance + Money(7, USD)),
        ("increase", "not_in_books", 7),
    ),
}


async def test_x_5_each_planted_difference_at_the_bank_is_a_break(world: World) -> None:
    await world.top_up(50_00)
    assert reconciliation.clean(await run(world, only="increase"))
    for name, (change, expected) in BANK_PLANTS.items():
        await run(world, await bank_with(world, change), only="increase")
        assert await found(world) == [expected], name
        assert reconciliation.clean(await run(world, only="increase"))
    await _late(world)


async def _late(world: World) -> None:
    """What is under way for too long."""
    bank = await world.account()
    body = {"amount": {"asset": "USD", "amount": "25.00"}, "external_account_id": bank}
    assert (await world.post("/v1/payouts", body)).status_code == 201
    await world.drain()
    assert reconciliation.clean(await run(world, only="increase"))
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE payouts SET submitted_at = now() - interval '8 days'")
    await run(world, only="increase")
    assert await found(world) == [("increase", "late", -25_00)]


async def test_coins_that_are_gone_from_the_chain_are_a_break(world: World) -> None:
    await world.fund(3)
    assert reconciliation.clean(await run(world, only="bitcoin"))
    async with world.db.transaction() as tx:
        entry = await tx.fetchval("SELECT id FROM entries WHERE kind = 'arrived' ORDER BY id LIMIT 1")
        await tx.execute("SET LOCAL session_replication_role = replica")
        await tx.execute("DELETE FROM postings WHERE entry_id = $1", entry)
    await run(world, only="bitcoin")
    assert {kind for _, kind, _ in await found(world)} == {"not_in_books"}
