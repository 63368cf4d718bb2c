"""Widget sessions as the partner's server makes them: what is bound, shown, ended and told."""

from __future__ import annotations

import re

import orjson
import pytest

from app.services import sessions
from tests.api.front import ADDRESS, Caller, Front
from tests.api.refusals import ULID, check, pointers, refused
from tests.api.visits import BUY, Browser, Json, make_old, new_session, visit

FULL: Json = {
    "source": {"asset": "EUR", "amount": "100.00"},
    "destination": {"asset": "BTC", "network": "bitcoin", "address": ADDRESS},
    "payment_method": "card",
    "country": "DE",
    "external_id": "inv-1",
    "customer": {"reference": "u-1"},
    "metadata": {"cart": "9"},
    "locale": "ar",
    "theme": {"mode": "dark", "accent": "#0a7c55", "radius": 4, "font": "serif"},
    "return_url": "https://shop.example/thanks?x=1",
}


async def events_of(front: Front, session_id: str) -> list[str]:
    """What the partner was told of a session, in order; numbered or not."""
    return [one["type"] for one in await told(front, session_id)]


async def told(front: Front, session_id: str) -> list[Json]:
    """The events' rows."""
    async with front.context.db.connection() as connection:
        rows = await connection.fetch(
            "SELECT type, resource_sequence, data FROM events WHERE resource_id = $1 ORDER BY position", session_id
        )
    return [{"type": row["type"], "sequence": row["resource_sequence"], **orjson.loads(row["data"])} for row in rows]


async def test_all_that_is_bound_is_shown(caller: Caller) -> None:
    made = await new_session(caller, **FULL)
    assert re.fullmatch(rf"http://rampwright\.test/w/{made['id']}#[\w-]+\.[\w-]+\.[\w-]+", str(made["url"]))
    assert str(made["url"]).endswith(f"#{made['client_secret']}")
    shown = (await caller.get(f"/v1/sessions/{made['id']}")).json()
    assert shown == {name: value for name, value in made.items() if name not in {"url", "client_secret"}}
    for name in ("source", "payment_method", "country", "external_id", "customer", "metadata", "locale", "theme"):
        assert shown[name] == FULL[name], name
    assert shown["destination"] == {
        "asset": "BTC",
        "network": "bitcoin",
        "amount": None,
        "address": ADDRESS,
        "memo": None,
    }
    assert (shown["status"], shown["sequence"], shown["return_url"]) == ("created", 1, FULL["return_url"])


async def test_the_secret_is_shown_again_to_a_repetition_and_stored_nowhere(front: Front, caller: Caller) -> None:
    first = await caller.post("/v1/sessions", BUY, key="once")
    again = await caller.post("/v1/sessions", BUY, key="once")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    made = first.json()
    looked_up = await caller.get("/v1/idempotency_keys/once")
    assert made["client_secret"] not in looked_up.text
    listed = await caller.get("/v1/sessions")
    assert made["client_secret"] not in listed.text
    browser = Browser(front.http, made["id"])
    await browser.exchange(made["client_secret"])
    async with front.context.db.connection() as connection:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            rows = await connection.fetchval(f"SELECT string_agg(t::text, ' ') FROM \"{table}\" AS t")  # noqa: S608
            answers = await connection.fetch("SELECT response FROM idempotency_keys WHERE response IS NOT NULL")
            text = f"{rows} {[bytes(row['response']) for row in answers]}"
            assert made["client_secret"] not in text, table
            assert made["client_secret"].rpartition(".")[2] not in text, table
            assert browser.credential not in text, table


async def test_another_partner_sees_nothing(front: Front, caller: Caller) -> None:
    made, other = await new_session(caller), await front.caller()
    await refused(front, other.get(f"/v1/sessions/{made['id']}"), 404, "not_found")
    await refused(front, other.post(f"/v1/sessions/{made['id']}/revoke"), 404, "not_found", kept=True)
    assert (await other.get("/v1/sessions")).json()["data"] == []
    await refused(front, other.get(f"/v1/sessions?starting_after={made['id']}"), 404, "not_found")


async def test_the_list_and_its_filters(caller: Caller) -> None:
    made = [await new_session(caller, external_id=f"inv-{n}", metadata={"n": str(n)}) for n in range(3)]
    newest_first = [one["id"] for one in reversed(made)]
    listed = (await caller.get("/v1/sessions")).json()
    assert [one["id"] for one in listed["data"]] == newest_first
    for query, wanted in (
        ("limit=1", newest_first[:1]),
        (f"starting_after={newest_first[0]}", newest_first[1:]),
        ("external_id=inv-1", newest_first[1:2]),
        ("metadata[n]=2", newest_first[:1]),
        ("created_at[lt]=2020-01-01T00:00:00Z", []),
    ):
        found = (await caller.get(f"/v1/sessions?{query}")).json()["data"]
        assert [one["id"] for one in found] == wanted, query


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"source": {"asset": "EUR", "amount": "0.00"}}, "/source/amount"),
        ({"source": {"asset": "EUR", "amount": "0.50"}}, "/source/amount"),
        ({"source": {"asset": "EUR", "amount": "9000000.00"}}, "/source/amount"),
        ({"source": {"asset": "EUR", "amount": "1.005"}}, "/source/amount"),
        ({"source": {"asset": "XYZ"}}, "/source/asset"),
        ({"source": {"asset": "BTC", "network": "bitcoin"}}, "/destination/asset"),
        ({"destination": {"asset": "USD"}}, "/direction"),
        ({"direction": "sell"}, "/direction"),
        ({"payment_method": "cash"}, "/payment_method"),
        ({"country": "de"}, "/country"),
        ({"refund_address": ADDRESS}, "/refund_address"),
        ({"external_account_id": f"xa_{ULID}"}, "/external_account_id"),
        ({"locale": "en-GB"}, "/locale"),
        ({"locale": "<script>"}, "/locale"),
        ({"customer": {"email": "x"}}, "/customer/email"),
        ({"partner_fee_bps": 1}, "/partner_fee_bps"),
    ],
)
async def test_what_cannot_be_bound(front: Front, caller: Caller, changes: Json, pointer: str) -> None:
    response = await caller.post("/v1/sessions", BUY | changes)
    assert response.status_code == 422, response.text
    assert pointers(response) == [pointer]


@pytest.mark.parametrize(
    ("address", "memo", "code", "pointer"),
    [
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081", None, "address_invalid", "/destination/address"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", None, "network_mismatch", "/destination/address"),
        (ADDRESS, "12345", "validation_failed", "/destination/memo"),
    ],
)
async def test_an_address_is_checked_when_it_is_bound(
    caller: Caller, address: str, memo: str | None, code: str, pointer: str
) -> None:
    destination = {"asset": "BTC", "network": "bitcoin", "address": address, "memo": memo}
    response = await caller.post("/v1/sessions", BUY | {"destination": destination})
    check(response, 422, code)
    assert pointers(response) == [pointer]


async def test_both_amounts_are_too_many(caller: Caller) -> None:
    destination = {"asset": "BTC", "network": "bitcoin", "amount": "0.01"}
    response = await caller.post(
        "/v1/sessions", BUY | {"source": {"asset": "EUR", "amount": "100.00"}, "destination": destination}
    )
    assert pointers(response) == ["/destination/amount"]


async def test_a_sale_to_nobodys_account(front: Front, caller: Caller) -> None:
    body = {
        "direction": "sell",
        "source": {"asset": "BTC", "network": "bitcoin"},
        "destination": {"asset": "EUR"},
        "external_account_id": f"xa_{ULID}",
    }
    await refused(front, caller.post("/v1/sessions", body), 404, "not_found", kept=True)


@pytest.mark.parametrize(
    "origins",
    [
        ["*"],
        ["null"],
        ["http://shop.example"],
        ["https://shop.example/path"],
        ["https://*.shop.example"],
        ["https://shop.example", "http://127.0.0.1:3000"],
        ["https://shop.example; script-src *"],
        [f"https://shop{n}.example" for n in range(11)],
    ],
)
async def test_s_01_origins_that_are_none(front: Front, caller: Caller, origins: list[str]) -> None:
    await refused(front, caller.post("/v1/sessions", BUY | {"allowed_origins": origins}), 422, "validation_failed")


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.evil.example/thanks",
        "https://other.example/",
        "http://shop.example/",
        "javascript:alert(1)",
        "https://shop.example@evil.example/",
        'https://shop.example/"><script>alert(1)</script>',
    ],
)
async def test_s_01_s_06_return_urls_elsewhere(front: Front, caller: Caller, url: str) -> None:
    response = await refused(
        front, caller.post("/v1/sessions", BUY | {"return_url": url}), 422, "validation_failed", unsaid=["evil"]
    )
    assert pointers(response) == ["/return_url"]


async def test_without_origins_any_https_page_is_returned_to(caller: Caller) -> None:
    await new_session(caller, allowed_origins=[], return_url="https://anywhere.example/x")
    response = await caller.post(
        "/v1/sessions", BUY | {"allowed_origins": [], "return_url": "http://anywhere.example/"}
    )
    assert pointers(response) == ["/return_url"]


@pytest.mark.parametrize(
    "theme",
    [
        {"accent": "red"},
        {"accent": "#0a7c55;background:url(//evil.example)"},
        {"accent": "#0A7C5"},
        {"radius": 25},
        {"radius": -1},
        {"radius": "4px"},
        {"font": "Comic Sans"},
        {"mode": "blue"},
        {"css": "*{display:none}"},
    ],
)
async def test_s_06_themes_are_values_of_a_closed_set(front: Front, caller: Caller, theme: Json) -> None:
    response = await caller.post("/v1/sessions", BUY | {"theme": theme})
    assert response.status_code == 422
    assert "evil" not in response.text


async def test_it_is_revoked_at_once_and_once(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    path = f"/v1/sessions/{browser.session_id}/revoke"
    ended = (await caller.post(path)).json()
    assert (ended["status"], ended["revoked_reason"], ended["sequence"]) == ("revoked", "partner", 3)
    again = (await caller.post(path)).json()
    assert again == ended
    for answer in (
        await browser.get(),
        await browser.post("/quotes", {"amount": "100.00"}),
        await browser.get("/stream"),
    ):
        check(answer, 401, "session_expired")
    assert await events_of(front, browser.session_id) == ["session.created", "session.opened", "session.revoked"]


async def test_events_carry_the_session_and_no_secret(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    created, opened = await told(front, browser.session_id)
    assert (created["sequence"], opened["sequence"]) == (1, 2)
    assert opened["previous"] == {"status": "created"}
    shown = (await caller.get(f"/v1/sessions/{browser.session_id}")).json()
    assert opened["object"] == shown
    assert "client_secret" not in str(created) + str(opened)


async def test_the_worker_ends_what_is_over_and_tells_so_once(front: Front, caller: Caller) -> None:
    waiting, opened = await new_session(caller), await visit(caller)
    lasting = await new_session(caller)
    for session_id in (str(waiting["id"]), opened.session_id):
        await make_old(front, session_id)
        assert (await caller.get(f"/v1/sessions/{session_id}")).json()["status"] == "expired"
    while await sessions.expire(front.context.db):
        pass
    assert await events_of(front, str(waiting["id"])) == ["session.created", "session.expired"]
    assert await events_of(front, opened.session_id) == ["session.created", "session.opened", "session.expired"]
    assert await events_of(front, str(lasting["id"])) == ["session.created"]
    check(await opened.get(), 401, "session_expired")


async def test_frames(front: Front, caller: Caller) -> None:
    db = front.context.db
    browser = await visit(caller, locale="fr", allowed_origins=["https://a.example", "https://b.example:8443"])
    async with db.connection() as connection:
        now = await connection.fetchval("SELECT now()")
    frame = await sessions.frame_of(db, browser.session_id, now)
    assert frame == sessions.Frame(("https://a.example", "https://b.example:8443"), "fr", open=True)
    await caller.post(f"/v1/sessions/{browser.session_id}/revoke")
    frame = await sessions.frame_of(db, browser.session_id, now)
    assert frame is not None
    assert not frame.open
    assert await sessions.frame_of(db, f"ss_{ULID}", now) is None
