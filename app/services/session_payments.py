"""Paying in a session in test mode: Stripe's published test cards at the far side, by the names of their tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app.db import payments as payment_rows
from app.db.database import Database
from app.db.sessions import Session
from app.domain.errors import ConflictState, NotFound, ValidationFailed
from app.ports.simulator import CardAnswer, Simulator
from app.schemas.session_page import CheckoutOut, SessionAuthenticateIn, SessionPayIn, TestMethodOut, TestPaymentOut
from app.services.idempotent import Answer, IdempotentRequest
from app.services.rails import Rails
from app.services.session_entry import limit
from app.services.session_rules import SessionRules
from app.services.simulate import once


@dataclass(frozen=True, slots=True)
class _TestCard:
    """A card by its token: its number, which the customer never sees, and what it does."""

    number: str
    label: str
    outcome: str


# https://docs.stripe.com/testing
_CARDS: Final = {
    "pm_card_visa": _TestCard("4242424242424242", "Visa •• 4242", "succeeds"),
    "pm_card_mastercard": _TestCard("5555555555554444", "Mastercard •• 4444", "succeeds"),
    "pm_card_threeDSecure2Required": _TestCard("4000000000003220", "Visa •• 3220", "three_ds"),
    "pm_card_visa_chargeDeclined": _TestCard("4000000000000002", "Visa •• 0002", "declined"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _TestCard("4000000000009995", "Visa •• 9995", "declined"),
    "pm_card_chargeDeclinedExpiredCard": _TestCard("4000000000000069", "Visa •• 0069", "declined"),
}


def checkout_out(rails: Rails, rules: SessionRules, session: Session) -> CheckoutOut:
    """How the page takes the payment: with test cards of ours, or with the provider's own form."""
    if rules.test_cards:
        cards = [
            TestMethodOut.model_validate({"payment_method": name, "label": card.label, "outcome": card.outcome})
            for name, card in _CARDS.items()
        ]
        return CheckoutOut(kind="sandbox", publishable_key=None, payment_methods=cards)
    provider = rails.methods.get(session.payment_method or "card", "")
    return CheckoutOut(kind="stripe", publishable_key=rails.publishable_keys.get(provider), payment_methods=[])


async def pay(
    db: Database, simulator: Simulator, session: Session, body: SessionPayIn, request: IdempotentRequest
) -> Answer:
    """Present a test card. What follows comes back as a notification, as in life.

    Raises ValidationFailed for an unknown card, TooOften, NotFound without an order, and ConflictState before the
    provider has the payment.
    """
    await limit(db, session.id, "pay")
    card = _CARDS.get(body.payment_method)
    if card is None:
        raise ValidationFailed("This is none of the test cards.", pointer="/payment_method")
    return await _act(db, session, request, lambda reference: simulator.pay(reference, card.number))


async def authenticate(
    db: Database, simulator: Simulator, session: Session, body: SessionAuthenticateIn, request: IdempotentRequest
) -> Answer:
    """End the 3-D Secure challenge; raises as `pay` does."""
    passed = body.outcome == "succeeded"
    return await _act(db, session, request, lambda reference: simulator.authenticate(reference, succeeded=passed))


async def _act(
    db: Database, session: Session, request: IdempotentRequest, act: Callable[[str], Awaitable[CardAnswer]]
) -> Answer:
    async def do() -> bytes:
        if session.order_id is None:
            raise NotFound("This session has no order.")
        async with db.connection() as connection:
            payment = await payment_rows.of_order(connection, session.order_id)
        if payment is None or payment.reference is None:
            raise ConflictState("The payment has not reached the provider yet.", retry_after=1)
        answer = await act(payment.reference)
        return TestPaymentOut(status=answer.status, code=answer.code).model_dump_json().encode()

    return await once(db, request, do)
