"""Examples of test mode's levers on payments and the chain, for the reference."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.schemas.base import Request, Resource
from app.schemas.simulate import (
    AuthenticateIn,
    CardPaidOut,
    ChargebackIn,
    DebitIn,
    DebitReturnIn,
    DebitSettleIn,
    MinedOut,
    MineIn,
    PayIn,
    PaymentActOut,
    TransferIn,
)

Example = dict[str, JsonValue]

_ORDER_ID: Final = "or_01JD0000000000000000000000"

RESOURCES: Final[dict[type[Resource], Example]] = {
    CardPaidOut: {"order_id": _ORDER_ID},
    MinedOut: {
        "network": "bitcoin",
        "blocks": ["4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"],
    },
    PaymentActOut: {"act": "debit.return", "order_id": _ORDER_ID},
}
REQUESTS: Final[dict[type[Request], Example]] = {
    AuthenticateIn: {"order_id": _ORDER_ID, "outcome": "succeeded"},
    ChargebackIn: {"order_id": _ORDER_ID},
    DebitIn: {"order_id": _ORDER_ID, "account": "000123456789"},
    DebitSettleIn: {"order_id": _ORDER_ID},
    DebitReturnIn: {"order_id": _ORDER_ID, "code": "R01"},
    PayIn: {"order_id": _ORDER_ID, "card": "4242424242424242"},
    MineIn: {"network": "bitcoin", "blocks": 1},
    TransferIn: {"order_id": _ORDER_ID, "amount": "100.00"},
}
