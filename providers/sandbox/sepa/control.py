"""/control/sepa: which folders the bank serves, what others do with the account, and what the bank's books say."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from providers.sandbox.sepa.bank import SENDER, Bank, NoSuchPayment
from providers.sandbox.sepa.books import Books
from providers.sandbox.sepa.folders import BALANCE, IBAN, Folders, NoSuchFolder


class Body(BaseModel):
    """A request body that knows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Folder(Body):
    """A folder to serve, with our account's number and its first balance in cents."""

    path: Path
    iban: str = IBAN
    balance: int = Field(default=BALANCE, ge=0)


class Credit(Body):
    """An inbound transfer, in cents. `iban` is the sender's; a sender may leave out the name and the message."""

    folder: Path
    amount: int = Field(ge=1, le=99_999_999_999)
    iban: str = SENDER
    sender: str = Field(default="", max_length=70)
    message: str = Field(default="", max_length=140)


class Return(Body):
    """Let a booked payment come back."""

    folder: Path
    end_to_end_id: str
    code: str = Field(default="AC04", pattern="^[A-Z0-9]{4}$")


class Run(Body):
    """Do now what is waiting, the pause before booking included."""

    folder: Path


def router(folders: Folders) -> APIRouter:
    """Every control of the bank's."""
    routes = APIRouter(prefix="/control/sepa")

    @routes.post("/folders", status_code=201)
    async def register(body: Folder) -> dict[str, object]:
        await folders.register(body.path, body.iban, body.balance)
        return _summary(_found(folders, body.path))

    @routes.post("/credit")
    async def credit(body: Credit) -> dict[str, object]:
        books = _found(folders, body.folder)
        Bank(books).credit(body.amount, body.iban, body.sender, body.message)
        await folders.durable()
        return _summary(books)

    @routes.post("/return")
    async def give_back(body: Return) -> dict[str, object]:
        books = _found(folders, body.folder)
        try:
            Bank(books).give_back(body.end_to_end_id, body.code)
        except NoSuchPayment:
            raise HTTPException(404, "no booked payment of this id") from None
        await folders.durable()
        return _summary(books)

    @routes.post("/run")
    async def run(body: Run) -> dict[str, object]:
        books = _found(folders, body.folder)
        await folders.run(body.folder, at_once=True)
        return _summary(books)

    @routes.get("/books")
    async def payments(folder: Path) -> dict[str, object]:
        """Every payment that the bank was asked for, as it stands."""
        books = _found(folders, folder)
        return _summary(books) | {"payments": [dataclasses.asdict(payment) for payment in books.payments()]}

    return routes


def _found(folders: Folders, path: Path) -> Books:
    try:
        return folders.books(path)
    except NoSuchFolder:
        raise HTTPException(404, "no such folder") from None


def _summary(books: Books) -> dict[str, object]:
    return {"folder": books.folder, "iban": books.iban, "balance": books.balance()}
