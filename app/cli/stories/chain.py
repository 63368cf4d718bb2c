"""The chain's bad weather: a send that no block takes pays more, and two blocks that were there are not any more."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import httpx

from app.cli.stories.buy import ADDRESS, CARD
from app.cli.stories.stage import DemoFailed, Json, Stage, Step, money, part

_USUAL_RATE = 5_000  # satoshi per 1,000 virtual bytes, what the sandbox's node estimates
_DEAR_RATE = 25_000
_ASKED_RATE = 20_000  # what its miner asks for meanwhile


def fee_bump(stage: Stage, sandbox_url: str) -> Iterator[Step]:
    """Miners ask for more than a send pays: it is replaced by one that pays enough. Raises DemoFailed."""
    _control(sandbox_url, "PUT", "fees", {"estimate": _USUAL_RATE, "least_mined": _ASKED_RATE})
    try:
        order_id = yield from _bought(stage, "100.00")
        first = _hash(stage, order_id)
        _control(sandbox_url, "PUT", "fees", {"estimate": _DEAR_RATE, "least_mined": _ASKED_RATE})
        yield stage.done("fees rise", "miners take four times what the send pays, and blocks pass it by")
        yield stage.done("replaced", _until(stage, order_id, "replaced", lambda order: _replaced(order, first)))
        yield stage.done("confirmed", _until(stage, order_id, "confirmed", _is_completed))
    finally:
        _control(sandbox_url, "PUT", "fees", {})
    yield from _end(stage, order_id)


def reorganised(stage: Stage, sandbox_url: str) -> Iterator[Step]:
    """The two blocks that confirm a send are replaced by others: it is mined again, once. Raises DemoFailed."""
    _control(sandbox_url, "PUT", "mining", {"paused": True})
    try:
        order_id = yield from _bought(stage, "900.00")
        _control(sandbox_url, "POST", "mine", {"blocks": 2})
        yield stage.done("confirmations", _until(stage, order_id, "confirmed twice", _confirmed(2)))
        _control(sandbox_url, "POST", "reorg", {"depth": 2})
        yield stage.done("reorganised", _until(stage, order_id, "unconfirmed", _confirmed(0)))
    finally:
        _control(sandbox_url, "PUT", "mining", {"paused": False})
    yield stage.done("mined again", _until(stage, order_id, "completed", _is_completed))
    yield from _end(stage, order_id)


def _bought(stage: Stage, amount: str) -> Generator[Step, None, str]:
    """An order, paid, whose coins are on their way; returns its id."""
    quote = stage.api.post(
        "/v1/quotes",
        {
            "direction": "buy",
            "source": {"asset": "EUR", "amount": amount},
            "destination": {"asset": "BTC", "network": "bitcoin"},
            "payment_method": "card",
        },
    )
    body: Json = {"quote_id": quote["id"], "destination": {"address": ADDRESS}}
    order = stage.story.resource = stage.api.post("/v1/orders", body)
    order_id = str(order["id"])
    yield stage.done("order", f"{order_id}: {money(quote['source'])} for {money(quote['destination'])}")
    _until(stage, order_id, "payable", lambda seen: str(part(seen, "payment").get("reference") or "") or None)
    try:
        stage.api.post("/v1/simulate/card/pay", {"order_id": order_id, "card": CARD})
    except DemoFailed:
        if "payment_authorised" not in _triggers(stage, order_id):
            raise
    yield stage.done("sent", _until(stage, order_id, "sent", _is_sent))
    return order_id


def _end(stage: Stage, order_id: str) -> Iterator[Step]:
    yield stage.done("event delivered", stage.wait_for_event("order.completed"))
    stage.story.timeline = stage.api.items(f"/v1/orders/{order_id}/timeline")
    stage.story.ledger = stage.api.items(f"/v1/orders/{order_id}/ledger")


def _until(stage: Stage, order_id: str, name: str, happened: Callable[[Json], str | None]) -> str:
    def look() -> str | None:
        order = stage.story.resource = stage.api.get(f"/v1/orders/{order_id}")
        return happened(order)

    return stage.wait(name, look)


def _triggers(stage: Stage, order_id: str) -> set[str]:
    return {str(move["trigger"]) for move in stage.api.items(f"/v1/orders/{order_id}/timeline")}


def _hash(stage: Stage, order_id: str) -> object:
    return part(stage.api.get(f"/v1/orders/{order_id}"), "destination")["tx_hash"]


def _is_sent(order: Json) -> str | None:
    return f"transaction {part(order, 'destination')['tx_hash']}" if order["stage"] == "confirmation" else None


def _is_completed(order: Json) -> str | None:
    out = part(order, "destination")
    return f"{out['delivered']} {out['asset']} by {out['tx_hash']}" if order["status"] == "completed" else None


def _replaced(order: Json, first: object) -> str | None:
    now = part(order, "destination")["tx_hash"]
    return None if now == first else f"by {now}: the same coins, the same recipient, a higher fee"


def _confirmed(times: int) -> Callable[[Json], str | None]:
    def happened(order: Json) -> str | None:
        seen = part(order, "destination")["confirmations"]
        return f"{seen} confirmations; the order is {order['status']}" if seen == times else None

    return happened


def _control(sandbox_url: str, method: str, what: str, body: Json) -> None:
    """Tell the sandbox's chain what to do. Raises DemoFailed."""
    try:
        response = httpx.request(
            method, f"{sandbox_url}/control/bitcoin/{what}", json=body, timeout=30, trust_env=False
        )
    except httpx.HTTPError as error:
        raise DemoFailed(f"the sandbox does not answer: {type(error).__name__}") from None
    if not response.is_success:
        raise DemoFailed(f"the sandbox refused {what}: {response.text}")
