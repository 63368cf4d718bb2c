"""A customer sells bitcoin, and gets dollars in a bank account."""

from __future__ import annotations

from collections.abc import Iterator

from app.cli.stories.stage import DemoFailed, Json, Stage, Step, money, part

AMOUNT = "0.00090000"  # BTC; final after one block
BANK_ACCOUNT: Json = {
    "type": "bank",
    "scheme": "ach",
    "routing_number": "021000021",
    "account_number": "9876543210",
    "holder_name": "Ada Lovelace",
}
_SAD_ENDS = frozenset({"failed", "canceled", "expired", "refunding", "refunded"})
# What each step is called, and the facts of which one shows that it was made.
_MILESTONES = (
    ("deposit seen", {"deposit_detected", "deposit_confirmed"}),
    ("deposit confirmed", {"deposit_confirmed", "deposit_overpaid"}),
    ("paid out", {"payout_submitted", "payout_settled"}),
    ("settled", {"payout_settled"}),
)


def tell(stage: Stage) -> Iterator[Step]:
    """Sell AMOUNT. Raises DemoFailed."""
    api = stage.api
    coins = {"asset": "BTC", "network": "bitcoin", "amount": AMOUNT}
    quote = api.post("/v1/quotes", {"direction": "sell", "source": coins, "destination": {"asset": "USD"}})
    yield stage.done("quote", f"{quote['id']}: {money(quote['source'])} for {money(quote['destination'])}")
    account = api.post("/v1/external_accounts", BANK_ACCOUNT)
    yield stage.done("bank account", f"{account['id']}: {account['status']}, ends in {account['last4']}")
    order = api.post("/v1/orders", {"quote_id": quote["id"], "external_account_id": account["id"]})
    stage.story.resource, order_id = order, str(order["id"])
    yield stage.done("order", f"{order_id}: send {AMOUNT} BTC to {part(order, 'deposit')['address']}")
    sent = api.post("/v1/simulate/chain/deposit", {"order_id": order_id, "amount": AMOUNT})
    yield stage.done("coins sent", f"by the customer, in transaction {sent['tx_hash']}")
    for name, facts in _MILESTONES:
        yield stage.done(name, _wait(stage, name, order_id, facts))
    yield stage.done("event delivered", stage.wait_for_event("order.completed"))
    stage.story.ledger = api.items(f"/v1/orders/{order_id}/ledger")


def _wait(stage: Stage, name: str, order_id: str, facts: set[str]) -> str:
    def look() -> str | None:
        moves = stage.story.timeline = stage.api.items(f"/v1/orders/{order_id}/timeline")
        order = stage.story.resource = stage.api.get(f"/v1/orders/{order_id}")  # no older than its moves
        if facts & {str(move["trigger"]) for move in moves}:
            delivered = part(order, "destination")
            settled = f", {delivered['delivered']} {delivered['asset']} paid out"
            return f"the order is {order['status']}" + (settled if order["status"] == "completed" else "")
        if order["status"] in _SAD_ENDS:
            raise DemoFailed(f"{order_id} is {order['status']}, not {name}: {order['failure']}")
        return None

    return stage.wait(name, look)
