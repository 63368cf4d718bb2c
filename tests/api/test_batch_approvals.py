"""Maker and checker: a large batch waits for another key, whose approval is of just what was shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest

from app.main import build_app
from app.services import batch_payments, keys
from tests.api.front import Caller, Front
from tests.api.refusals import refused
from tests.support.batches import Json, available, give_coins, item

URL = "/v1/payout_batches"
ASSET = "BTC.bitcoin"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two keys of one partner at an instance where more than 50,000 satoshi need an approval."""

    maker: Caller
    checker: Caller


@pytest.fixture
async def pair(front: Front) -> AsyncIterator[Pair]:
    """A partner with a bitcoin and two keys."""
    policy = replace(front.context.policy, approval_above={ASSET: 50_000})
    transport = httpx.ASGITransport(build_app(replace(front.context, policy=policy)))
    first = await front.caller()
    await give_coins(front.context.db, first.partner_id)
    both = [await keys.issue(front.context.db, first.partner_id, "test", ["*"], maker_and_checker=True) for _ in "12"]
    async with httpx.AsyncClient(transport=transport, base_url="http://rampwright.test") as http:
        maker, checker = (Caller(first.partner_id, key_id, key, http) for key_id, key in both)
        yield Pair(maker, checker)


async def waiting(pair: Pair) -> Json:
    """A batch of which no item is large, but all are together."""
    items = [item(n, "0.00030000") for n in range(2)]
    response = await pair.maker.post(URL, {"mode": "best_effort", "items": items})
    assert response.status_code == 201, response.text
    found: Json = response.json()
    assert (found["status"], found["allowed_actions"]) == ("pending_approval", ["approve", "reject", "cancel"])
    return found


async def test_another_key_approves_what_was_shown(front: Front, pair: Pair) -> None:
    found = await waiting(pair)
    path = f"{URL}/{found['id']}/approve"
    approval = found["approval"]
    assert isinstance(approval, dict)
    assert approval["required"] is True
    await refused(front, pair.maker.post(path, {}), 403, "self_approval_forbidden", kept=True)
    await refused(front, pair.checker.post(path, {"hash": "0" * 64}), 409, "conflict_state", kept=True)
    await batch_payments.pay(front.context.db, front.context.rails, str(found["id"]))
    assert await made_of(front, found) == 0
    response = await pair.checker.post(path, {"hash": approval["hash"]}, headers={"If-Match": '"1"'})
    assert response.status_code == 200, response.text
    approved = response.json()
    assert (approved["status"], approved["sequence"]) == ("processing", 2)
    assert approved["approval"] == {"required": False, "hash": approval["hash"], "approved_by": pair.checker.key_id}
    assert (await pair.checker.post(path, {})).status_code == 200  # it has said so before
    await batch_payments.pay(front.context.db, front.context.rails, str(found["id"]))
    assert await made_of(front, found) == 2


async def made_of(front: Front, found: Json) -> int:
    async with front.context.db.connection() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM payouts WHERE batch_id = $1", found["id"])
    return count


async def test_what_is_approved_cannot_be_changed_afterwards(front: Front, pair: Pair) -> None:
    found = await waiting(pair)
    assert (await pair.checker.post(f"{URL}/{found['id']}/approve", {})).status_code == 200
    async with front.context.db.transaction() as tx:
        await tx.execute(
            "UPDATE payout_items SET units = units + CASE position WHEN 1 THEN 1 ELSE -1 END WHERE batch_id = $1",
            found["id"],
        )
    await batch_payments.pay(front.context.db, front.context.rails, str(found["id"]))
    assert await made_of(front, found) == 0
    async with front.context.db.connection() as connection:
        assert await connection.fetchval("SELECT kind FROM alerts WHERE subject = $1", found["id"]) == "approval_void"
    ended = (await pair.maker.get(f"{URL}/{found['id']}")).json()
    assert (ended["status"], ended["failure"]["code"]) == ("canceled", "approval_void")
    assert await available(front.context.db, pair.maker.partner_id) == 10**8


@pytest.mark.parametrize("how", ["reject", "cancel"])
async def test_a_batch_that_is_not_wanted_gives_its_money_back(front: Front, pair: Pair, how: str) -> None:
    found = await waiting(pair)
    assert await available(front.context.db, pair.maker.partner_id) == 10**8 - 60_000
    who = pair.checker if how == "reject" else pair.maker
    response = await who.post(f"{URL}/{found['id']}/{how}")
    assert (response.status_code, response.json()["status"]) == (200, "canceled")
    assert await available(front.context.db, pair.maker.partner_id) == 10**8
    approving = pair.checker.post(f"{URL}/{found['id']}/approve", {})
    await refused(front, approving, 409, "conflict_state", kept=True)
    items = (await who.get(f"{URL}/{found['id']}/items?status=canceled")).json()["data"]
    assert [one["status"] for one in items] == ["canceled"] * 2


async def test_only_what_waits_can_be_called_off(front: Front, pair: Pair) -> None:
    response = await pair.maker.post(URL, {"mode": "best_effort", "items": [item(1)]})
    assert response.json()["status"] == "processing"
    path = f"{URL}/{response.json()['id']}/cancel"
    await refused(front, pair.maker.post(path), 409, "conflict_state", kept=True)
    stale = pair.maker.post(path, headers={"If-Match": '"7"'})
    await refused(front, stale, 412, "precondition_failed", kept=True)
