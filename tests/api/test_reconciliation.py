"""Reconciliation over HTTP: for the operator's own keys, and for nobody else's."""

from __future__ import annotations

import httpx
import pytest

from app.services.keys import ADMIN, PARTNER_SCOPES, allows, issue
from tests.services.test_breaks import extra_line
from tests.services.test_reconciliation import run
from tests.support.world import World

BREAKS = "/v1/reconciliation/breaks"


async def operator(world: World) -> dict[str, str]:
    """The headers of a key of the operator's own."""
    _, key = await issue(world.db, world.partner.id, "test", ["admin:reconciliation"])
    return {"Authorization": f"Bearer {key}"}


async def resolve(world: World, headers: dict[str, str], break_id: str, key: str, **body: object) -> httpx.Response:
    return await world.client.post(
        f"{BREAKS}/{break_id}/resolve", json=body, headers={**headers, "Idempotency-Key": key}
    )


@pytest.mark.parametrize("scopes", [["*"], list(PARTNER_SCOPES), ["ledger:read"], ["orders:*"]])
def test_no_key_of_a_partner_covers_what_is_the_operator_s(scopes: list[str]) -> None:
    assert not allows(frozenset(scopes), f"{ADMIN}:reconciliation")
    assert allows(frozenset({f"{ADMIN}:*"}), f"{ADMIN}:reconciliation")


async def test_breaks_are_listed_explained_and_corrected_by_the_operator_s_keys_alone(world: World) -> None:
    _, broken = await extra_line(world)
    for path in (BREAKS, "/v1/reconciliation/runs"):
        assert (await world.client.get(path)).status_code == 403
    assert (await world.post(f"{BREAKS}/{broken.id}/resolve", {"action": "explain", "reason": "x"})).status_code == 403
    ada, bob = await operator(world), await operator(world)
    listed = (await world.client.get(BREAKS, params={"status": "open", "source": "increase"}, headers=ada)).json()
    [shown] = listed["data"]
    assert (shown["id"], shown["kind"], shown["status"]) == (broken.id, "not_in_books", "open")
    assert shown["amount"] == {"asset": "USD", "amount": "-1.00"}
    assert (await world.client.get(BREAKS, params={"kind": "late"}, headers=ada)).json()["data"] == []
    assert (await world.client.get(BREAKS, params={"status": "gone"}, headers=ada)).status_code == 422
    proposal = {"action": "propose_correction", "account": "expense:provider", "reason": "the bank's fee"}
    approval = {"action": "approve_correction", "reason": "seen the letter"}
    assert (await resolve(world, ada, broken.id, "k0", action="explain", account="x", reason="x")).status_code == 422
    assert (await resolve(world, ada, broken.id, "k1", **proposal)).json()["status"] == "open"
    own = await resolve(world, ada, broken.id, "k2", **approval)
    assert (own.status_code, own.json()["code"]) == (403, "self_approval_forbidden")
    done = await resolve(world, bob, broken.id, "k3", **approval)
    assert (done.status_code, done.json()["resolution"]) == (200, "corrected")
    assert done.json() == (await resolve(world, bob, broken.id, "k3", **approval)).json()
    assert (await resolve(world, bob, "rb_none", "k4", **approval)).status_code == 404
    await run(world, only="increase")
    runs = (await world.client.get("/v1/reconciliation/runs", params={"limit": 1}, headers=ada)).json()
    assert (runs["data"][0]["source"], runs["has_more"]) == ("increase", True)
    assert [one["asset"] for one in runs["data"][0]["balances"]] == ["USD"]
