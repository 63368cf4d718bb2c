"""A partner pays a thousand wallets in one call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from app.cli.stories.stage import DemoFailed, Json, Stage, Step, part
from providers.sandbox.bitcoin.address import address_of

ITEMS = 1_000
AMOUNT = "0.00001000"  # BTC each
_P2WPKH = bytes([0, 20])  # BIP 141: version 0, a program of 20 bytes
_SAD_ENDS = frozenset({"invalid", "partially_completed", "canceled"})


def tell(stage: Stage) -> Iterator[Step]:
    """Pay all of them. Raises DemoFailed, also when one of them was not paid."""
    body: Json = {"mode": "best_effort", "items": [_item(number) for number in range(ITEMS)]}
    batch = stage.story.resource = stage.api.post("/v1/payout_batches", body)
    path = f"/v1/payout_batches/{batch['id']}"
    yield stage.done("batch", f"{batch['id']}: {ITEMS} wallets, {batch['status']}")
    yield stage.done("all started", stage.wait("all started", lambda: _look(stage, path, "started")))
    yield stage.done("all settled", stage.wait("all settled", lambda: _look(stage, path, "settled")))
    completed = stage.wait_for_status(path, "completed", never=_SAD_ENDS, detail=lambda found: str(found["status"]))
    results = stage.api.lines(f"{path}/results")
    transactions = {line["tx_hash"] for line in results}
    yield stage.done("results", f"{completed}: {len(results)} lines, paid in {len(transactions)} transactions")
    yield stage.done("event delivered", stage.wait_for_event("payout_batch.completed"))


def _look(stage: Stage, path: str, count: str) -> str | None:
    """How many items are so far, once all of them are."""
    batch = stage.story.resource = stage.api.get(path)
    if batch["status"] in _SAD_ENDS:
        raise DemoFailed(f"{batch['id']} is {batch['status']}: {batch['items']}")
    items = part(batch, "items")
    stage.busy(f"{items['started']} of {ITEMS} started, {items['settled']} settled ...")
    return f"{items[count]} of {ITEMS}" if items[count] == ITEMS else None


def _item(number: int) -> Json:
    key_hash = hashlib.sha256(f"wallet {number} of the demo".encode()).digest()[:20]
    wallet = {"type": "wallet", "asset": "BTC", "network": "bitcoin", "address": address_of(_P2WPKH + key_hash)}
    return {"amount": {"asset": "BTC", "network": "bitcoin", "amount": AMOUNT}, "external_account": wallet}
