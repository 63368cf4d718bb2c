"""Payouts, from the balance to the bank or the wallet, and back when the bank returns them."""

from __future__ import annotations

import pytest

from tests.support.world import CUSTOMER_ADDRESS, World


async def payout(world: World, amount: str | dict[str, str], account: str, **changes: object) -> dict[str, object]:
    money = {"asset": "USD", "amount": amount} if isinstance(amount, str) else amount
    body = {"amount": money, "external_account_id": account, **changes}
    response = await world.post("/v1/payouts", body)
    assert response.status_code == 201, response.text
    made: dict[str, object] = response.json()
    return made


async def status(world: World, payout_id: object) -> str:
    return str((await world.get(f"/v1/payouts/{payout_id}"))["status"])


async def test_a_bank_payout_from_the_balance_to_settled(world: World) -> None:
    await world.top_up(100_00)
    made = await payout(world, "25.00", await world.account())
    assert (made["status"], made["method"], made["provider"]) == ("queued", "ach", "increase")
    assert await world.available("USD") == "75.00"
    await world.drain()
    shown = await world.get(f"/v1/payouts/{made['id']}")
    assert shown["status"] == "submitted"
    await world.far.increase_settle(str(shown["provider_reference"]))

    async def settled() -> bool:
        return await status(world, made["id"]) == "settled"

    await world.eventually(settled, "the payout settles")
    assert await world.available("USD") == "75.00"
    await world.audit()


async def test_fault_f_53_a_settled_payout_comes_back(world: World) -> None:
    await world.top_up(100_00)
    made = await payout(world, "25.00", await world.account())
    await world.drain()
    reference = str((await world.get(f"/v1/payouts/{made['id']}"))["provider_reference"])
    await world.far.increase_settle(reference)

    async def is_(wanted: str) -> bool:
        return await status(world, made["id"]) == wanted

    await world.eventually(lambda: is_("settled"), "the payout settles")
    await world.far.increase_return(reference, "R03")
    await world.eventually(lambda: is_("returned"), "the payout comes back")
    shown = await world.get(f"/v1/payouts/{made['id']}")
    assert isinstance(shown["returned"], dict)
    assert (shown["returned"]["code"], shown["returned"]["scheme_code"]) == ("returned_r03", "R03")
    assert await world.available("USD") == "100.00"
    await world.audit()


async def test_a_sepa_payout_in_a_file(world: World) -> None:
    await world.top_up(100_00, "EUR")
    account = await world.account(type="bank", scheme="sepa", iban="DE89370400440532013000", holder_name="Ada Lovelace")
    made = await payout(world, {"asset": "EUR", "amount": "40.00"}, account, reference="Invoice 42")
    await world.drain()
    assert await status(world, made["id"]) == "submitted"
    await world.sepa()
    assert await status(world, made["id"]) == "settled"
    assert await world.available("EUR") == "60.00"
    await world.audit()


async def test_coins_to_many_wallets_in_one_transaction(world: World) -> None:
    await world.fund()
    address = await world.post("/v1/deposit_addresses", {"asset": "BTC", "network": "bitcoin", "route": "balance"})
    assert address.status_code == 201, address.text
    await world.far.fund([(address.json()["address"], 50_000)])
    await world.far.mine("bitcoin", 6)
    await world.drain()
    assert await world.available("BTC", "bitcoin") == "0.00050000"
    account = await world.account(type="wallet", asset="BTC", network="bitcoin", address=CUSTOMER_ADDRESS)
    coins = {"asset": "BTC", "network": "bitcoin", "amount": "0.00010000"}
    made = [await payout(world, coins, account) for _ in range(3)]
    await world.drain()
    shown = [await world.get(f"/v1/payouts/{one['id']}") for one in made]
    assert {one["status"] for one in shown} == {"submitted"}
    assert len({one["tx_hash"] for one in shown}) == 1
    await world.far.mine("bitcoin", 6)
    await world.drain()
    assert {await status(world, one["id"]) for one in made} == {"settled"}
    assert await world.available("BTC", "bitcoin") == "0.00020000"
    await world.audit()


@pytest.mark.parametrize("amount", ["100.01", "1000000.00"])
async def test_more_than_there_is_changes_nothing(world: World, amount: str) -> None:
    await world.top_up(100_00)
    body = {"amount": {"asset": "USD", "amount": amount}, "external_account_id": await world.account()}
    response = await world.post("/v1/payouts", body, key="once")
    assert (response.status_code, response.json()["code"]) == (422, "insufficient_balance")
    again = await world.post("/v1/payouts", body, key="once")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (422, "true")
    assert await world.available("USD") == "100.00"
    await world.audit()
