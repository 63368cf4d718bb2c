"""The auditor's view: every statement in the inbox as one account's books."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.ports.errors import ProviderUnavailable
from app.ports.records import BankBooks
from providers.sepa.channel import FolderChannel
from providers.sepa.format import SepaFiles
from providers.sepa.records import SepaRecords
from tests.providers.sepa.samples import ACCOUNT, STATEMENT, STATUS, THEIR_IBAN, euros, payout_id, statement

# The payout that settled on the first statement comes back on the second.
SECOND = statement(2, opening="925.20", closing="850.40", paid=3, returned=1)
THIRD = statement(3, opening="850.40", closing="775.60", paid=4, returned=5)


async def read(folder: Path, **files: str) -> BankBooks:
    for name, text in files.items():
        (folder / f"{name}.xml").write_text(text)
    return await SepaRecords(FolderChannel(folder, folder), SepaFiles(ACCOUNT)).read()


async def test_all_statements_are_one_book(tmp_path: Path) -> None:
    books = await read(tmp_path, first=STATEMENT, second=SECOND, status=STATUS, garbage="<html/>", again=STATEMENT)
    assert books.balance == euros(85_040)
    assert sum(line.amount.units for line in books.lines) == 2 * -7_480
    assert [(sent.reference, sent.payout_id, sent.stands, sent.returned) for sent in books.transfers] == [
        ("A1", payout_id(1), False, True),
        ("B1", payout_id(3), True, False),
    ]
    assert {(sent.amount, sent.account_last4) for sent in books.transfers} == {(euros(10_000), THEIR_IBAN[-4:])}
    assert [credit.reference for credit in books.credits] == ["A3", "B3"]
    about = {line.reference: line.about for line in books.lines}
    assert about == {
        "A1": "A1",
        "A2": None,  # its debit was before the first statement
        "A3": "A3",
        "A4": None,
        "B1": "B1",
        "B2": "A1",
        "B3": "B3",
        "B4": None,
    }


async def test_a_missing_statement_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(ProviderUnavailable, match="missing"):
        await read(tmp_path, first=STATEMENT, third=THIRD)
    assert (await read(tmp_path, late=SECOND)).balance == euros(77_560)


async def test_books_without_a_statement_are_not_empty_books(tmp_path: Path) -> None:
    with pytest.raises(ProviderUnavailable, match="no statement"):
        await read(tmp_path, status=STATUS)
