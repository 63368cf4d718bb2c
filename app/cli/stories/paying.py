"""Customers who pay in other ways, or do not: 3-D Secure, a declined card, a debit that is returned, a chargeback."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from app.cli.stories.buy import ADDRESS
from app.cli.stories.stage import DemoFailed, Json, Stage, Step, money, part

# https://docs.stripe.com/testing
_THREE_D_SECURE = "4000002760003184"
_DECLINED = "4000000000000002"
_VISA = "4242424242424242"
_US_ACCOUNT = "000123456789"


def three_d_secure(stage: Stage) -> Iterator[Step]:
    """A card whose bank wants its holder to confirm. Raises DemoFailed."""
    order_id = yield from _ordered(stage, "card", "EUR", "50.00")
    _act(stage, "card/pay", {"order_id": order_id, "card": _THREE_D_SECURE}, order_id, "authentication_required")
    yield stage.done("challenge", _until(stage, order_id, "challenge", _is("awaiting_action")))
    _act(stage, "card/authenticate", {"order_id": order_id}, order_id, "payment_authorised")
    yield stage.done("confirmed", "by the customer, in the bank's own window")
    yield stage.done("completed", _until(stage, order_id, "completed", _is("completed")))
    yield stage.done("event delivered", stage.wait_for_event("order.completed"))
    _tell_all(stage, order_id)


def declined(stage: Stage) -> Iterator[Step]:
    """A card that its bank declines; the customer gives up. Raises DemoFailed."""
    order_id = yield from _ordered(stage, "card", "EUR", "50.00")
    _act(stage, "card/pay", {"order_id": order_id, "card": _DECLINED}, order_id, "payment_declined")
    yield stage.done("declined", _until(stage, order_id, "declined", _was_declined))
    stage.api.post(f"/v1/orders/{order_id}/cancel", {})
    yield stage.done("canceled", _until(stage, order_id, "canceled", _is("canceled")))
    yield stage.done("event delivered", stage.wait_for_event("order.canceled"))
    _tell_all(stage, order_id)


def debit_returned(stage: Stage) -> Iterator[Step]:
    """A debit by ACH that the bank sends back: nothing was delivered. Raises DemoFailed."""
    order_id = yield from _ordered(stage, "ach_debit", "USD", "50.00")
    _act(stage, "debit/authorize", {"order_id": order_id, "account": _US_ACCOUNT}, order_id, "payment_pending")
    yield stage.done("mandate given", _until(stage, order_id, "pending", _is("processing")))
    _act(stage, "debit/settle", {"order_id": order_id}, order_id, "payment_captured")
    yield stage.done("paid", _until(stage, order_id, "paid", _waits))
    _act(stage, "debit/return", {"order_id": order_id, "code": "R10"}, order_id, "dispute_opened")
    yield stage.done("returned", "R10, the customer says that nothing was authorised: the coins have not left")
    yield stage.done("failed", _until(stage, order_id, "failed", _is("failed")))
    yield stage.done("event delivered", stage.wait_for_event("order.disputed"))
    _tell_all(stage, order_id)


def dispute(stage: Stage) -> Iterator[Step]:
    """A chargeback once the coins are with the customer: the order stays completed, the loss is booked."""
    order_id = yield from _ordered(stage, "card", "EUR", "50.00")
    _act(stage, "card/pay", {"order_id": order_id, "card": _VISA}, order_id, "payment_authorised")
    yield stage.done("completed", _until(stage, order_id, "completed", _is("completed")))
    _act(stage, "card/chargeback", {"order_id": order_id}, order_id, "dispute_opened")
    yield stage.done("disputed", _until(stage, order_id, "disputed", _is_disputed("open")))
    _act(stage, "card/chargeback", {"order_id": order_id, "outcome": "lost"}, order_id, "dispute_lost")
    yield stage.done("lost", _until(stage, order_id, "lost", _is_disputed("lost")))
    yield stage.done("event delivered", stage.wait_for_event("order.dispute_closed"))
    _tell_all(stage, order_id)


def _ordered(stage: Stage, method: str, asset: str, amount: str) -> Generator[Step, None, str]:
    """A quote and an order on it whose payment is open; returns the order's id."""
    body: Json = {
        "direction": "buy",
        "source": {"asset": asset, "amount": amount},
        "destination": {"asset": "BTC", "network": "bitcoin"},
        "payment_method": method,
    }
    quote = stage.api.post("/v1/quotes", body)
    order = stage.api.post("/v1/orders", {"quote_id": quote["id"], "destination": {"address": ADDRESS}})
    stage.story.resource, order_id = order, str(order["id"])
    _until(stage, order_id, "payable", lambda found: str(part(found, "payment").get("reference") or "") or None)
    yield stage.done("order", f"{order_id}: {money(quote['source'])} by {method}, for {money(quote['destination'])}")
    return order_id


def _act(stage: Stage, path: str, body: Json, order_id: str, fact: str) -> None:
    """Do something at the far side, and look whether it was done when no answer says so."""
    try:
        stage.api.post(f"/v1/simulate/{path}", body)
    except DemoFailed:
        moves = stage.api.items(f"/v1/orders/{order_id}/timeline")
        if fact not in {str(move["trigger"]) for move in moves}:
            raise


def _until(stage: Stage, order_id: str, name: str, happened: Callable[[Json], str | None]) -> str:
    def look() -> str | None:
        order = stage.story.resource = stage.api.get(f"/v1/orders/{order_id}")
        return happened(order)

    return stage.wait(name, look)


def _is(status: str) -> Callable[[Json], str | None]:
    return lambda order: f"the order is {status}" if order["status"] == status else None


def _was_declined(order: Json) -> str | None:
    failure = part(order, "payment").get("failure")
    return f"{failure['code']}: {failure['message']}" if isinstance(failure, dict) else None


def _waits(order: Json) -> str | None:
    received = part(order, "source")
    until = order.get("deliver_after")
    return f"{received['received']} {received['asset']}; delivered after {until}" if until else None


def _is_disputed(status: str) -> Callable[[Json], str | None]:
    def look(order: Json) -> str | None:
        found = order["dispute"]
        return (
            f"{status}; the order is {order['status']}"
            if isinstance(found, dict) and found["status"] == status
            else None
        )

    return look


def _tell_all(stage: Stage, order_id: str) -> None:
    stage.story.timeline = stage.api.items(f"/v1/orders/{order_id}/timeline")
    stage.story.ledger = stage.api.items(f"/v1/orders/{order_id}/ledger")
