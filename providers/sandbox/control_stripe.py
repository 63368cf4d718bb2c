"""/control/stripe: what customers, their banks and the processor itself do, with no key and no idempotency."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from providers.sandbox.store import Store
from providers.sandbox.stripe.accounts import account_named
from providers.sandbox.stripe.acts import Act, Acts
from providers.sandbox.stripe.errors import Document, Refusal, carry_out


class Body(BaseModel):
    """A request body that knows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Pay(Body):
    """What the customer's browser would do: confirm with this card. `hold` leaves it processing, as bank debits are."""

    payment_intent: str
    card: str
    hold: bool = False


class Authenticate(Body):
    """How the open 3-D Secure challenge ends."""

    payment_intent: str
    outcome: Literal["succeeded", "failed"]


class Payment(Body):
    """Which payment."""

    payment_intent: str


class Dispute(Body):
    """Open a dispute over a payment, or an inquiry, or close the open one."""

    payment_intent: str
    reason: str = "fraudulent"
    amount: int | None = Field(default=None, ge=1)
    inquiry: bool = False
    outcome: Literal["won", "lost", "prevented", "warning_closed"] | None = None


class Debit(Body):
    """What the customer's browser would do: give a mandate for this test bank account."""

    payment_intent: str
    account: str


class Return(Body):
    """Let the customer's bank return a debit under a code of its scheme."""

    payment_intent: str
    code: str


class Transfer(Body):
    """Let money arrive where a payment's funding instructions say, in smallest units."""

    payment_intent: str
    amount: int = Field(ge=1)


class Review(Body):
    """Open a review of a payment, or close it for a reason."""

    payment_intent: str
    closed_reason: str | None = None


class Duplicate(Body):
    """Carry a payment out a second time."""

    payment_intent: str
    card: str = "4242424242424242"


class RefundSettle(Body):
    """Let a refund that waits go on."""

    refund: str
    status: Literal["succeeded", "requires_action", "canceled"]


class Line(Body):
    """Change an account's balance: `kind` is one of Stripe's types of balance transactions."""

    account: str
    kind: str
    amount: int
    currency: str = "eur"
    fee: int = 0


class RefundFail(Body):
    """Let an accepted refund fail."""

    refund: str
    reason: str = "expired_or_canceled_card"


class RollSecret(Body):
    """Make a new webhook secret; the old one signs beside it for a day."""

    webhook_endpoint: str


def router(store: Store, acts: Acts) -> APIRouter:
    """Every control of the processor."""
    routes = APIRouter(prefix="/stripe")

    @routes.post("/pay")
    async def pay(body: Pay) -> Document:
        return _done(store, lambda: acts.pay(body.payment_intent, body.card, hold=body.hold))

    @routes.post("/authenticate")
    async def authenticate(body: Authenticate) -> Document:
        return _done(store, lambda: acts.authenticate(body.payment_intent, succeeded=body.outcome == "succeeded"))

    @routes.post("/settle")
    async def settle(body: Payment) -> Document:
        """End a payment that was left processing."""
        return _done(store, lambda: acts.settle(body.payment_intent))

    @routes.post("/expire")
    async def expire(body: Payment) -> Document:
        """Let an uncaptured authorisation run out."""
        return _done(store, lambda: acts.expire(body.payment_intent))

    @routes.post("/dispute")
    async def dispute(body: Dispute) -> Document:
        outcome = body.outcome
        if outcome is not None:
            return _done(store, lambda: acts.close_dispute(body.payment_intent, outcome))
        return _done(
            store,
            lambda: acts.open_dispute(body.payment_intent, body.amount, body.reason, inquiry=body.inquiry),
        )

    _debits(routes, store, acts)
    _suspicions(routes, store, acts)
    _processor(routes, store, acts)
    return routes


def _processor(routes: APIRouter, store: Store, acts: Acts) -> None:
    """What the processor does by itself, and forgets."""

    @routes.post("/refund_fail")
    async def refund_fail(body: RefundFail) -> Document:
        return _done(store, lambda: acts.fail_refund(body.refund, body.reason))

    @routes.post("/roll_secret")
    async def roll_secret(body: RollSecret) -> Document:
        return _done(store, lambda: acts.roll_secret(body.webhook_endpoint))

    @routes.delete("/idempotency")
    async def forget_keys(account: str) -> Document:
        return {"forgotten": acts.forget_keys(account_named(account))}


def _debits(routes: APIRouter, store: Store, acts: Acts) -> None:
    """Money from bank accounts."""

    @routes.post("/debit")
    async def debit(body: Debit) -> Document:
        return _done(store, lambda: acts.debit(body.payment_intent, body.account))

    @routes.post("/return")
    async def give_back(body: Return) -> Document:
        return _done(store, lambda: acts.give_back(body.payment_intent, body.code))

    @routes.post("/transfer")
    async def transfer(body: Transfer) -> Document:
        return _done(store, lambda: acts.transfer(body.payment_intent, body.amount))


def _suspicions(routes: APIRouter, store: Store, acts: Acts) -> None:
    """What the processor thinks of payments, and what it gets wrong."""

    @routes.post("/review")
    async def review(body: Review) -> Document:
        return _done(store, lambda: acts.review(body.payment_intent, body.closed_reason))

    @routes.post("/warn")
    async def warn(body: Payment) -> Document:
        return _done(store, lambda: acts.warn(body.payment_intent))

    @routes.post("/duplicate")
    async def duplicate(body: Duplicate) -> Document:
        return _done(store, lambda: acts.duplicate(body.payment_intent, body.card))

    @routes.post("/refund_settle")
    async def refund_settle(body: RefundSettle) -> Document:
        return _done(store, lambda: acts.settle_refund(body.refund, body.status))

    @routes.post("/line")
    async def line(body: Line) -> Document:
        account = account_named(body.account)
        return _done(store, lambda: acts.line(account, body.kind, body.amount, body.currency, body.fee))


def _done(store: Store, act: Act) -> Document:
    """Do one act; a declined card is an answer of 200 with Stripe's error, for the customer's browser sees it too."""
    outcome = carry_out(store, act)
    if not isinstance(outcome, Refusal):
        return outcome
    if outcome.keeps:
        return {"error": outcome.document}
    raise HTTPException(outcome.status, outcome.document)
