"""A customer buys bitcoin, or a stablecoin, with a card."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.cli.stories.stage import DemoFailed, Json, Stage, Step, money, part

CARD = "4242424242424242"  # https://docs.stripe.com/testing: Visa, succeeds
# BIP 173's example key on regtest: a customer's address, not ours.
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
# ERC-55's first example: a customer's address, not ours.
EVM_ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
_SAD_ENDS = frozenset({"failed", "canceled", "expired", "refunding", "refunded"})


def tell(stage: Stage, amount: str) -> Iterator[Step]:
    """Spend `amount` euros on bitcoin. Raises DemoFailed."""
    return _tell(stage, amount, {"asset": "BTC", "network": "bitcoin"}, ADDRESS)


def usdc(stage: Stage, amount: str) -> Iterator[Step]:
    """Spend `amount` euros on USDC, delivered on the far side's Ethereum. Raises DemoFailed."""
    return _tell(stage, amount, {"asset": "USDC", "network": "ethereum"}, EVM_ADDRESS)


def _tell(stage: Stage, amount: str, wanted: Json, address: str) -> Iterator[Step]:
    api = stage.api
    quote = api.post("/v1/quotes", _quote(amount, wanted))
    price = f"{money(quote['source'])} for {money(quote['destination'])}"
    yield stage.done("quote", f"{quote['id']}: {price}")
    order = api.post("/v1/orders", {"quote_id": quote["id"], "destination": {"address": address}})
    stage.story.resource, order_id = order, str(order["id"])
    yield stage.done("order", f"{order_id}: {order['status']}")
    _pay(stage, order_id)
    yield stage.done("card paid", "in the customer's browser, with one of Stripe's test cards")
    for name, happened in _MILESTONES:
        yield stage.done(name, _wait(stage, name, order_id, happened))
    yield stage.done("event delivered", stage.wait_for_event("order.completed"))
    stage.story.timeline = api.items(f"/v1/orders/{order_id}/timeline")
    stage.story.ledger = api.items(f"/v1/orders/{order_id}/ledger")


def _pay(stage: Stage, order_id: str) -> None:
    """Pay once the payment is open at the provider, and look whether it was taken when no answer says so."""
    _wait(stage, "payable", order_id, lambda order, _: str(part(order, "payment").get("reference") or "") or None)
    try:
        stage.api.post("/v1/simulate/card/pay", {"order_id": order_id, "card": CARD})
    except DemoFailed:
        _wait(stage, "paid", order_id, lambda _, triggers: "paid" if "payment_authorised" in triggers else None)


def _wait(stage: Stage, name: str, order_id: str, happened: Callable[[Json, set[str]], str | None]) -> str:
    def look() -> str | None:
        order = stage.story.resource = stage.api.get(f"/v1/orders/{order_id}")
        triggers = {str(move["trigger"]) for move in stage.api.items(f"/v1/orders/{order_id}/timeline")}
        detail = happened(order, triggers)
        if detail is None and order["status"] in _SAD_ENDS:
            raise DemoFailed(f"{order_id} is {order['status']}, not {name}: {order['failure']}")
        return detail

    return stage.wait(name, look)


def _quote(amount: str, wanted: Json) -> Json:
    return {
        "direction": "buy",
        "source": {"asset": "EUR", "amount": amount},
        "destination": wanted,
        "payment_method": "card",
        "country": "DE",
    }


def _captured(order: Json, triggers: set[str]) -> str | None:
    received = part(order, "source")
    return f"{received['received']} {received['asset']} received" if "payment_captured" in triggers else None


def _sent(order: Json, triggers: set[str]) -> str | None:
    out = "send_broadcast" in triggers or "send_confirmed" in triggers
    return f"transaction {part(order, 'destination')['tx_hash']}" if out else None


def _mined(order: Json, triggers: set[str]) -> str | None:
    depth = part(order, "destination")["confirmations"]
    return f"{depth} confirmations" if depth != 0 or order["status"] == "completed" else None


def _confirmed(order: Json, triggers: set[str]) -> str | None:
    delivered = part(order, "destination")
    return f"{delivered['delivered']} {delivered['asset']} delivered" if order["status"] == "completed" else None


_MILESTONES = (("captured", _captured), ("sent", _sent), ("mined", _mined), ("confirmed", _confirmed))
