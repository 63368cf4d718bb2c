"""Examples for the reference: one day's story, told in the very models that answers are made of."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, JsonValue

from app.api import (
    examples_batches,
    examples_deposits,
    examples_out,
    examples_payments,
    examples_prices,
    examples_reconciliation,
    examples_sessions,
)
from app.schemas.balances import BalanceList
from app.schemas.base import Nothing, Request, Resource
from app.schemas.catalogue import AssetList, PaymentMethodList, StateMachineOut
from app.schemas.endpoints import (
    DeliveryList,
    EndpointDeletedOut,
    EndpointIn,
    EndpointList,
    EndpointOut,
    EndpointPatch,
    EndpointTestOut,
    EndpointWithSecretOut,
    RotateIn,
)
from app.schemas.events import EventList, EventOut
from app.schemas.external_accounts import AchAccountIn, ExternalAccountList, ExternalAccountOut
from app.schemas.health import HealthOut
from app.schemas.idempotency import IdempotencyKeyOut
from app.schemas.orders import OrderIn, OrderList, OrderOut, PostingList, RefundIn, TransitionList
from app.schemas.problems import Problem
from app.schemas.quotes import QuoteIn, QuoteOut

Example = dict[str, JsonValue]

_ULID: Final = "01JD0000000000000000000000"
_AT: Final = "2026-11-01T12:00:00.000000Z"
_LATER: Final = "2026-11-01T12:15:00.000000Z"
_TXID: Final = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
_ADDRESS: Final = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
_FEES: Final[list[Example]] = [
    {"type": "processing", "amount": "1.00", "asset": "EUR", "payer": "customer", "recipient": "operator"},
    {"type": "network", "amount": "0.00", "asset": "EUR", "payer": "customer", "recipient": "network"},
]
_SOURCE: Final[Example] = {"asset": "EUR", "amount": "100.00"}
_COIN: Final[Example] = {"asset": "BTC", "network": "bitcoin", "amount": "0.00161068"}

_QUOTE: Final[Example] = {
    "id": f"qt_{_ULID}",
    "direction": "buy",
    "status": "open",
    "amount_side": "source",
    "source": _SOURCE,
    "destination": _COIN,
    "rate": "61000.00",
    "mid_rate": {"value": "60990.000", "sources": ["kraken"], "as_of": _AT},
    "spread_bps": 50,
    "fees": [*_FEES],
    "total_cost_bps": 180,
    "levels": [["61000.00", "0.00161068"]],
    "payment_method": "card",
    "country": "DE",
    "expires_at": "2026-11-01T12:01:00.000000Z",
    "created_at": _AT,
    "livemode": False,
}
_ORDER: Final[Example] = {
    "id": f"or_{_ULID}",
    "sequence": 1,
    "quote_id": f"qt_{_ULID}",
    "external_id": "inv-42",
    "direction": "buy",
    "status": "awaiting_funds",
    "stage": "authorization",
    "source": {**_SOURCE, "received": "0.00", "refunded": "0.00"},
    "destination": {**_COIN, "delivered": "0.00000000", "address": _ADDRESS},
    "payment": {
        "provider": "stripe",
        "reference": "pi_3Qexample",
        "client_secret": "pi_3Qexample_secret_example",
        "publishable_key": "pk_test_example",
        "status": "awaiting_customer",
    },
    "fees": [*_FEES],
    "hold": None,
    "dispute": None,
    "failure": None,
    "allowed_actions": ["cancel"],
    "customer": {"reference": "u-17"},
    "metadata": {"cart": "9"},
    "expires_at": _LATER,
    "created_at": _AT,
    "updated_at": _AT,
    "livemode": False,
}
_EVENT: Final[Example] = {
    "id": f"ev_{_ULID}",
    "type": "order.created",
    "timestamp": _AT,
    "created_at": _AT,
    "partner_id": f"pt_{_ULID}",
    "partner_sequence": 1,
    "resource": {"type": "order", "id": f"or_{_ULID}", "sequence": 1},
    "data": {"object": {"id": f"or_{_ULID}", "status": "awaiting_funds"}, "previous": {}},
    "request_id": f"req_{_ULID}",
    "livemode": False,
}
_ENDPOINT: Final[Example] = {
    "id": f"we_{_ULID}",
    "sequence": 1,
    "url": "https://shop.example.com/hooks",
    "event_types": ["order.*"],
    "description": "Shop, production",
    "status": "disabled",
    "disabled_reason": None,
    "metadata": {},
    "created_at": _AT,
    "updated_at": _AT,
}
_EXTERNAL_ACCOUNT: Final[Example] = {
    "id": f"xa_{_ULID}",
    "sequence": 1,
    "type": "bank",
    "status": "verified",
    "asset": "USD",
    "scheme": "ach",
    "address": None,
    "holder_name": "Ada Lovelace",
    "bank_name": None,
    "country": "US",
    "last4": "7890",
    "reason": None,
    "corrections": [],
    "metadata": {"supplier": "17"},
    "created_at": _AT,
    "updated_at": _AT,
}
_SECRET: Final = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # noqa: S105 - the bytes 0 to 31
_DELIVERY: Final[Example] = {
    "id": f"wd_{_ULID}",
    "event_id": f"ev_{_ULID}",
    "event_type": "order.created",
    "endpoint_id": f"we_{_ULID}",
    "status": "succeeded",
    "attempts": [{"number": 1, "status": 200, "error": None, "response": "ok", "duration_ms": 41, "at": _AT}],
    "next_attempt_at": None,
    "created_at": _AT,
    "updated_at": _AT,
}
_ASSET: Final[Example] = {
    "id": "BTC.bitcoin",
    "asset": "BTC",
    "network": "bitcoin",
    "decimals": 8,
    "caip19": "bip122:000000000019d6689c085ae165831e93/slip44:0",
    "confirmations": [{"below": "0.00100000", "confirmations": 1}, {"below": None, "confirmations": 6}],
    "routable": True,
}
_MOVE: Final[Example] = {
    "sequence": 1,
    "source": "created",
    "trigger": "placed",
    "target": "awaiting_payment",
    "status": "awaiting_funds",
    "stage": "authorization",
    "actor": None,
    "reason": None,
    "at": _AT,
}
_POSTING: Final[Example] = {
    "entry_id": f"le_{_ULID}",
    "kind": "payment_captured",
    "reference": f"or_{_ULID}:captured",
    "account": "psp:stripe",
    "asset": "EUR",
    "amount": "100.00",
    "created_at": _AT,
}
_METHOD: Final[Example] = {
    "id": "card",
    "direction": "buy",
    "provider": "stripe",
    "limits": [{"asset": "EUR", "min": "1.00", "max": "1000000.00"}],
    "payment_window": "PT900S",
    "settlement_time": "PT0S",
    "reversal_window": "P120D",
    "delivery_hold": "PT0S",
}
_MACHINE: Final[Example] = {
    "direction": "buy",
    "states": [{"state": "paid", "status": "processing", "stage": "conversion", "terminal": False}],
    "edges": [{"source": "paid", "trigger": "send_prepared", "target": "sending", "event": "order.stage_changed"}],
}
_PROBLEM: Final[Example] = {
    "type": "https://docs.rampwright.org/problems/validation_failed",
    "title": "The request is not valid",
    "status": 422,
    "detail": "This asset has 2 decimals.",
    "instance": f"urn:rampwright:request:req_{_ULID}",
    "code": "validation_failed",
    "request_id": f"req_{_ULID}",
    "retryable": False,
    "errors": [{"pointer": "/source/amount", "code": "validation_failed"}],
}

_RESOURCES: Final[dict[type[Resource], Example]] = {
    QuoteOut: _QUOTE,
    OrderOut: _ORDER,
    OrderList: {"data": [_ORDER]},
    TransitionList: {"data": [_MOVE]},
    PostingList: {"data": [_POSTING]},
    BalanceList: {
        "data": [{"asset": "EUR", "network": None, "available": "100.00", "pending": "0.00"}],
        "as_of": _AT,
    },
    AssetList: {"data": [_ASSET]},
    PaymentMethodList: {"data": [_METHOD]},
    StateMachineOut: {"resource": "order", "machines": [_MACHINE]},
    EventOut: _EVENT,
    EventList: {"data": [_EVENT]},
    ExternalAccountOut: _EXTERNAL_ACCOUNT,
    ExternalAccountList: {"data": [_EXTERNAL_ACCOUNT]},
    EndpointOut: _ENDPOINT,
    EndpointWithSecretOut: {**_ENDPOINT, "secret": _SECRET},
    EndpointList: {"data": [_ENDPOINT]},
    EndpointTestOut: {"endpoint_id": f"we_{_ULID}", "event_id": f"ev_{_ULID}"},
    EndpointDeletedOut: {"id": f"we_{_ULID}"},
    DeliveryList: {"data": [_DELIVERY]},
    IdempotencyKeyOut: {
        "key": "9f86d081-order-42",
        "status": "completed",
        "response_status": 201,
        "response": {"id": f"or_{_ULID}", "object": "order"},
        "resource_id": f"or_{_ULID}",
    },
    HealthOut: {"status": "ok"},
    Problem: _PROBLEM,
    **examples_out.RESOURCES,
    **examples_deposits.RESOURCES,
    **examples_payments.RESOURCES,
    **examples_batches.RESOURCES,
    **examples_prices.RESOURCES,
    **examples_reconciliation.RESOURCES,
    **examples_sessions.RESOURCES,
}
_REQUESTS: Final[dict[type[Request], Example]] = {
    QuoteIn: {
        "direction": "buy",
        "source": _SOURCE,
        "destination": {"asset": "BTC", "network": "bitcoin"},
        "payment_method": "card",
        "country": "DE",
    },
    OrderIn: {
        "quote_id": f"qt_{_ULID}",
        "destination": {"address": _ADDRESS},
        "external_id": "inv-42",
        "customer": {"reference": "u-17", "email": "ada@example.com"},
        "metadata": {"cart": "9"},
    },
    RefundIn: {"amount": "10.00"},
    AchAccountIn: {
        "type": "bank",
        "scheme": "ach",
        "routing_number": "021000021",
        "account_number": "1234567890",
        "holder_name": "Ada Lovelace",
        "metadata": {"supplier": "17"},
    },
    EndpointIn: {"url": "https://shop.example.com/hooks", "event_types": ["order.*"]},
    EndpointPatch: {"event_types": ["order.completed", "order.failed"]},
    RotateIn: {"overlap": "PT24H"},
    Nothing: {},
    **examples_out.REQUESTS,
    **examples_deposits.REQUESTS,
    **examples_payments.REQUESTS,
    **examples_batches.REQUESTS,
    **examples_reconciliation.REQUESTS,
    **examples_sessions.REQUESTS,
}


def example_of(model: type[BaseModel]) -> Any:
    """The example of a model, as it is sent; raises KeyError for a model that has none."""
    if issubclass(model, Request):
        model.model_validate(_REQUESTS[model])
        return _REQUESTS[model]
    assert issubclass(model, Resource)  # noqa: S101 - there are no others
    return model.model_validate(_RESOURCES[model]).model_dump(mode="json")
