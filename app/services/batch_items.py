"""Items of batches: what one says, checked for all that can be known without a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from app.db.external_accounts import ExternalAccount
from app.db.payout_items import NewItem
from app.domain.errors import DomainError
from app.domain.forbidden import forbidden_in
from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.schemas.payout_batches import BatchItemIn
from app.schemas.pointers import errors_of, pointer
from app.services import external_accounts, payout_rules
from app.services.policy import Policy
from app.services.rails import Rails
from app.services.sealing import Sealer

# Digits that look like a card number by chance; amounts have a strict form of their own.
_BANK_NUMBERS: Final = frozenset({"account_number", "iban"})
_AMOUNT: Final = "amount"
FORBIDDEN: Final = "forbidden_data"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an item: a JSON pointer into it and a code; the column of its file where no pointer says."""

    pointer: str
    code: str
    column: str | None = None


@dataclass(slots=True)
class Draft:
    """An item while it is being checked. `account` is the one that it names, or a new one that is not stored yet.

    `line` is where it begins in a file, and `columns` names the column of a pointer in a CSV file.
    """

    position: int
    line: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    body: BatchItemIn | None = None
    amount: Money | None = None
    account: ExternalAccount | None = None
    method: PayoutMethod | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing has been found wrong with it."""
        return not self.faults

    @property
    def names_account(self) -> bool:
        """Whether it names an account by its id."""
        return self.body is not None and self.body.external_account_id is not None

    def refuse(self, refusal: DomainError, where: str) -> None:
        """Keep a refusal as a fault; `where` is its place when it names none."""
        self.faults.append(Fault(refusal.pointer or where, refusal.code))

    def errors(self) -> list[dict[str, str | int]]:
        """Its faults as they are stored and shown."""
        found = []
        for fault in self.faults:
            error: dict[str, str | int] = {"code": fault.code, "pointer": fault.pointer}
            if self.line is not None:
                error["line"] = self.line
            if fault.column is not None or fault.pointer in self.columns:
                error["column"] = fault.column or self.columns[fault.pointer]
            found.append(error)
        return found

    def row(self) -> NewItem:
        """The item as it is stored. A body that was refused has shown nothing that is worth keeping."""
        body, amount = self.body, self.amount
        return NewItem(
            position=self.position,
            line=self.line,
            external_account_id=self._account_id(),
            asset=None if amount is None else amount.asset.id,
            units=None if amount is None else amount.units,
            method=None if self.method is None else self.method.value,
            reference=None if body is None else body.reference,
            external_id=None if body is None else body.external_id,
            errors=self.errors(),
            warnings=self.warnings,
        )

    def _account_id(self) -> str | None:
        if self.account is not None and (self.sound or self.names_account):
            return self.account.id
        return None  # a new account of an item with errors is never stored


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the items of one partner's batch."""

    rails: Rails
    sealer: Sealer
    policy: Policy
    partner_id: str
    now: datetime

    def read(self, draft: Draft, raw: object) -> Draft:
        """Read what an item says into its draft; what is wrong with it are faults, and never raised."""
        try:
            draft.body = BatchItemIn.model_validate(raw)
        except ValidationError as error:
            found = errors_of(error.errors(include_url=False, include_context=False, include_input=False))
            draft.faults += [Fault(place, code) for place, code in found]
            return draft
        try:
            draft.amount = payout_rules.read_amount(draft.body.amount)
        except DomainError as refusal:
            draft.refuse(refusal, "/amount")
        self._read_account(draft, draft.body)
        return draft

    def _read_account(self, draft: Draft, body: BatchItemIn) -> None:
        if (body.external_account is None) == (body.external_account_id is None):
            draft.faults.append(Fault("/external_account_id", "exactly_one"))
            return
        if body.external_account is None:
            return
        try:
            facts = external_accounts.read(self.rails, body.external_account, pointer="/external_account")
        except DomainError as refusal:
            draft.refuse(refusal, "/external_account")
            return
        draft.account = external_accounts.row_of(self.sealer, self.partner_id, facts, self.policy, self.now)


def check_payable(rails: Rails, draft: Draft) -> None:
    """Check a draft against the account that was found for it: its asset, its state, its way, the text on the way."""
    body, amount = draft.body, draft.amount
    if body is None or amount is None:
        return
    where = "/external_account_id" if draft.names_account else "/external_account"
    try:
        account = external_accounts.payable(draft.account, amount.asset, pointer=where)
        draft.method, _ = payout_rules.way_out(rails, amount.asset, account.scheme, body.method)
        payout_rules.check_size(amount, draft.method)
        payout_rules.check_reference(body.reference, draft.method)
    except DomainError as refusal:
        draft.refuse(refusal, where)


def find_forbidden(raw: object) -> Fault | None:
    """The first text of an item that must never be here; bodies are looked through at the door, rows of files here."""
    for place, text in _texts(raw, ()):
        name = str(place[-1]) if place else ""
        if name != _AMOUNT and forbidden_in(text, name, cards=name not in _BANK_NUMBERS):
            return Fault(pointer(place), FORBIDDEN)
    return None


def _texts(value: object, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield place, name
            yield from _texts(item, (*place, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*place, index))


def mark_repeated(drafts: Sequence[Draft]) -> list[tuple[str, str]]:
    """Warn of items that pay the same to the same account as an earlier one; the errors of repeated external ids."""
    paid: set[tuple[str, str, int]] = set()
    named: set[str] = set()
    errors = []
    for draft in drafts:
        external_id = None if draft.body is None else draft.body.external_id
        if external_id is not None and external_id in named:
            errors.append((f"/items/{draft.position - 1}/external_id", "duplicate_external_id"))
        elif external_id is not None:
            named.add(external_id)
        if draft.sound and draft.account is not None and draft.amount is not None:
            payment = (draft.account.id, draft.amount.asset.id, draft.amount.units)
            if payment in paid:
                draft.warnings.append("duplicate_item")
            paid.add(payment)
    return errors
