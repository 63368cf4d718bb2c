"""Webhook endpoints: who is told of what, where, and signed with which secret."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta

import orjson

from app.db import deliveries as delivery_rows
from app.db import endpoints as endpoint_rows
from app.db import events, idempotency
from app.db.columns import json_text, new_id
from app.db.database import Database, Transaction
from app.db.endpoints import Endpoint
from app.domain.errors import NotFound, PreconditionFailed, ValidationFailed, WebhookUrlForbidden
from app.domain.event_types import ENDPOINT_DISABLED, ENDPOINT_TESTED, is_known_pattern
from app.domain.urls import hook_url, is_denied
from app.ports.resolver import Resolver
from app.schemas.endpoints import (
    DeliveryOut,
    EndpointIn,
    EndpointOut,
    EndpointPatch,
    EndpointTestOut,
    EndpointWithSecretOut,
    RotateIn,
)
from app.services import idempotent
from app.services.endpoint_view import delivery_out, endpoint_out
from app.services.hosts import public_name
from app.services.idempotent import Answer, IdempotentRequest, replay
from app.services.sealing import Sealer

MAX_ENDPOINTS = 20
# What Svix allows: https://docs.svix.com/receiving/verifying-payloads/how (secret rotation)
MAX_OLD_SECRETS = 10
_PREFIX = "whsec_"
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class HookRules:
    """Where webhooks may go. `allow_loopback` is for development; `own_hosts` are this instance's own names."""

    resolver: Resolver
    allow_loopback: bool = False
    own_hosts: frozenset[str] = frozenset()


async def checked_url(rules: HookRules, text: str) -> str:
    """The URL in the one form that is stored; raises WebhookUrlForbidden.

    Every address of the host is looked at, and looked at again at every attempt: what a name means may change.
    """
    url = hook_url(text, public_name=public_name, allow_loopback=rules.allow_loopback)
    if url.is_loopback:
        return str(url)
    if url.host in rules.own_hosts:
        raise WebhookUrlForbidden("This host is this service itself.", pointer="/url")
    addresses = await rules.resolver.resolve(url.host)
    if not addresses or any(is_denied(address) for address in addresses):
        raise WebhookUrlForbidden("The host does not lead to public addresses only.", pointer="/url")
    return str(url)


async def create(
    db: Database, rules: HookRules, sealer: Sealer, partner_id: str, body: EndpointIn, request: IdempotentRequest
) -> Answer:
    """Add an endpoint, disabled; the answer, and a repetition of it, are the only ones that hold the secret.

    Raises ValidationFailed for unknown event types and one endpoint too many, WebhookUrlForbidden, and the refusals
    of a repeated key. Names are looked up before the transaction, and not at all for a repetition.
    """
    async with db.connection() as connection:
        earlier = await idempotency.find(connection, request.partner_id, request.key)
    if earlier is not None:
        return _opened(replay(earlier, request), sealer)
    _check_types(body.event_types)
    url = await checked_url(rules, body.url)

    async def insert(tx: Transaction) -> tuple[int, bytes]:
        if await endpoint_rows.count(tx, partner_id) >= MAX_ENDPOINTS:
            raise ValidationFailed(f"There are {MAX_ENDPOINTS} endpoints already.")
        endpoint = await endpoint_rows.insert(
            tx,
            endpoint_id=new_id("we"),
            partner_id=partner_id,
            url=url,
            description=body.description,
            event_types=_once(body.event_types),
            metadata=dict(body.metadata),
        )
        return 201, await _with_new_secret(tx, sealer, endpoint, timedelta(0))

    return _opened(await idempotent.run(db, request, insert), sealer)


async def rotate_secret(
    db: Database, sealer: Sealer, partner_id: str, endpoint_id: str, body: RotateIn, request: IdempotentRequest
) -> Answer:
    """Give an endpoint a new secret; the old ones go on signing beside it for the overlap.

    Raises ValidationFailed when too many old ones do so already, and the refusals of a repeated key.
    """

    async def rotate(tx: Transaction) -> tuple[int, bytes]:
        endpoint = await _own(tx, partner_id, endpoint_id)
        if len(await endpoint_rows.live_secrets(tx, endpoint_id)) > MAX_OLD_SECRETS:
            raise ValidationFailed(f"{MAX_OLD_SECRETS} old secrets are still valid: rotate with a shorter overlap.")
        endpoint = await endpoint_rows.store(tx, endpoint)
        return 200, await _with_new_secret(tx, sealer, endpoint, body.overlap)

    return _opened(await idempotent.run(db, request, rotate), sealer)


async def _with_new_secret(tx: Transaction, sealer: Sealer, endpoint: Endpoint, overlap: timedelta) -> bytes:
    """Store a new secret; the answer holds it sealed, for answers are kept too."""
    secret = _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    sealed = sealer.seal(secret.encode())
    await endpoint_rows.add_secret(tx, endpoint.id, sealed, overlap)
    shown = EndpointWithSecretOut(**dict(endpoint_out(endpoint)), secret=sealed.decode())
    return shown.model_dump_json().encode()


def _opened(answer: Answer, sealer: Sealer) -> Answer:
    if answer.status >= 300:
        return answer
    document = orjson.loads(answer.body)
    document["secret"] = sealer.open(document["secret"].encode()).decode()
    return Answer(answer.status, orjson.dumps(document), answer.replayed)


def _check_types(patterns: Sequence[str]) -> None:
    for position, pattern in enumerate(patterns):
        if not is_known_pattern(pattern):
            raise ValidationFailed("There is no such event type.", pointer=f"/event_types/{position}")


def _once(patterns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(patterns))


async def _own(
    tx: Transaction, partner_id: str, endpoint_id: str, expected: AbstractSet[int] | None = None
) -> Endpoint:
    """A partner's own endpoint, locked; raises NotFound, and PreconditionFailed when its sequence is not expected."""
    endpoint = await endpoint_rows.lock(tx, endpoint_id)
    if endpoint is None or endpoint.partner_id != partner_id or endpoint.deleted_at is not None:
        raise NotFound
    if expected is not None and endpoint.sequence not in expected:
        raise PreconditionFailed
    return endpoint


async def get(db: Database, partner_id: str, endpoint_id: str) -> EndpointOut:
    """One endpoint; raises NotFound."""
    endpoint = await endpoint_rows.get(db, partner_id, endpoint_id)
    if endpoint is None:
        raise NotFound
    return endpoint_out(endpoint)


async def list_all(db: Database, partner_id: str) -> list[EndpointOut]:
    """Every endpoint of a partner, newest first; there are never more than fit on one page."""
    async with db.connection() as connection:
        return [endpoint_out(endpoint) for endpoint in await endpoint_rows.of_partner(connection, partner_id)]


async def update(
    db: Database,
    rules: HookRules,
    partner_id: str,
    endpoint_id: str,
    body: EndpointPatch,
    *,
    expected: AbstractSet[int] | None = None,
) -> EndpointOut:
    """Change what the body names; raises NotFound, ValidationFailed, WebhookUrlForbidden, PreconditionFailed."""
    await get(db, partner_id, endpoint_id)  # a stranger is told nothing about names
    _check_types(body.event_types or [])
    url = None if body.url is None else await checked_url(rules, body.url)
    async with db.transaction() as tx:
        endpoint = await _own(tx, partner_id, endpoint_id, expected)
        endpoint.url = url or endpoint.url
        endpoint.event_types = _once(body.event_types or endpoint.event_types)
        if "description" in body.model_fields_set:
            endpoint.description = body.description
        if body.metadata is not None:
            endpoint.endpoint_metadata = dict(body.metadata)
        return endpoint_out(await endpoint_rows.store(tx, endpoint))


async def delete(db: Database, partner_id: str, endpoint_id: str, *, expected: AbstractSet[int] | None = None) -> None:
    """Remove an endpoint and cancel what was still to be delivered to it; raises NotFound and PreconditionFailed."""
    async with db.transaction() as tx:
        await _own(tx, partner_id, endpoint_id, expected)
        await endpoint_rows.delete(tx, endpoint_id)
        await delivery_rows.cancel_pending(tx, endpoint_id)


async def enable(
    tx: Transaction, partner_id: str, endpoint_id: str, *, expected: AbstractSet[int] | None = None
) -> EndpointOut:
    """Let events go to an endpoint from now on; what was missed stands in the log of events. Raises NotFound."""
    endpoint = await _own(tx, partner_id, endpoint_id, expected)
    if not endpoint.is_enabled:
        endpoint.status, endpoint.disabled_reason = "enabled", None
        endpoint.failing_since, endpoint.throttled_until = None, None
        endpoint = await endpoint_rows.store(tx, endpoint)
    return endpoint_out(endpoint)


async def disable(
    tx: Transaction, partner_id: str, endpoint_id: str, *, expected: AbstractSet[int] | None = None
) -> EndpointOut:
    """Send nothing to an endpoint any more; what is pending is canceled. Raises NotFound."""
    endpoint = await _own(tx, partner_id, endpoint_id, expected)
    if endpoint.is_enabled:
        endpoint = await _switch_off(tx, endpoint, "by_partner")
    return endpoint_out(endpoint)


async def give_up(tx: Transaction, endpoint_id: str, reason: str) -> None:
    """Disable an endpoint that does not want, or does not take, our events (`gone`, `failing`), and say so."""
    endpoint = await endpoint_rows.lock(tx, endpoint_id)
    if endpoint is None or not endpoint.is_enabled:
        return
    before = endpoint_out(endpoint).model_dump(mode="json")
    endpoint = await _switch_off(tx, endpoint, reason)
    after = endpoint_out(endpoint).model_dump(mode="json")
    previous = {name: value for name, value in before.items() if after[name] != value and name != "updated_at"}
    await _tell(tx, endpoint, ENDPOINT_DISABLED, json_text({"object": after, "previous": previous}))


async def _switch_off(tx: Transaction, endpoint: Endpoint, reason: str) -> Endpoint:
    endpoint.status, endpoint.disabled_reason = "disabled", reason
    await delivery_rows.cancel_pending(tx, endpoint.id)
    return await endpoint_rows.store(tx, endpoint)


async def send_test(tx: Transaction, partner_id: str, endpoint_id: str) -> EndpointTestOut:
    """Send an event to this endpoint alone, once, enabled or not; raises NotFound."""
    endpoint = await endpoint_rows.store(tx, await _own(tx, partner_id, endpoint_id))
    shown = endpoint_out(endpoint).model_dump(mode="json")
    event_id = await _tell(tx, endpoint, ENDPOINT_TESTED, json_text({"object": shown, "previous": {}}))
    return EndpointTestOut(endpoint_id=endpoint_id, event_id=event_id)


async def _tell(tx: Transaction, endpoint: Endpoint, kind: str, data: str) -> str:
    return await events.record(
        tx,
        partner_id=endpoint.partner_id,
        kind=kind,
        resource_type="webhook_endpoint",
        resource_id=endpoint.id,
        resource_sequence=endpoint.sequence,
        data=data,
        request_id=None,
    )


async def list_deliveries(
    db: Database,
    partner_id: str,
    *,
    endpoint_id: str | None = None,
    event_id: str | None = None,
    before: str | None = None,
    limit: int = 10,
) -> tuple[list[DeliveryOut], bool]:
    """Deliveries with their attempts, newest first, older than the id `before`; and whether there are more."""
    found = await delivery_rows.page(
        db, partner_id, endpoint_id=endpoint_id, event_id=event_id, before=before, limit=limit + 1
    )
    return [delivery_out(delivered) for delivered in found[:limit]], len(found) > limit
