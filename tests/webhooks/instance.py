"""What a test of outgoing webhooks needs: a partner, endpoints, events, the two jobs, and time that can be passed."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

import orjson
from cryptography.fernet import Fernet

from app.db import events
from app.db.columns import new_id
from app.db.database import Database
from app.db.partners import insert_partner
from app.domain.errors import DomainError
from app.schemas.endpoints import DeliveryOut, EndpointIn, EndpointWithSecretOut, RotateIn
from app.services import endpoints
from app.services.endpoints import HookRules
from app.services.idempotent import Answer, IdempotentRequest
from app.services.sealing import Sealer
from tests.webhooks.names import Names
from webhooks.outbound.deliver import Deliverer
from webhooks.outbound.publish import publish_waiting


def _render(refusal: DomainError) -> tuple[int, bytes]:
    return 409, refusal.code.encode()


@dataclass(slots=True)
class Instance:
    """One partner of an instance that allows loopback."""

    db: Database
    sealer: Sealer
    rules: HookRules
    partner_id: str
    keys: int = field(default=0)

    def request(self, body: object = None, *, key: str | None = None) -> IdempotentRequest:
        """A request under a key of its own."""
        self.keys += 1
        fingerprint = hashlib.sha256(orjson.dumps(body)).digest()
        return IdempotentRequest(self.partner_id, key or f"key-{self.keys}", fingerprint, _render)

    async def create(self, url: str, *types: str, enabled: bool = True) -> EndpointWithSecretOut:
        """An endpoint, enabled unless said otherwise."""
        body = EndpointIn(url=url, event_types=list(types) or ["*"])
        answer = await endpoints.create(self.db, self.rules, self.sealer, self.partner_id, body, self.request())
        assert answer.status == 201
        made = EndpointWithSecretOut.model_validate_json(answer.body)
        if enabled:
            async with self.db.transaction() as tx:
                await endpoints.enable(tx, self.partner_id, made.id)
        return made

    async def rotate(self, endpoint_id: str, overlap: timedelta) -> str:
        """The new secret."""
        answer: Answer = await endpoints.rotate_secret(
            self.db, self.sealer, self.partner_id, endpoint_id, RotateIn(overlap=overlap), self.request()
        )
        return EndpointWithSecretOut.model_validate_json(answer.body).secret

    async def happen(self, kind: str = "order.completed", *, sequence: int = 1, **shown: object) -> str:
        """An event, with the job that publishes it; its id."""
        order_id = new_id("or")
        data = {"object": {"id": order_id, "object": "order", **shown}, "previous": {"status": "processing"}}
        async with self.db.transaction() as tx:
            return await events.record(
                tx,
                partner_id=self.partner_id,
                kind=kind,
                resource_type="order",
                resource_id=order_id,
                resource_sequence=sequence,
                data=orjson.dumps(data).decode(),
                request_id="req_1",
            )

    async def run(self, deliverer: Deliverer, *, at_once: bool = False, rounds: int = 1000) -> int:
        """Run the jobs that are due until there is none, or for so many rounds; how many attempts were asked for."""
        asked = 0
        for _ in range(rounds):
            await publish_waiting(self.db)
            due = await self._take_due()
            if not due:
                break
            delivering = [deliverer.deliver(subject) for _, subject in due]
            asked += len(delivering)
            if at_once:
                await asyncio.gather(*delivering)
            else:
                for work in delivering:
                    await work
        return asked

    async def _take_due(self) -> list[tuple[str, str]]:
        async with self.db.connection() as connection:
            rows = await connection.fetch(
                """
                DELETE FROM pgqueuer WHERE status = 'queued' AND execute_after <= now()
                RETURNING id, entrypoint, payload
                """
            )
        return [(row["entrypoint"], bytes(row["payload"]).decode()) for row in sorted(rows, key=lambda r: r["id"])]

    async def next_due(self) -> timedelta | None:
        """How long until the next job."""
        async with self.db.connection() as connection:
            wait: timedelta | None = await connection.fetchval("SELECT min(execute_after) - now() FROM pgqueuer")
        return wait

    async def pass_time(self, by: timedelta) -> None:
        """Let everything that is written down have happened so much earlier."""
        async with self.db.transaction() as tx:
            await tx.execute("UPDATE pgqueuer SET execute_after = execute_after - $1::interval", by)
            await tx.execute("UPDATE deliveries SET due_at = due_at - $1::interval", by)
            await tx.execute(
                """
                UPDATE endpoints SET failing_since = failing_since - $1::interval,
                    throttled_until = throttled_until - $1::interval
                """,
                by,
            )
            await tx.execute("UPDATE endpoint_secrets SET expires_at = expires_at - $1::interval", by)

    async def deliveries(self, endpoint_id: str | None = None) -> list[DeliveryOut]:
        """Every delivery, oldest first."""
        found, more = await endpoints.list_deliveries(self.db, self.partner_id, endpoint_id=endpoint_id, limit=100)
        assert not more
        return found[::-1]

    async def event_types(self) -> list[str]:
        """The types of all events, in the order they were written."""
        async with self.db.connection() as connection:
            return [row["type"] for row in await connection.fetch("SELECT type FROM events ORDER BY position")]


async def open_instance(db: Database) -> Instance:
    """A fresh partner."""
    partner_id = new_id("pt")
    async with db.transaction() as tx:
        await insert_partner(tx, partner_id, "Test partner")
    return Instance(
        db, Sealer([Fernet.generate_key()]), HookRules(Names(["10.0.0.1"]), allow_loopback=True), partner_id
    )
