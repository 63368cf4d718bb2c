"""Payouts in USDC on a real anvil: many in one transaction, one recipient that cannot be paid among them."""

from __future__ import annotations

from tests.journeys.evm.test_receiving import standing_address
from tests.support.coins import balances
from tests.support.evm import BLACKLISTED, CUSTOMER, OTHER, USDC, Document, EvmWorld


async def wallet_account(evm: EvmWorld, address: str) -> str:
    """An external account that takes USDC."""
    return await evm.world.account(type="wallet", asset="USDC", network="ethereum", address=address)


async def pay(evm: EvmWorld, account: str, amount: str) -> Document:
    """A payout from the partner's balance."""
    body = {"external_account_id": account, "amount": {"asset": "USDC", "network": "ethereum", "amount": amount}}
    response = await evm.world.post("/v1/payouts", body)
    assert response.status_code == 201, response.text
    payout: Document = response.json()
    return payout


async def status(evm: EvmWorld, payout: Document) -> object:
    """How a payout stands."""
    return (await evm.world.get(f"/v1/payouts/{payout['id']}"))["status"]


async def test_fault_f_89_one_blacklisted_recipient_of_a_batch_fails_alone(evm: EvmWorld) -> None:
    await evm.deposit(await standing_address(evm.world), 100 * USDC)
    await evm.final()
    before = await evm.world.available("USDC", "ethereum")
    await evm.blacklist(BLACKLISTED)
    good = [await wallet_account(evm, CUSTOMER), await wallet_account(evm, OTHER)]
    bad = await wallet_account(evm, BLACKLISTED)
    held = await evm.usdc_of(OTHER)
    paid = [await pay(evm, good[number % 2], f"{number + 1}.000000") for number in range(6)]
    refused = await pay(evm, bad, "10.000000")
    await evm.world.drain()
    await evm.final()  # the disperse contract is let move our USDC first
    await evm.world.drain()
    await evm.final()
    assert [await status(evm, payout) for payout in paid] == ["settled"] * 6
    assert await status(evm, refused) == "failed"
    assert await evm.usdc_of(OTHER) - held == (2 + 4 + 6) * USDC
    assert float(before) - float(await evm.world.available("USDC", "ethereum")) == 21
    hashes = {(await evm.world.get(f"/v1/payouts/{payout['id']}"))["tx_hash"] for payout in paid}
    assert len(hashes) == 1
    assert not any(account.startswith("payout:") for account, _ in await balances(evm.world))


async def test_fault_f_89_a_batch_that_is_reverted_gives_every_payout_its_money_back(evm: EvmWorld) -> None:
    await evm.deposit(await standing_address(evm.world), 100 * USDC)
    await evm.final()
    before = await evm.world.available("USDC", "ethereum")
    account = await wallet_account(evm, CUSTOMER)
    made = [await pay(evm, account, "1.000000") for _ in range(3)]
    await evm.world.drain()
    await evm.rush(evm.token_call(b"blacklist(address)", CUSTOMER))
    await evm.final()
    assert [await status(evm, payout) for payout in made] == ["failed"] * 3
    assert await evm.world.available("USDC", "ethereum") == before
    assert await evm.alerts() == ["send_reverted"]
    await evm.play.send(evm.token_call(b"unBlacklist(address)", CUSTOMER))


async def test_a_payout_to_one_of_our_own_addresses_is_refused(evm: EvmWorld) -> None:
    body = {"type": "wallet", "asset": "USDC", "network": "ethereum", "address": "0x" + "0" * 40}
    response = await evm.world.post("/v1/external_accounts", body)
    assert response.status_code == 422, response.text
