"""Increase's idempotency keys: one object for each, for good."""

from __future__ import annotations

import asyncio

import httpx
import increase
import pytest

from tests.providers.sandbox.increase.far_side import Bank, Sandbox

DETAILS = {
    "amount": 1_000,
    "statement_descriptor": "Order 4711",
    "routing_number": "110000000",
    "account_number": "987600001111",
}


async def send(bank: Bank, key: str | None, **change: object) -> httpx.Response:
    return await bank.post("ach_transfers", {"account_id": await bank.account_id(), **DETAILS, **change}, key)


async def count(bank: Bank) -> int:
    return len((await bank.sdk.ach_transfers.list()).data)


async def test_the_first_object_is_the_object_as_it_is_now(bank: Bank) -> None:
    first = await send(bank, "k")
    again = await send(bank, "k")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    await bank.acts.increase_settle(first.json()["id"])
    assert (await send(bank, "k")).json()["status"] == "submitted"
    assert await count(bank) == 1
    assert await bank.balance() == 10_000_000_000 - 1_000


async def test_other_parameters_or_another_endpoint_are_refused_with_what_has_the_key(bank: Bank) -> None:
    first = (await send(bank, "k")).json()
    with pytest.raises(increase.IdempotencyKeyAlreadyUsedError) as caught:
        await bank.sdk.ach_transfers.create(
            account_id=await bank.account_id(), amount=1, statement_descriptor="x", idempotency_key="k"
        )
    assert caught.value.resource_id == first["id"]
    other = await bank.post("account_numbers", {"account_id": await bank.account_id(), "name": "x"}, "k")
    assert (other.status_code, other.json()["resource_id"]) == (409, first["id"])
    assert await count(bank) == 1


async def test_a_refused_request_has_not_used_its_key(bank: Bank) -> None:
    assert (await send(bank, "k", amount=10**11)).status_code == 409
    assert (await send(bank, "k", amount=0)).status_code == 400
    assert (await send(bank, "k")).status_code == 200


async def test_a_key_finds_its_object_in_the_list(bank: Bank) -> None:
    first = (await send(bank, "k")).json()
    await send(bank, "l")
    await send(bank, None)
    found = (await bank.sdk.ach_transfers.list(idempotency_key="k")).data
    assert [transfer.id for transfer in found] == [first["id"]]
    assert (await bank.sdk.wire_transfers.list(idempotency_key="k")).data == []


async def test_keys_belong_to_their_owner(bank: Bank, held: Sandbox) -> None:
    other = Bank(held.url)
    assert (await send(bank, "k")).json()["id"] != (await send(other, "k")).json()["id"]
    await other.http.aclose()


async def test_a_crowd_under_one_key_makes_one_transfer(bank: Bank) -> None:
    answers = await asyncio.gather(*(send(bank, "k") for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await bank.balance() == 10_000_000_000 - 1_000


async def test_a_key_has_a_length(bank: Bank) -> None:
    assert (await send(bank, "k" * 200)).status_code == 200
    assert (await send(bank, "k" * 201)).status_code == 400
