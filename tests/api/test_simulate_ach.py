"""Test mode's bank: an ACH payout is settled or sent back there, and follows as the bank tells it."""

from __future__ import annotations

import pytest

from tests.api.refusals import pointers
from tests.support.partners import make_partner
from tests.support.world import World

UNKNOWN = "po_01JD0000000000000000000000"


async def payout(world: World) -> str:
    """A payout of 25 dollars out of 100."""
    await world.top_up(100_00)
    body = {"amount": {"asset": "USD", "amount": "25.00"}, "external_account_id": await world.account()}
    response = await world.post("/v1/payouts", body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def becomes(world: World, payout_id: str, status: str) -> None:
    """Wait until the payout has a status."""

    async def has() -> bool:
        return (await world.get(f"/v1/payouts/{payout_id}"))["status"] == status

    await world.eventually(has, f"the payout is {status}")


async def test_a_payout_settles_and_is_sent_back_as_the_bank_is_told(world: World) -> None:
    payout_id = await payout(world)
    await world.drain()
    settled = await world.post("/v1/simulate/ach/settle", {"payout_id": payout_id})
    assert settled.json() == {"object": "simulation", "act": "ach.settle", "payout_id": payout_id}
    await becomes(world, payout_id, "settled")
    body = {"payout_id": payout_id, "code": "R02"}
    back = await world.post("/v1/simulate/ach/return", body, key="back")
    assert back.json() == {"object": "simulation", "act": "ach.return", "payout_id": payout_id}
    await becomes(world, payout_id, "returned")
    shown = await world.get(f"/v1/payouts/{payout_id}")
    assert isinstance(shown["returned"], dict)
    assert (shown["returned"]["code"], shown["returned"]["scheme_code"]) == ("returned_r02", "R02")
    assert await world.available("USD") == "100.00"
    again = await world.post("/v1/simulate/ach/return", body, key="back")
    assert (again.content, again.headers["idempotency-replayed"]) == (back.content, "true")
    twice = await world.post("/v1/simulate/ach/return", body)
    assert (twice.status_code, twice.json()["code"]) == (409, "provider_rejected")
    await world.drain()
    await world.audit()


async def test_the_bank_cannot_do_anything_with_what_it_does_not_have(world: World) -> None:
    payout_id = await payout(world)
    for act in ("settle", "return"):
        early = await world.post(f"/v1/simulate/ach/{act}", {"payout_id": payout_id})
        assert (early.status_code, early.json()["code"], early.json()["retry_after"]) == (409, "conflict_state", 1)


@pytest.mark.parametrize("act", ["settle", "return"])
async def test_only_ones_own_ach_payouts_are_known(world: World, act: str) -> None:
    theirs = await payout(world)
    other = await make_partner(world.db)
    path = f"{world.api_url}/v1/simulate/ach/{act}"
    headers = {**other.headers, "Idempotency-Key": "other"}
    foreign = await world.http.post(path, json={"payout_id": theirs}, headers=headers)
    missing = await world.post(f"/v1/simulate/ach/{act}", {"payout_id": UNKNOWN})
    for refused in (foreign, missing):
        assert (refused.status_code, refused.json()["code"], pointers(refused)) == (404, "not_found", ["/payout_id"])


@pytest.mark.parametrize("code", ["R3", "R033", "r03", "AC04", "", 3, None])
async def test_a_code_is_one_of_nachas_form(shared_world: World, code: object) -> None:
    refused = await shared_world.post("/v1/simulate/ach/return", {"payout_id": UNKNOWN, "code": code})
    assert (refused.status_code, pointers(refused)) == (422, ["/code"])
