"""Payouts in lists: every filter, cursors in both directions, and nobody else's."""

from __future__ import annotations

import pytest

from tests.api.front import Caller
from tests.api.payouts import PATH, Desk, account, payout
from tests.api.refusals import ULID, refused
from tests.api.test_payouts_checked import LARGE, verdict, waiting


async def listed(caller: Caller, query: str) -> list[object]:
    response = await caller.get(f"{PATH}?{query}")
    assert response.status_code == 200, response.text
    return [one["id"] for one in response.json()["data"]]


async def test_g_07_every_filter_must_hold(desk: Desk) -> None:
    maker = await desk.maker(USD=5_000_00)
    account_id = await account(maker)
    plain = await payout(maker, external_account_id=account_id, external_id="pay-1", metadata={"run": "1", "a": "b"})
    large = await payout(maker, LARGE, external_account_id=account_id, metadata={"run": "1"})
    other = await payout(maker, external_account_id=account_id, metadata={"run": "2"})
    assert (await maker.post(verdict(other["id"], "cancel"))).status_code == 200
    queued, waits, canceled = plain["id"], large["id"], other["id"]
    assert await listed(maker, "") == [canceled, waits, queued]
    assert await listed(maker, "status=queued") == [queued]
    assert await listed(maker, "status=pending_approval") == [waits]
    assert await listed(maker, "status=canceled") == [canceled]
    assert await listed(maker, "status=settled") == []
    assert await listed(maker, "external_id=pay-1") == [queued]
    assert await listed(maker, "metadata[run]=1") == [waits, queued]
    assert await listed(maker, "metadata[run]=1&status=queued") == [queued]
    assert await listed(maker, "metadata[run]=1&metadata[a]=b&status=pending_approval") == []
    assert await listed(maker, f"created_at[gte]={large['created_at']}") == [canceled, waits]
    assert await listed(maker, f"created_at[gt]={large['created_at']}&status=queued") == []
    assert await listed(maker, f"batch_id=pb_{ULID}") == []
    assert await listed(maker, f"order_id=or_{ULID}") == []
    async with desk.db.transaction() as tx:
        await tx.execute("UPDATE payouts SET state = 'sending' WHERE id = $1", queued)
    assert await listed(maker, "status=queued") == [queued]  # nothing that anybody can see has changed


async def test_g_08_pages_in_both_directions(desk: Desk) -> None:
    maker = await desk.maker()
    account_id = await account(maker)
    made = [(await payout(maker, "1.00", external_account_id=account_id))["id"] for _ in range(5)][::-1]
    first = (await maker.get(f"{PATH}?limit=2")).json()
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (made[:2], True)
    late = (await payout(maker, "1.00", external_account_id=account_id))["id"]
    second = (await maker.get(f"{PATH}?limit=2&starting_after={made[1]}")).json()
    assert ([one["id"] for one in second["data"]], second["has_more"]) == (made[2:4], True)
    last = (await maker.get(f"{PATH}?limit=2&starting_after={made[3]}")).json()
    assert ([one["id"] for one in last["data"]], last["has_more"]) == (made[4:], False)
    back = (await maker.get(f"{PATH}?limit=2&ending_before={made[2]}")).json()
    assert ([one["id"] for one in back["data"]], back["has_more"]) == (made[:2], True)
    assert await listed(maker, f"ending_before={made[0]}") == [late]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=-1", "limit=abc", "limit=1&limit=2", "status=sending", "status=paid",
        "status[]=queued", "kind=payout", "batch_id=or_1", "order_id=x", "starting_after=garbage",
        f"starting_after=or_{ULID}", "created_at[gte]=yesterday", "created_at[xx]=2026-01-01T00:00:00Z",
        "status=queued' OR 1=1--", f"starting_after=po_{ULID}&ending_before=po_{ULID}", "callback=x",
    ],
)  # fmt: skip
async def test_g_04_a_query_that_cannot_be_asked(desk: Desk, query: str) -> None:
    maker = await desk.maker()
    response = await maker.get(f"{PATH}?{query}")
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"


async def test_g_02_another_partners_payout_is_no_cursor(desk: Desk) -> None:
    _, _, theirs = await waiting(desk)
    maker = await desk.maker()
    for payout_id in (theirs["id"], f"po_{ULID}"):
        await refused(desk.front, maker.get(f"{PATH}?starting_after={payout_id}"), 404, "not_found")
