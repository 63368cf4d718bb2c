"""Payouts for tests: making them, waiting for what becomes of them, and what the banks themselves say of them."""

from __future__ import annotations

import httpx

from app.db import ledger
from app.services import bank_payouts
from providers.sandbox.increase.books import owner_of_key
from tests.support.hosting import increase_key_of
from tests.support.world import World

Document = dict[str, object]
BANK_TROUBLE = ("OutcomeUnknown", "ProviderUnavailable", "ProviderThrottled")


async def payout(world: World, amount: str = "25.00", account: str | None = None, **changes: object) -> str:
    """A payout in dollars, or as the changes say; its id."""
    body = {
        "amount": {"asset": "USD", "amount": amount},
        "external_account_id": account or await world.account(),
        **changes,
    }
    response = await world.post("/v1/payouts", body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def shown(world: World, payout_id: str) -> Document:
    """A payout as the API shows it."""
    return await world.get(f"/v1/payouts/{payout_id}")


async def status(world: World, payout_id: str) -> str:
    """Its status."""
    return str((await shown(world, payout_id))["status"])


async def until(world: World, payout_id: str, wanted: str) -> Document:
    """Work on until the payout has a status."""

    async def is_so() -> bool:
        return await status(world, payout_id) == wanted

    await world.eventually(is_so, f"the payout is {wanted}")
    return await shown(world, payout_id)


async def at_bank(world: World, payout_id: str) -> str:
    """The bank's id of a payout."""
    return str((await shown(world, payout_id))["provider_reference"])


async def steps(world: World, payout_id: str) -> list[str]:
    """What has moved a payout, in order."""
    data = (await world.get(f"/v1/payouts/{payout_id}/timeline"))["data"]
    assert isinstance(data, list)
    return [step["trigger"] for step in data]


async def pay(world: World, payout_id: str) -> None:
    """Do the job of a bank payout once."""
    await bank_payouts.pay(world.db, world.rails, world.worker.sealer, payout_id)


async def fault(world: World, **words: object) -> None:
    """Make the bank misbehave towards this instance alone."""
    account = owner_of_key(increase_key_of(world.stripe_key))
    await world.far.command("POST", "/control/faults", {"target": "increase", "account": account, **words})


async def transfers(world: World, kind: str = "ach_transfers") -> list[Document]:
    """Every transfer of a kind that the bank has from us, newest first."""
    headers = {"Authorization": f"Bearer {increase_key_of(world.stripe_key)}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
        response = await http.get(f"{world.far_url}/increase/{kind}", params={"limit": "100"})
    response.raise_for_status()
    found: list[Document] = response.json()["data"]
    return found


async def asked(world: World, path: str = "/ach_transfers") -> list[str]:
    """The methods of every request that we made to a path of the bank's, in order."""
    logged = await world.far.requests(owner_of_key(increase_key_of(world.stripe_key)))
    return [str(one["method"]) for one in logged if one["path"] == path]


async def alerts(world: World) -> set[str]:
    """The kinds of what a person should look at."""
    async with world.db.connection() as connection:
        return {row["kind"] for row in await connection.fetch("SELECT kind FROM alerts WHERE resolved_at IS NULL")}


async def standing(world: World, payout_id: str, asset: str = "USD") -> int:
    """What stands on a payout's own account: below zero while it is taken and not paid."""
    async with world.db.connection() as connection:
        return await ledger.balance(connection, f"payout:{payout_id}", asset)


async def entries(world: World, subject: str) -> list[str]:
    """The kinds of what was booked for a payout, in order."""
    async with world.db.connection() as connection:
        rows = await connection.fetch("SELECT kind FROM entries WHERE subject = $1 ORDER BY created_at, id", subject)
    return [row["kind"] for row in rows]
