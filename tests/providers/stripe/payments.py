"""What the tests of the card adapter ask for."""

from __future__ import annotations

from ulid import ULID

from app.domain.assets import EUR
from app.domain.money import Money
from app.ports.payin import PaymentRequest

VISA = "4242424242424242"


def asked(units: int = 31_046, **metadata: str) -> PaymentRequest:
    """A payment to start."""
    return PaymentRequest(f"pay_{ULID()}", f"or_{ULID()}", Money(units, EUR), "card", metadata)


def euros(units: int) -> Money:
    """So many cents."""
    return Money(units, EUR)
