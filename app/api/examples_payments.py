"""Examples of test mode's levers on payments, for the reference."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.schemas.base import Request, Resource
from app.schemas.simulate import (
    AuthenticateIn,
    ChargebackIn,
    DebitIn,
    DebitReturnIn,
    DebitSettleIn,
    PaymentActOut,
    TransferIn,
)

Example = dict[str, JsonValue]

_ORDER_ID: Final = "or_01JD0000000000000000000000"

RESOURCES: Final[dict[type[Resource], Example]] = {
    PaymentActOut: {"act": "debit.return", "order_id": _ORDER_ID},
}
REQUESTS: Final[dict[type[Request], Example]] = {
    AuthenticateIn: {"order_id": _ORDER_ID, "outcome": "succeeded"},
    ChargebackIn: {"order_id": _ORDER_ID},
    DebitIn: {"order_id": _ORDER_ID, "account": "000123456789"},
    DebitSettleIn: {"order_id": _ORDER_ID},
    DebitReturnIn: {"order_id": _ORDER_ID, "code": "R01"},
    TransferIn: {"order_id": _ORDER_ID, "amount": "100.00"},
}
