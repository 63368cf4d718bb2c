"""Our books against what others saw of us: the requests that reached a provider, the events that reached a receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from app.audit.books import OurBooks
from app.audit.report import Finding, Row
from app.ports.records import FarSide, ReceivedEvent, RequestRecords

RECEIVED = "Every event reached every subscriber that asked for it, signed, and under one id."
REQUESTS = "No request reached a provider without an intent that was written down before it."


async def check(far_side: FarSide, books: OurBooks, grace: timedelta) -> list[Finding]:
    """X-6 and X-8, where there is a log to read."""
    findings: list[Finding] = []
    if far_side.received is not None:
        findings.append(_received(far_side.received, books, grace))
    if far_side.requests:
        findings.append(await _requests(far_side.requests, books))
    return findings


def _received(received: Mapping[str, Sequence[ReceivedEvent]], books: OurBooks, grace: timedelta) -> Finding:
    wrong: list[Row] = []
    pending: list[Row] = []
    facts = {row["id"]: (row["resource_id"], row["resource_sequence"]) for row in books.rows["events"]}
    arrived: set[tuple[str, str]] = set()
    for endpoint_id, events in received.items():
        for event in events:
            if not event.verified:
                wrong.append({"endpoint": endpoint_id, "event": event.event_id, "problem": "its signature is wrong"})
            elif facts.get(event.event_id) != (event.resource_id, event.resource_sequence):
                wrong.append({"endpoint": endpoint_id, "event": event.event_id, "problem": "is not what happened"})
            else:
                arrived.add((endpoint_id, event.event_id))
    for row in books.rows["told"]:
        created_at = row["created_at"]
        assert isinstance(created_at, datetime)  # noqa: S101 - the column's type
        if row["endpoint_id"] not in received or (row["endpoint_id"], row["id"]) in arrived:
            continue
        young = row["state"] == "pending" or (row["state"] is None and books.taken_at - created_at < grace)
        missing = {"endpoint": row["endpoint_id"], "event": row["id"], "problem": "never arrived"}
        (pending if young else wrong).append(missing)
    return Finding("X-6", RECEIVED, tuple(wrong), tuple(pending))


async def _requests(logs: Mapping[str, RequestRecords], books: OurBooks) -> Finding:
    wrong: list[Row] = []
    for provider, records in logs.items():
        intended = {row["key"]: row["created_at"] for row in books.of("asked", provider=provider)}
        for request in await records.requests():
            if request.at > books.taken_at:
                continue  # its intent may be younger than our snapshot
            since = intended.get(request.key)
            if since is None or not isinstance(since, datetime) or since > request.at:
                problem = "no intent" if since is None else f"intended only at {since}"
                row = {"at": request.at, "method": request.method, "path": request.path, "key": request.key}
                wrong.append({**row, "problem": problem})
    return Finding("X-8", REQUESTS, tuple(wrong))
