"""/control/increase: the acts of acts.py over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from providers.sandbox.increase.acts import Acts
from providers.sandbox.increase.errors import Document, Refusal


class Body(BaseModel):
    """A request body that knows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Transfer(Body):
    """Which transfer."""

    transfer: str


class Return(Body):
    """Send a transfer back: one of Nacha's codes for ACH, of ISO 20022's for a wire, which may come back smaller."""

    transfer: str
    code: str = Field(default="R03", pattern="^[A-Z0-9]{3,4}$")
    amount: int | None = Field(default=None, ge=1)


class Correct(Body):
    """Ask for other details next time."""

    transfer: str
    code: str = "C01"


class Credit(Body):
    """Send money to a number, given by its id or by its digits."""

    account_number: str
    amount: int = Field(ge=1, lt=10**12)
    sender: str = Field(default="ACME SUPPLY CO", min_length=1, max_length=140)
    message: str = Field(default="", max_length=1000)
    method: Literal["ach", "rtp", "wire"] = "ach"
    hold: bool = False


def router(acts: Acts) -> APIRouter:
    """Every control."""
    routes = APIRouter(prefix="/control/increase")

    @routes.post("/settle")
    async def settle(body: Transfer) -> Document:
        return _answered(lambda: acts.settle(body.transfer))

    @routes.post("/reject")
    async def reject(body: Transfer) -> Document:
        return _answered(lambda: acts.reject(body.transfer))

    @routes.post("/return")
    async def give_back(body: Return) -> Document:
        return _answered(lambda: acts.give_back(body.transfer, body.code, body.amount))

    @routes.post("/correct")
    async def correct(body: Correct) -> Document:
        return _answered(lambda: acts.correct(body.transfer, body.code))

    @routes.post("/credit")
    async def credit(body: Credit) -> Document:
        return _answered(
            lambda: acts.credit(
                body.account_number, body.amount, body.sender, body.message, body.method, hold=body.hold
            )
        )

    @routes.post("/credit_accept")
    async def credit_accept(body: Transfer) -> Document:
        return _answered(lambda: acts.accept_credit(body.transfer))

    @routes.post("/credit_back")
    async def credit_back(body: Transfer) -> Document:
        return _answered(lambda: acts.take_credit_back(body.transfer))

    return routes


def _answered(act: Callable[[], Document]) -> Document:
    try:
        return act()
    except Refusal as refusal:
        raise HTTPException(refusal.status, refusal.document) from None
