"""Money that comes in at a bank: whose it is, that it counts once, and what happens when it is taken back."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime

import pytest

from app.db import ledger
from app.db import top_ups as top_up_rows
from app.db.top_ups import TopUp
from app.domain.assets import EUR, USD
from app.domain.errors import ConflictState, NotFound
from app.domain.money import Asset, Money
from app.ports.payout import CreditReceipt, CreditStatus
from app.services import top_ups
from tests.support.coins import balances, events
from tests.support.hosting import SEPA_IBAN
from tests.support.partners import make_partner
from tests.support.paying import alerts, at_bank, fault, payout, until
from tests.support.world import World


async def number_of(world: World, asset: str = "USD") -> dict[str, object]:
    """The partner's own number."""
    response = await world.post("/v1/virtual_accounts", {"asset": asset})
    assert response.status_code == 201, response.text
    found: dict[str, object] = response.json()
    return found


async def all_of(world: World) -> list[TopUp]:
    async with world.db.connection() as connection:
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM top_ups ORDER BY id")]
    async with world.db.transaction() as tx:
        found = [await top_up_rows.lock(tx, top_up_id) for top_up_id in ids]
    return [one for one in found if one is not None]


async def tell(
    world: World,
    status: CreditStatus,
    asset: Asset = EUR,
    *,
    amount: Money | None = None,
    reference: str = "inbound_1",
    account_reference: str | None = None,
    message: str = "",
) -> None:
    """Let a bank's answer about one transfer be recorded."""
    receipt = CreditReceipt(
        reference=reference,
        status=status,
        provider_status=f"said_{status}",
        amount=amount or Money(10_00, asset),
        account_reference=account_reference,
        sender_name="Ada",
        message=message,
        at=datetime.now(UTC),
    )
    async with world.db.transaction() as tx:
        await top_ups.observe(tx, "sepa" if asset == EUR else "increase", receipt, livemode=False)


async def test_money_to_ones_own_number_is_available_and_told(world: World) -> None:
    number = await number_of(world)
    await world.far.increase_credit(str(number["account_number"]), 12_34, "ACME SUPPLY CO", "float")

    async def there() -> bool:
        return await world.available("USD") == "12.34"

    await world.eventually(there, "the money is available")
    [top_up] = await all_of(world)
    assert (top_up.partner_id, top_up.virtual_account_id, top_up.status) == (world.partner.id, number["id"], "credited")
    assert await events(world, top_up.id) == ["top_up.credited"]
    await world.retell_notifications(random.Random(3), times=3)
    assert await top_ups.catch_up(world.db, world.rails) == 1
    assert await world.available("USD") == "12.34"
    assert len(await all_of(world)) == 1
    await world.audit()


async def test_a_webhook_that_never_comes_is_caught_up_with(world: World) -> None:
    number = await number_of(world)
    await fault(world, kind="webhook_drop", times=1000)
    reference = await world.far.increase_credit(str(number["account_number"]), 5_00, "ACME SUPPLY CO", "")
    await world.drain()
    assert await world.available("USD") == "0.00"
    await asyncio.gather(*(top_ups.catch_up(world.db, world.rails) for _ in range(3)))  # three workers
    assert await world.available("USD") == "5.00"
    # It is taken back, and we are told of that as little.
    await world.far.command("POST", "/control/increase/credit_back", {"transfer": reference})
    await top_ups.catch_up(world.db, world.rails)
    await top_ups.catch_up(world.db, world.rails)
    assert await world.available("USD") == "0.00"
    [top_up] = await all_of(world)
    assert top_up.status == "reversed"
    assert await events(world, top_up.id) == ["top_up.credited", "top_up.reversed"]
    await world.audit()


async def test_a_reversal_that_overtakes_the_credit_is_made_good(world: World) -> None:
    number = await number_of(world)
    await fault(world, kind="webhook_drop", times=1000)
    reference = await world.far.increase_credit(str(number["account_number"]), 5_00, "ACME SUPPLY CO", "")
    early = await world.rails.banks["increase"].fetch_credit(reference)
    await world.far.command("POST", "/control/increase/credit_back", {"transfer": reference})
    late = await world.rails.banks["increase"].fetch_credit(reference)
    for receipt in (late, early):
        async with world.db.transaction() as tx:
            await top_ups.observe(tx, "increase", receipt, livemode=False)
    await top_ups.catch_up(world.db, world.rails)
    assert await world.available("USD") == "0.00"
    await world.drain()
    await world.audit()


async def test_money_taken_back_after_it_was_spent_is_to_be_recovered(world: World) -> None:
    number = await number_of(world)
    reference = await world.far.increase_credit(str(number["account_number"]), 100_00, "ACME SUPPLY CO", "")

    async def there() -> bool:
        return await world.available("USD") == "100.00"

    await world.eventually(there, "the money is available")
    # Somebody else's money is what the payout is made from, once the first is gone.
    other = await make_partner(world.db)
    async with world.db.transaction() as tx:
        assert await ledger.lock_available(tx, other.id, USD.id) == 0
    made = await payout(world, "70.00")
    await world.drain()
    await world.far.increase_settle(await at_bank(world, made))
    await until(world, made, "settled")
    await world.far.command("POST", "/control/increase/credit_back", {"transfer": reference})
    await top_ups.catch_up(world.db, world.rails)
    assert await world.available("USD") == "0.00"
    assert (await balances(world))["receivable:recovery", "USD"] == 70_00
    assert "balance_overdrawn" in await alerts(world)
    refused = await world.post(
        "/v1/payouts", {"amount": {"asset": "USD", "amount": "0.01"}, "external_account_id": await world.account()}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_balance")
    await world.audit()


async def test_fault_f_57_money_without_a_reference_waits_for_a_person(world: World) -> None:
    await number_of(world, "EUR")
    await world.far.sepa_credit(world.sepa_folder, 7_00, "", "")
    await world.sepa()
    [top_up] = await all_of(world)
    assert (top_up.partner_id, top_up.status, top_up.reason) == (None, "held", "unmatched")
    assert "unmatched_money" in await alerts(world)
    assert (await balances(world))["suspense:unmatched", "EUR"] == -7_00
    assert await events(world, top_up.id) == []  # nobody to tell
    async with world.db.transaction() as tx:
        await top_ups.assign(tx, top_up.id, world.partner.id, actor="ada", reason="they wrote to us")
    assert await world.available("EUR") == "7.00"
    assert await events(world, top_up.id) == ["top_up.credited"]
    for wrong, error in ((top_up.id, ConflictState), ("tu_none", NotFound)):
        with pytest.raises(error):
            async with world.db.transaction() as tx:
                await top_ups.assign(tx, wrong, world.partner.id, actor="ada", reason="again")
    assert await world.available("EUR") == "7.00"
    await world.audit()


async def test_a_reference_is_found_however_the_sender_writes_it(world: World) -> None:
    reference = str((await number_of(world, "EUR"))["reference"])
    spelled = [
        reference,
        f"Top-up {reference}.",
        f"invoice 42 / {reference.lower()}",
        f"{reference[:5]} {reference[5:9]} {reference[9:]}",
        f"{reference} and once more {reference}",
    ]
    for message in spelled:
        await world.far.sepa_credit(world.sepa_folder, 1_00, "Ada Lovelace", message)
    await world.sepa()
    assert {(one.status, one.partner_id) for one in await all_of(world)} == {("credited", world.partner.id)}
    assert await world.available("EUR") == "5.00"
    await world.audit()


async def test_two_references_or_a_wrong_one_are_nobodys(world: World) -> None:
    other = await make_partner(world.db)
    mine = str((await number_of(world, "EUR"))["reference"])
    response = await world.client.post(
        "/v1/virtual_accounts", json={"asset": "EUR"}, headers=other.headers | {"Idempotency-Key": "other"}
    )
    theirs = str(response.json()["reference"])
    for number, message in enumerate((f"{mine} {theirs}", mine[:-1], f"RMP{'2' * 10}")):
        await tell(
            world, CreditStatus.CREDITED, EUR, reference=f"b{number}", message=message, account_reference=SEPA_IBAN
        )
    assert {(one.status, one.reason) for one in await all_of(world)} == {("held", "unmatched")}
    assert await world.available("EUR") == "0.00"


async def test_fault_f_58_another_asset_than_the_numbers_is_held(world: World) -> None:
    reference = str((await number_of(world, "EUR"))["reference"])
    await tell(world, CreditStatus.CREDITED, EUR, amount=Money(9_00, USD), message=reference)
    [top_up] = await all_of(world)
    assert (top_up.status, top_up.reason, top_up.asset) == ("held", "wrong_asset", "USD")
    assert await events(world, top_up.id) == ["top_up.held"]
    assert (await world.available("EUR"), await world.available("USD")) == ("0.00", "0.00")


async def test_fault_f_59_money_that_is_taken_from_us_moves_no_balance(world: World) -> None:
    number = await number_of(world)
    taken = Money(-50_00, USD)
    await tell(world, CreditStatus.UNKNOWN, USD, amount=taken, account_reference=str(number["id"]))
    assert "unknown_provider_status" in await alerts(world)
    assert await all_of(world) == []
    assert await balances(world) == {}


async def test_only_what_is_ours_counts_and_only_once(world: World) -> None:
    reference = str((await number_of(world, "EUR"))["reference"])
    await tell(world, CreditStatus.PENDING, EUR, message=reference)
    await tell(world, CreditStatus.REVERSED, EUR, message=reference)
    assert await all_of(world) == []
    await asyncio.gather(*(tell(world, CreditStatus.CREDITED, EUR, message=reference) for _ in range(6)))
    assert await world.available("EUR") == "10.00"
    await asyncio.gather(*(tell(world, CreditStatus.REVERSED, EUR, message=reference) for _ in range(6)))
    await tell(world, CreditStatus.CREDITED, EUR, message=reference)  # an old answer
    assert await world.available("EUR") == "0.00"
    [top_up] = await all_of(world)
    assert (top_up.status, top_up.sequence) == ("reversed", 2)
