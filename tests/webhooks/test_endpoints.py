"""Webhook endpoints: faults.md W-01..W-12 at the service, and what is kept of a secret."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from pydantic import ValidationError

from app.domain.errors import IdempotencyMismatch, NotFound, ValidationFailed, WebhookUrlForbidden
from app.domain.event_types import EVENT_TYPES, is_known_pattern, subscribes
from app.schemas.endpoints import EndpointIn, EndpointPatch, EndpointWithSecretOut, RotateIn
from app.services import endpoints
from app.services.endpoints import MAX_ENDPOINTS, MAX_OLD_SECRETS, HookRules
from tests.webhooks.instance import Instance, open_instance
from tests.webhooks.names import PUBLIC, PUBLIC_V6, Names

URL = "https://hooks.example.com/"


@pytest.fixture
def public(instance: Instance) -> Instance:
    """The partner of an instance in production: public names only."""
    return replace(instance, rules=HookRules(Names([PUBLIC, PUBLIC_V6]), own_hosts=frozenset({"ramp.example.com"})))


async def test_an_endpoint_starts_disabled_and_shows_its_secret_once(public: Instance) -> None:
    made = await public.create(f"{URL}?a=b", "order.*", "order.*", enabled=False)
    assert made.id.startswith("we_")
    assert (made.status, made.event_types, made.sequence) == ("disabled", ["order.*"], 1)
    assert made.secret.startswith("whsec_")
    assert len(made.secret) == len("whsec_") + 44
    shown = await endpoints.get(public.db, public.partner_id, made.id)
    assert shown.model_dump() == made.model_dump(exclude={"secret"})
    assert await endpoints.list_all(public.db, public.partner_id) == [shown]
    other = await public.create(URL, enabled=False)
    assert other.secret != made.secret


async def test_secrets_are_sealed_wherever_they_are_kept(public: Instance) -> None:
    made = await public.create(URL)
    await public.rotate(made.id, timedelta(hours=1))
    async with public.db.connection() as connection:
        kept = [row["response"] for row in await connection.fetch("SELECT response FROM idempotency_keys")]
        kept += [row["ciphertext"] for row in await connection.fetch("SELECT ciphertext FROM endpoint_secrets")]
    assert len(kept) == 4
    assert all(b"whsec_" not in bytes(value) for value in kept)
    assert all(made.secret.removeprefix("whsec_").encode() not in bytes(value) for value in kept)


async def test_a_repeated_key_gives_the_same_answer_even_when_the_name_has_changed(public: Instance) -> None:
    body = EndpointIn(url=URL, event_types=["*"])

    async def create(rules: HookRules, asked: EndpointIn) -> bytes:
        request = public.request(asked.model_dump(), key="the-key")
        return (await endpoints.create(public.db, rules, public.sealer, public.partner_id, asked, request)).body

    first = await create(public.rules, body)
    assert await create(HookRules(Names(["127.0.0.1"])), body) == first
    assert orjson.loads(first)["secret"].startswith("whsec_")
    assert len(await endpoints.list_all(public.db, public.partner_id)) == 1
    with pytest.raises(IdempotencyMismatch):
        await create(public.rules, EndpointIn(url=URL, event_types=["order.*"]))


@pytest.mark.parametrize("url", ["http://hooks.example.com/", "https://127.0.0.1/", "http://127.0.0.1:8000/", "x"])
async def test_w_01_to_06_nothing_is_written_for_a_forbidden_url(public: Instance, url: str) -> None:
    with pytest.raises(WebhookUrlForbidden):
        await public.create(url)
    assert await endpoints.list_all(public.db, public.partner_id) == []


@pytest.mark.parametrize(
    "answer",
    [[PUBLIC, "10.0.0.1"], ["fd00::1"], ["127.0.0.1"], ["::ffff:192.168.0.1"], ["0.0.0.0"], []],  # noqa: S104
)
async def test_w_07_names_that_do_not_lead_to_public_addresses_only(public: Instance, answer: list[str]) -> None:
    rules = HookRules(Names(answer))
    with pytest.raises(WebhookUrlForbidden):
        await replace(public, rules=rules).create(URL)
    made = await public.create(URL)
    patch = EndpointPatch(url="https://other.example.com/")
    with pytest.raises(WebhookUrlForbidden):
        await endpoints.update(public.db, rules, public.partner_id, made.id, patch)
    assert (await endpoints.get(public.db, public.partner_id, made.id)).url == URL


async def test_w_08_a_name_in_another_script_is_shown_as_its_a_label(public: Instance) -> None:
    assert (await public.create("https://bücher.de/")).url == "https://xn--bcher-kva.de/"


@pytest.mark.parametrize("url", ["https://ramp.example.com/", "https://RAMP.example.com:8443/v1/orders"])
async def test_w_09_our_own_host(public: Instance, url: str) -> None:
    with pytest.raises(WebhookUrlForbidden):
        await public.create(url)


async def test_w_10_one_endpoint_too_many_even_at_once(public: Instance) -> None:
    for _ in range(MAX_ENDPOINTS - 1):
        await public.create(URL, enabled=False)
    made = await asyncio.gather(*(public.create(URL, enabled=False) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, EndpointWithSecretOut) for one in made) == 1
    assert sum(isinstance(one, ValidationFailed) for one in made) == 3
    listed = await endpoints.list_all(public.db, public.partner_id)
    assert len(listed) == MAX_ENDPOINTS
    await endpoints.delete(public.db, public.partner_id, listed[0].id)
    await public.create(URL)


async def test_w_10_event_types(public: Instance) -> None:
    assert (await public.create(URL, "*", "order.*", "order.completed", "webhook_endpoint.disabled")).event_types
    for types, position in (
        (["order.paid"], 0),
        (["*", "orders.*"], 1),
        (["order"], 0),
        (["*.*"], 0),
        (["payment.*"], 0),
    ):
        with pytest.raises(ValidationFailed) as refusal:
            await public.create(URL, *types)
        assert refusal.value.pointer == f"/event_types/{position}"
    for types in ([], ["*"] * 101, ["ORDER.*"], ["order.*\n"], [""]):
        with pytest.raises(ValidationError):
            EndpointIn(url=URL, event_types=types)


def test_patterns_cover_what_they_say() -> None:
    assert all(is_known_pattern(kind) for kind in EVENT_TYPES)
    assert subscribes(["*"], "order.completed")
    assert subscribes(["x", "order.*"], "order.completed")
    assert subscribes(["order.completed"], "order.completed")
    assert not subscribes(["order.failed", "webhook_endpoint.*"], "order.completed")
    assert not subscribes([], "order.completed")


def test_w_11_headers_cannot_be_set() -> None:
    for field in ("headers", "secret", "status", "partner_id"):
        with pytest.raises(ValidationError, match="extra_forbidden"):
            EndpointIn.model_validate({"url": URL, "event_types": ["*"], field: {"webhook-id": "x"}})


async def test_w_12_too_many_rotations_within_the_overlap(public: Instance) -> None:
    made = await public.create(URL)
    secrets = {made.secret}
    for _ in range(MAX_OLD_SECRETS):
        secrets.add(await public.rotate(made.id, timedelta(hours=24)))
    assert len(secrets) == MAX_OLD_SECRETS + 1
    with pytest.raises(ValidationFailed):
        await public.rotate(made.id, timedelta(hours=24))
    await public.pass_time(timedelta(hours=25))
    await public.rotate(made.id, timedelta(0))
    async with public.db.connection() as connection:
        alive = await connection.fetchval(
            "SELECT count(*) FROM endpoint_secrets WHERE expires_at IS NULL OR expires_at > now()"
        )
    assert alive == 1


@pytest.mark.parametrize(
    "overlap", ["P8D", "PT169H", "PT604801S", "-PT1H", "24:00:00", "1 day", "P", "PT", "P1W", 86400, True]
)
def test_w_12_overlaps_that_are_refused(overlap: object) -> None:
    with pytest.raises(ValidationError):
        RotateIn.model_validate_json(orjson.dumps({"overlap": overlap}))


@pytest.mark.parametrize(
    ("overlap", "seconds"), [("P7D", 604800), ("PT24H", 86400), ("PT0S", 0), ("P1DT1H1M1S", 90061)]
)
def test_overlaps_that_are_taken(overlap: str, seconds: int) -> None:
    assert RotateIn.model_validate_json(orjson.dumps({"overlap": overlap})).overlap.total_seconds() == seconds
    assert RotateIn.model_validate_json("{}").overlap == timedelta(hours=24)


async def test_changing_and_switching(public: Instance) -> None:
    made = await public.create(URL, "order.*", enabled=False)
    patch = EndpointPatch.model_validate_json('{"description": "shop", "metadata": {"a": "b"}}')
    changed = await endpoints.update(public.db, public.rules, public.partner_id, made.id, patch)
    assert (changed.description, changed.metadata, changed.url, changed.sequence) == ("shop", {"a": "b"}, URL, 2)
    cleared = await endpoints.update(
        public.db, public.rules, public.partner_id, made.id, EndpointPatch.model_validate_json('{"description": null}')
    )
    assert (cleared.description, cleared.metadata) == (None, {"a": "b"})
    async with public.db.transaction() as tx:
        assert (await endpoints.enable(tx, public.partner_id, made.id)).status == "enabled"
        again = await endpoints.enable(tx, public.partner_id, made.id)
        disabled = await endpoints.disable(tx, public.partner_id, made.id)
    assert again.sequence == 4
    assert (disabled.status, disabled.disabled_reason, disabled.sequence) == ("disabled", "by_partner", 5)


async def test_another_partner_sees_and_changes_nothing(public: Instance) -> None:
    made = await public.create(URL)
    stranger = replace(await open_instance(public.db), rules=public.rules)
    with pytest.raises(NotFound):
        await endpoints.get(public.db, stranger.partner_id, made.id)
    with pytest.raises(NotFound):
        await endpoints.update(public.db, public.rules, stranger.partner_id, made.id, EndpointPatch())
    with pytest.raises(NotFound):
        await endpoints.delete(public.db, stranger.partner_id, made.id)
    for verb in (endpoints.enable, endpoints.disable, endpoints.send_test):
        with pytest.raises(NotFound):
            async with public.db.transaction() as tx:
                await verb(tx, stranger.partner_id, made.id)
    answer = await endpoints.rotate_secret(
        public.db, public.sealer, stranger.partner_id, made.id, RotateIn(), stranger.request()
    )
    assert (answer.status, answer.body) == (409, b"not_found")  # as this test renders refusals
    assert await endpoints.list_deliveries(public.db, stranger.partner_id) == ([], False)
    assert (await endpoints.get(public.db, public.partner_id, made.id)).sequence == 2


async def test_a_deleted_endpoint_is_gone(public: Instance) -> None:
    made = await public.create(URL)
    await endpoints.delete(public.db, public.partner_id, made.id)
    assert await endpoints.list_all(public.db, public.partner_id) == []
    with pytest.raises(NotFound):
        await endpoints.get(public.db, public.partner_id, made.id)
    with pytest.raises(NotFound):
        await endpoints.delete(public.db, public.partner_id, made.id)
