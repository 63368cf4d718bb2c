"""Reading uploaded files row by row, never more of one than a row: what each says as an item of a batch."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.schemas import strict_json
from app.services.batch_items import Fault

CSV: Final = "text/csv"
MOST_ROWS: Final = 1_000_000
_LONGEST_ROW: Final = 64 * 1024  # bytes; an unclosed quote would swallow the rest of the file

# Where each column stands in an item.
_PLACES: Final[dict[str, tuple[str, ...]]] = {
    "amount": ("amount", "amount"),
    "asset": ("amount", "asset"),
    "network": ("amount", "network"),
    "external_account_id": ("external_account_id",),
    **{
        name: ("external_account", name)
        for name in (
            "type",
            "scheme",
            "holder_name",
            "iban",
            "bic",
            "routing_number",
            "account_number",
            "account_type",
            "address",
        )
    },
    "reference": ("reference",),
    "method": ("method",),
    "external_id": ("external_id",),
}
COLUMNS: Final = {
    **{"/" + "/".join(place): column for column, place in _PLACES.items()},
    "/external_account/asset": "asset",
    "/external_account/network": "network",
    "/external_account": "type",
    "/amount": "amount",
}
_NEEDED: Final = ("amount", "asset")
# A cell: quoted, with doubled quotes inside, or without any (RFC 4180, section 2).
_CELL: Final = re.compile(r'(?:"((?:[^"]|"")*+)"|([^",]*+))(?:,|\Z)')
# What a spreadsheet would carry out (OWASP, CSV Injection); line breaks have an error of their own.
_FORMULA: Final = ("=", "+", "-", "@", "\t")
_SIGNATURES: Final = (
    (b"\xef\xbb\xbf", "byte_order_mark", "The file begins with a byte order mark."),
    (b"\xff\xfe", "not_utf_8", "The file is in UTF-16; UTF-8 is read here."),
    (b"\xfe\xff", "not_utf_8", "The file is in UTF-16; UTF-8 is read here."),
    (b"PK\x03\x04", "compressed", "The file is a zip archive, or a spreadsheet's own format."),
    (b"\x1f\x8b", "compressed", "The file is compressed."),
)


class FileRefused(Exception):
    """The file as a whole cannot be read; the message says why, and no values."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line on which it begins, counted from 1, and the item that it says, or what is wrong with it."""

    line: int
    item: object
    faults: tuple[Fault, ...] = ()


async def rows(content_type: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[Row]:
    """The rows of a file in order; raises FileRefused, before the first or after any of them."""
    found = _csv_rows(_lines(pieces)) if content_type == CSV else _json_rows(_lines(pieces))
    count = 0
    async for row in found:
        count += 1
        if count > MOST_ROWS:
            raise FileRefused("too_many_rows", f"A file has at most {MOST_ROWS} rows.", row.line)
        yield row
    if count == 0:
        raise FileRefused("no_rows", "The file has no rows.")


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, str]]:
    """The lines with their numbers, each with its line break unless it is the last and has none."""
    rest, number = b"", 0
    async for piece in pieces:
        if number == 0 and not rest:
            _check_beginning(piece)
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            number += 1
            yield number, _text(line + b"\n", number)
        if len(rest) > _LONGEST_ROW:
            raise FileRefused("row_too_long", "A row is too long.", number + 1)
    if rest:
        yield number + 1, _text(rest, number + 1)


def _check_beginning(piece: bytes) -> None:
    for signature, code, message in _SIGNATURES:
        if piece.startswith(signature):
            raise FileRefused(code, message)


def _text(line: bytes, number: int) -> str:
    if len(line) > _LONGEST_ROW:
        raise FileRefused("row_too_long", "A row is too long.", number)
    if b"\0" in line:
        raise FileRefused("nul_byte", "The file has NUL bytes: it is not text in UTF-8.", number)
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise FileRefused("not_utf_8", "The file is not in UTF-8.", number) from None


async def _json_rows(lines: AsyncIterator[tuple[int, str]]) -> AsyncIterator[Row]:
    async for number, line in lines:
        try:
            yield Row(number, strict_json.read(line.encode()))
        except strict_json.RepeatedKey:
            yield Row(number, None, (Fault("", "duplicate_key"),))
        except strict_json.NotJson:
            yield Row(number, None, (Fault("", "malformed_json"),))


async def _csv_rows(lines: AsyncIterator[tuple[int, str]]) -> AsyncIterator[Row]:
    header: list[str] | None = None
    async for number, row in _records(lines):
        cells = _cells(row)
        if header is None:
            header = _header(row, cells)
        elif cells is None:
            yield Row(number, None, (Fault("", "malformed_row", column="1"),))
        else:
            yield _row(number, header, cells)


async def _records(lines: AsyncIterator[tuple[int, str]]) -> AsyncIterator[tuple[int, str]]:
    """Rows without their line break, each with the number of its first line; a quoted cell may span several lines."""
    begun, record = 0, ""
    async for number, line in lines:
        begun, record = (begun, record + line) if record else (number, line)
        if record.count('"') % 2 == 0:
            yield begun, record.removesuffix("\n").removesuffix("\r")
            record = ""
        elif len(record) > _LONGEST_ROW:
            raise FileRefused("row_too_long", "A row is too long, or a quote is not closed.", begun)
    if record:
        raise FileRefused("unclosed_quote", "A quote is not closed.", begun)


def _cells(row: str) -> list[str] | None:
    """The cells of a row; None when its quotes are not where they may be."""
    if '"' not in row:
        return row.split(",")
    cells, place = [], 0
    while True:
        found = _CELL.match(row, place)
        if found is None:
            return None
        quoted, plain = found.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        place = found.end()
        if not found[0].endswith(","):
            return cells


def _header(row: str, cells: Sequence[str] | None) -> list[str]:
    """The columns; raises FileRefused for unknown, repeated and missing ones."""
    names = list(cells or ())
    if any(separator in row for separator in ";\t|"):
        raise FileRefused("wrong_separator", "Columns are separated by commas here.", 1)
    for place, name in enumerate(names, start=1):
        if name not in _PLACES:
            raise FileRefused("unknown_column", f"Column {place} is not one of: {', '.join(_PLACES)}.", 1)
        if name in names[: place - 1]:
            raise FileRefused("repeated_column", f"Column {place} has been there before.", 1)
    for name in _NEEDED:
        if name not in names:
            raise FileRefused("missing_column", f"There is no column {name}.", 1)
    return names


def _row(number: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        where = str(len(header) + 1) if len(cells) > len(header) else header[len(cells)]
        return Row(number, None, (Fault("", "wrong_number_of_cells", column=where),))
    faults = tuple(
        Fault("/" + "/".join(_PLACES[name]), code, column=name)
        for name, cell in zip(header, cells, strict=True)
        if (code := _refused(cell)) is not None
    )
    return Row(number, None if faults else _item(dict(zip(header, cells, strict=True))), faults)


def _refused(cell: str) -> str | None:
    if "\n" in cell or "\r" in cell:
        return "line_break"
    return "formula" if cell.startswith(_FORMULA) else None


def _item(cells: dict[str, str]) -> dict[str, object]:
    """The same as an item in a body; empty cells are not there. A wallet is of the asset that is paid."""
    item: dict[str, object] = {}
    amount: dict[str, str] = {}
    account: dict[str, str] = {}
    parts = {"amount": amount, "external_account": account}
    for column, cell in cells.items():
        if cell:
            *outer, name = _PLACES[column]
            (parts[outer[0]] if outer else item)[name] = cell
    item["amount"] = amount
    if account:
        if account.get("type") == "wallet":
            account |= {name: amount[name] for name in ("asset", "network") if name in amount}
        item["external_account"] = account
    return item
