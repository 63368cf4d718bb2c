"""Driving one buy order through a running instance, over its public HTTP API and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
from ulid import ULID

from app.cli.receiver import Receiver, receiving
from app.dev.home import Instance

CARD = "4242424242424242"  # https://docs.stripe.com/testing: Visa, succeeds
# BIP 173's example key on regtest: a customer's address, not ours.
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
_LOOK_SECONDS = 0.1
_REQUEST_SECONDS = 60.0
_LOST_SECONDS = 90.0  # how long a request is repeated while the instance is being restarted

Json = dict[str, object]


class DemoFailed(Exception):
    """The order did not come to its end; the message says where it stands."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that has happened, so many seconds after the beginning."""

    name: str
    detail: str
    seconds: float


@dataclass(slots=True)
class Story:
    """All that the demo saw."""

    steps: list[Step] = field(default_factory=list)
    order: Json = field(default_factory=dict)
    timeline: list[Json] = field(default_factory=list)
    ledger: list[Json] = field(default_factory=list)
    event: Json = field(default_factory=dict)


class Driver:
    """A partner's program, and its customer's browser."""

    def __init__(self, instance: Instance, *, amount: str, patience: float) -> None:
        """`amount` in euros; `patience` is how many seconds each step may take."""
        self._http = httpx.Client(
            base_url=instance.api_url,
            headers={"Authorization": f"Bearer {instance.api_key}"},
            timeout=_REQUEST_SECONDS,
            trust_env=False,
        )
        self._amount = amount
        self._patience = patience
        self._began = time.monotonic()
        self.story = Story()

    def run(self) -> Iterator[Step]:
        """Do everything, telling each step as it is done. Raises DemoFailed."""
        with self._http, receiving(Receiver()) as receiver:
            endpoint = self._subscribe(receiver)
            try:
                yield from self._buy(receiver)
            finally:
                self._call("DELETE", f"/v1/webhook_endpoints/{endpoint}")

    def _subscribe(self, receiver: Receiver) -> str:
        made = self._post("/v1/webhook_endpoints", {"url": receiver.url, "event_types": ["order.*"]})
        receiver.secret = str(made["secret"])
        self._post(f"/v1/webhook_endpoints/{made['id']}/enable", {})
        return str(made["id"])

    def _buy(self, receiver: Receiver) -> Iterator[Step]:
        quote = self._post("/v1/quotes", _quote(self._amount))
        price = f"{_money(quote['source'])} for {_money(quote['destination'])}"
        yield self._done("quote", f"{quote['id']}: {price}")
        order = self._post("/v1/orders", {"quote_id": quote["id"], "destination": {"address": ADDRESS}})
        self.story.order, order_id = order, str(order["id"])
        yield self._done("order", f"{order_id}: {order['status']}")
        self._pay(order_id)
        yield self._done("card paid", "in the customer's browser, with one of Stripe's test cards")
        for name, happened in _MILESTONES:
            yield self._done(name, self._wait(name, order_id, happened))
        yield self._done("event delivered", self._event(receiver, order_id))
        self.story.timeline = self._list(f"/v1/orders/{order_id}/timeline")
        self.story.ledger = self._list(f"/v1/orders/{order_id}/ledger")

    def _pay(self, order_id: str) -> None:
        """Pay once the payment is open at the provider, and look whether it was taken when no answer says so."""
        self._wait("payable", order_id, lambda order, _: str(_part(order, "payment").get("reference") or "") or None)
        try:
            self._post("/v1/simulate/card/pay", {"order_id": order_id, "card": CARD})
        except DemoFailed:
            self._wait("paid", order_id, lambda _, triggers: "paid" if "payment_authorised" in triggers else None)

    def _wait(self, name: str, order_id: str, happened: Callable[[Json, set[str]], str | None]) -> str:
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            order = self.story.order = self._call("GET", f"/v1/orders/{order_id}")
            triggers = {str(move["trigger"]) for move in self._list(f"/v1/orders/{order_id}/timeline")}
            if (detail := happened(order, triggers)) is not None:
                return detail
            if order["status"] in _SAD_ENDS:
                raise DemoFailed(f"{order_id} is {order['status']}, not {name}: {order['failure']}")
            time.sleep(_LOOK_SECONDS)
        raise DemoFailed(f"{order_id} was not {name} within {self._patience:.0f} s; it is {self.story.order['stage']}")

    def _event(self, receiver: Receiver, order_id: str) -> str:
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            event = receiver.find("order.completed", order_id)
            if event is not None:
                self.story.event = event
                seen = len([one for one in receiver.events if one.get("type", "") != ""])
                return f"{event['id']}, the last of {seen}; every signature verified by the standardwebhooks package"
            if receiver.refused:
                raise DemoFailed(f"{receiver.refused} deliveries had a wrong signature")
            time.sleep(_LOOK_SECONDS)
        raise DemoFailed(f"the event order.completed did not arrive within {self._patience:.0f} s")

    def _list(self, path: str) -> list[Json]:
        found = self._call("GET", path)["data"]
        return found if isinstance(found, list) else []

    def _post(self, path: str, body: Json) -> Json:
        return self._call("POST", path, body, key=f"demo-{ULID()}")

    def _call(self, method: str, path: str, body: Json | None = None, *, key: str | None = None) -> Json:
        """One request, repeated with the same key while the instance is away. Raises DemoFailed for a refusal."""
        headers = {} if key is None else {"Idempotency-Key": key}
        deadline, trouble = time.monotonic() + _LOST_SECONDS, ""
        while time.monotonic() < deadline:
            try:
                response = self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError as error:
                trouble = type(error).__name__
            else:
                if response.is_success:
                    answer: Json = response.json()
                    return answer
                trouble = response.text
                if response.status_code < 500 and "idempotency_in_progress" not in trouble:
                    raise DemoFailed(f"{method} {path}: {response.status_code} {trouble}")
            time.sleep(_LOOK_SECONDS * 5)
        raise DemoFailed(f"{method} {path} is not answered: {trouble}")

    def _done(self, name: str, detail: str) -> Step:
        step = Step(name, detail, round(time.monotonic() - self._began, 3))
        self.story.steps.append(step)
        return step


def _quote(amount: str) -> Json:
    return {
        "direction": "buy",
        "source": {"asset": "EUR", "amount": amount},
        "destination": {"asset": "BTC", "network": "bitcoin"},
        "payment_method": "card",
        "country": "DE",
    }


def _money(side: object) -> str:
    return f"{side['amount']} {side['asset']}" if isinstance(side, dict) else str(side)


def _part(order: Json, name: str) -> Json:
    part = order[name]
    return part if isinstance(part, dict) else {}


def _captured(order: Json, triggers: set[str]) -> str | None:
    received = _part(order, "source")
    return f"{received['received']} {received['asset']} received" if "payment_captured" in triggers else None


def _sent(order: Json, triggers: set[str]) -> str | None:
    out = "send_broadcast" in triggers or "send_confirmed" in triggers
    return f"transaction {_part(order, 'destination')['tx_hash']}" if out else None


def _mined(order: Json, triggers: set[str]) -> str | None:
    depth = _part(order, "destination")["confirmations"]
    return f"{depth} confirmations" if depth != 0 or order["status"] == "completed" else None


def _confirmed(order: Json, triggers: set[str]) -> str | None:
    delivered = _part(order, "destination")
    return f"{delivered['delivered']} {delivered['asset']} delivered" if order["status"] == "completed" else None


_MILESTONES = (("captured", _captured), ("sent", _sent), ("mined", _mined), ("confirmed", _confirmed))
_SAD_ENDS = frozenset({"failed", "canceled", "expired", "refunding", "refunded"})
