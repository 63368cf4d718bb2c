"""Payouts that another key approves, who may do what, and lists (faults.md P-06, F-138, F-139, C-04, C-18, C-27, G)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest

from app.services import bank_payouts
from tests.api.accounts import WALLET
from tests.api.front import Caller, Json
from tests.api.payouts import PATH, Desk, account, payout
from tests.api.refusals import ULID, check, pointers, refused

LARGE = "1000.01"
ACTIONS = ["/approve", "/reject", "/cancel"]


async def waiting(desk: Desk) -> tuple[Caller, Caller, Json]:
    """Who made a large payout, who may approve it, and the payout."""
    maker = await desk.maker(USD=2_000_00)
    return maker, await desk.colleague(maker), await payout(maker, LARGE)


def verdict(payout_id: object, verb: str) -> str:
    return f"{PATH}/{payout_id}/{verb}"


async def jobs_of(desk: Desk, payout_id: object) -> int:
    async with desk.db.connection() as connection:
        return int(
            await connection.fetchval("SELECT count(*) FROM pgqueuer WHERE payload = convert_to($1, 'UTF8')", payout_id)
        )


async def test_a_large_payout_waits_for_another_key(desk: Desk) -> None:
    maker, checker, made = await waiting(desk)
    assert (made["status"], made["allowed_actions"]) == ("pending_approval", ["approve", "reject", "cancel"])
    approval = made["approval"]
    assert isinstance(approval, dict)
    assert (approval["required"], approval["approved_by"], len(str(approval["hash"]))) == (True, None, 64)
    assert await desk.available(maker) == 2_000_00 - 1_000_01  # taken while it waits
    assert await jobs_of(desk, made["id"]) == 0
    response = await checker.post(verdict(made["id"], "approve"), {"hash": approval["hash"]})
    assert response.status_code == 200
    done = response.json()
    assert (done["status"], done["approval"]) == (
        "queued",
        {"required": False, "hash": approval["hash"], "approved_by": checker.key_id},
    )
    assert (await maker.get(f"{PATH}/{made['id']}")).json() == done
    [first, second] = await desk.events(made["id"])
    assert (first[0], second[0]) == ("payout.approval_required", "payout.approved")
    assert second[1]["object"] == done
    assert await jobs_of(desk, made["id"]) == 1
    moves = (await maker.get(f"{PATH}/{made['id']}/timeline")).json()["data"]
    assert [(move["trigger"], move["actor"]) for move in moves] == [
        ("approval_required", maker.key_id),
        ("approved", checker.key_id),
    ]


async def test_a_payout_at_the_limit_needs_nobody(desk: Desk) -> None:
    maker = await desk.maker(USD=2_000_00)
    made = await payout(maker, "1000.00")
    assert (made["status"], made["approval"]) == ("queued", None)


async def test_coins_have_a_limit_of_their_own(desk: Desk) -> None:
    maker = await desk.maker(BTC_bitcoin=10**8)
    account_id = await account(maker, WALLET)
    assert (await payout(maker, "0.10000000", "BTC", external_account_id=account_id))["approval"] is None
    made = await payout(maker, "0.10000001", "BTC", external_account_id=account_id)
    assert made["status"] == "pending_approval"


async def test_fault_f_138_nobody_approves_their_own(desk: Desk) -> None:
    maker = await desk.maker(USD=2_000_00)
    both = await desk.colleague(maker, "payouts:*", "external_accounts:*")
    made = await payout(both, LARGE)
    response = await both.post(verdict(made["id"], "approve"))
    check(response, 403, "self_approval_forbidden")
    assert (await maker.get(f"{PATH}/{made['id']}")).json() == made
    # Ending one's own is another matter.
    assert (await both.post(verdict(made["id"], "reject"))).json()["status"] == "canceled"


async def test_p_06_the_same_key_twice_is_one_approval(desk: Desk) -> None:
    _, checker, made = await waiting(desk)
    path = verdict(made["id"], "approve")
    first, second = await checker.post(path), await checker.post(path)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert len(await desk.events(made["id"])) == 2
    other = await desk.colleague(checker)
    await refused(desk.front, other.post(path), 409, "conflict_state", kept=True)
    await refused(desk.front, checker.post(verdict(made["id"], "reject")), 409, "conflict_state", kept=True)


@pytest.mark.parametrize("approved_before", [False, True])
async def test_p_06_nothing_is_approved_once_it_was_called_off(desk: Desk, approved_before: bool) -> None:
    maker, checker, made = await waiting(desk)
    if approved_before:
        assert (await checker.post(verdict(made["id"], "approve"))).status_code == 200
    canceled = await maker.post(verdict(made["id"], "cancel"))
    assert canceled.json()["status"] == "canceled"
    assert canceled.json()["approval"]["approved_by"] == (checker.key_id if approved_before else None)
    assert await desk.available(maker) == 2_000_00
    await refused(desk.front, checker.post(verdict(made["id"], "approve")), 409, "conflict_state", kept=True)


async def test_p_06_a_rejected_payout_is_canceled_and_its_money_free(desk: Desk) -> None:
    maker, checker, made = await waiting(desk)
    response = await checker.post(verdict(made["id"], "reject"), {"reason": "Unknown receiver"})
    assert (response.status_code, response.json()["status"]) == (200, "canceled")
    assert await desk.available(maker) == 2_000_00
    assert [kind for kind, _ in await desk.events(made["id"])] == ["payout.approval_required", "payout.rejected"]
    [_, move] = (await maker.get(f"{PATH}/{made['id']}/timeline")).json()["data"]
    assert (move["trigger"], move["actor"], move["reason"]) == ("rejected", checker.key_id, "Unknown receiver")
    await refused(desk.front, checker.post(verdict(made["id"], "approve")), 409, "conflict_state", kept=True)


async def test_p_06_what_was_not_shown_is_not_approved(desk: Desk) -> None:
    _, checker, made = await waiting(desk)
    sending = checker.post(verdict(made["id"], "approve"), {"hash": "0" * 64})
    response = await refused(desk.front, sending, 409, "conflict_state", kept=True)
    assert pointers(response) == ["/hash"]


CHANGES = {
    "amount": "UPDATE payouts SET units = units + 1 WHERE id = $1",
    "account": """
        UPDATE payouts SET external_account_id = (
            SELECT id FROM external_accounts AS other
            WHERE other.partner_id = payouts.partner_id AND other.id <> payouts.external_account_id
        ) WHERE id = $1
    """,
    "method": "UPDATE payouts SET method = 'wire' WHERE id = $1",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_fault_f_139_a_payout_that_was_changed_is_not_approved(desk: Desk, change: str) -> None:
    maker, checker, made = await waiting(desk)
    await account(maker, WALLET)
    async with desk.db.transaction() as tx:
        await tx.execute(CHANGES[change], made["id"])
    await refused(desk.front, checker.post(verdict(made["id"], "approve")), 409, "conflict_state", kept=True)


@pytest.mark.parametrize("change", CHANGES)
async def test_fault_f_139_a_payout_changed_after_its_approval_does_not_leave(desk: Desk, change: str) -> None:
    maker, checker, made = await waiting(desk)
    await account(maker, WALLET)
    assert (await checker.post(verdict(made["id"], "approve"))).status_code == 200
    async with desk.db.transaction() as tx:
        await tx.execute(CHANGES[change], made["id"])
    await bank_payouts.pay(desk.db, desk.context.rails, desk.context.sealer, str(made["id"]))
    shown = (await maker.get(f"{PATH}/{made['id']}")).json()
    assert (shown["status"], shown["provider_reference"], shown["hold"]["reason"]) == ("queued", None, "approval_void")
    async with desk.db.connection() as connection:
        alerts = await connection.fetch("SELECT kind FROM alerts WHERE subject = $1", made["id"])
    assert [alert["kind"] for alert in alerts] == ["approval_void"]


async def test_c_04_each_verb_has_its_scope(desk: Desk) -> None:
    maker, checker, made = await waiting(desk)
    reader = await desk.colleague(maker, "payouts:read")
    checker_only = await desk.colleague(maker, "payouts:approve")
    nobody = await desk.colleague(maker, "orders:*")
    path = f"{PATH}/{made['id']}"
    tries: list[tuple[Callable[[], Awaitable[httpx.Response]], bool]] = [
        (lambda: reader.get(path), True),
        (lambda: reader.get(PATH), True),
        (lambda: reader.get(f"{path}/timeline"), True),
        (lambda: nobody.get(path), False),
        (lambda: nobody.get(PATH), False),
        (lambda: checker_only.get(path), False),
        (lambda: checker_only.post(f"{path}/cancel"), False),
        (lambda: checker_only.post(f"{PATH}/validate", {}), False),
        (lambda: reader.post(f"{path}/cancel"), False),
        (lambda: maker.post(f"{path}/approve"), False),
        (lambda: maker.post(f"{path}/reject"), False),
        (lambda: reader.post(f"{path}/approve"), False),
        (lambda: checker.post(PATH, {}), False),
    ]
    for number, (sending, allowed) in enumerate(tries):
        response = await sending()
        if allowed:
            assert response.status_code == 200, number
        else:
            check(response, 403, "scope_missing")


@pytest.mark.parametrize("path", ["", "/timeline", *ACTIONS])
async def test_fault_f_141_another_partners_payout_is_not_there(desk: Desk, path: str) -> None:
    _, _, theirs = await waiting(desk)
    caller = await desk.colleague(await desk.maker(), "payouts:*")
    for payout_id in (theirs["id"], f"po_{ULID}", "po_1", f"or_{ULID}", f"{theirs['id']}%00", "%2e%2e"):
        url = f"{PATH}/{payout_id}{path}"
        response = await (caller.post(url) if path in ACTIONS else caller.get(url))
        check(response, 404, "not_found")
    assert (await caller.get(PATH)).json()["data"] == []


@pytest.mark.parametrize(
    ("tag", "status", "code"), [('"2-x"', 412, "precondition_failed"), ("garbage", 400, None), ('"1-x"', 200, None)]
)
async def test_c_27_only_what_was_seen_is_changed(desk: Desk, tag: str, status: int, code: str | None) -> None:
    maker = await desk.maker()
    made = await payout(maker)
    shown = await maker.get(f"{PATH}/{made['id']}")
    exact = shown.headers["etag"] if status == 200 else tag
    response = await maker.post(verdict(made["id"], "cancel"), headers={"If-Match": exact})
    assert response.status_code == status, response.text
    if code is not None:
        assert response.json()["code"] == code
    assert (await desk.available(maker) == 100_00) is (status == 200)


async def test_a_payout_that_was_seen_is_not_sent_again(desk: Desk) -> None:
    maker = await desk.maker()
    made = await payout(maker)
    path = f"{PATH}/{made['id']}"
    tag = (await maker.get(path)).headers["etag"]
    assert (await maker.get(path, **{"If-None-Match": tag})).status_code == 304
    await maker.post(f"{path}/cancel")
    moved = await maker.get(path, **{"If-None-Match": tag})
    assert (moved.status_code, moved.json()["sequence"]) == (200, 2)
