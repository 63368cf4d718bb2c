"""Reading a bank's XML strictly: what we ask for is there, as often as it should be, and of its form.

Every failure is FileUnreadable with the path of the element and never its value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from app.domain.assets import EUR
from app.domain.errors import ValidationFailed
from app.domain.money import Money, parse_units
from app.ports.bank_files import FileUnreadable

MAX_BYTES = 32 * 1024 * 1024  # about 25,000 lines of a statement
MAX_TAGS = 2_000_000  # bounds the memory of the tree: small elements take far more of it than they do of the file
_DECLARATION = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_MAX_DIGITS = 18  # of an amount, by the standard (ActiveCurrencyAndAmount)
_BOM = b"\xef\xbb\xbf"


def parse(data: bytes) -> Element:
    """The document's root; raises FileUnreadable for what is too large, not UTF-8, not XML, or has a DTD."""
    if len(data) > MAX_BYTES:
        raise FileUnreadable(f"larger than {MAX_BYTES} bytes")
    if data.count(b"<") > MAX_TAGS:
        raise FileUnreadable(f"more than {MAX_TAGS} tags")
    data = data.removeprefix(_BOM)
    declared = _DECLARATION.match(data)
    if declared is not None and declared[1].lower() not in (b"utf-8", b"us-ascii", b"ascii"):
        raise FileUnreadable("not declared as UTF-8")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise FileUnreadable("not UTF-8") from None
    try:
        root: Element = fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise FileUnreadable(f"not XML that we read: {type(error).__name__}") from None
    return root


class Part:
    """One element, with the path by which errors name it."""

    def __init__(self, element: Element, namespace: str, path: str) -> None:
        """Children are looked up in `namespace`."""
        self._element = element
        self._namespace = namespace
        self.path = path

    def all(self, name: str) -> list[Part]:
        """Every child of this name, in order."""
        found = self._element.findall(f"{{{self._namespace}}}{name}")
        return [
            Part(child, self._namespace, f"{self.path}/{name}" + (f"[{index}]" if len(found) > 1 else ""))
            for index, child in enumerate(found, 1)
        ]

    def maybe(self, path: str) -> Part | None:
        """What is at the end of a path of names separated by `/`, or None; nothing on the way may be there twice."""
        part = self
        for name in path.split("/"):
            found = part.all(name)
            if len(found) > 1:
                raise FileUnreadable(f"{part.path}/{name}: more than one")
            if not found:
                return None
            part = found[0]
        return part

    def one(self, path: str) -> Part:
        """What is at the end of a path, exactly once."""
        found = self.maybe(path)
        if found is None:
            raise FileUnreadable(f"{self.path}/{path}: missing")
        return found

    def attribute(self, name: str) -> str | None:
        """An attribute, or None."""
        return self._element.get(name)

    def bad(self, why: str) -> FileUnreadable:
        """An error about this element, to raise."""
        return FileUnreadable(f"{self.path}: {why}")

    def text(self, most: int) -> str:
        """The element's text: 1 to `most` characters, and nothing else inside."""
        text = self._element.text or ""
        if len(self._element) or not text.strip() or len(text) > most:
            raise self.bad(f"not a text of 1 to {most} characters")
        return text

    def free_text(self, most: int) -> str:
        """What a person wrote, at most `most` characters and perhaps nothing; spaces around it do not count."""
        text = self._element.text or ""
        if len(self._element) or len(text) > most:
            raise self.bad(f"not a text of at most {most} characters")
        return text.strip()

    def word(self, known: Sequence[str]) -> str:
        """One of the words that we know."""
        text = self.text(35)
        if text not in known:
            raise self.bad("a word that does not belong here")
        return text

    def count(self) -> int:
        """A whole number of things."""
        text = self.text(15)
        if not _COUNT.fullmatch(text):
            raise self.bad("not a count")
        return int(text)

    def sum(self) -> Money:
        """A control sum: euros and cents, with no currency of its own."""
        try:
            return Money(parse_units(self.text(_MAX_DIGITS + 1), EUR.decimals), EUR)
        except ValidationFailed:
            raise self.bad("not an amount with at most two decimals") from None

    def euros(self, *, positive: bool = True) -> Money:
        """An amount in euros, the only currency of a SEPA account; zero only where `positive` is False."""
        if self.attribute("Ccy") != EUR.code:
            raise self.bad("the currency is not that of the account")
        amount = self.sum()
        if positive and amount.units == 0:
            raise self.bad("an amount of zero")
        return amount

    def day(self) -> date:
        """A date, without a time zone."""
        text = self.text(10)
        try:
            if _DATE.fullmatch(text):
                return date.fromisoformat(text)
        except ValueError:
            pass
        raise self.bad("not a date")

    def moment(self) -> datetime:
        """A moment, in UTC; one without an offset is taken for UTC, since the standard leaves that open."""
        text = self.text(40)
        try:
            if _MOMENT.fullmatch(text):
                moment = datetime.fromisoformat(text)
                return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.bad("not a moment")

    def day_or_moment(self) -> datetime:
        """A choice of `Dt` and `DtTm`; a day stands for its first moment in UTC."""
        day, moment = self.maybe("Dt"), self.maybe("DtTm")
        if moment is not None and day is None:
            return moment.moment()
        if day is not None and moment is None:
            return datetime.combine(day.day(), time(), UTC)
        raise self.bad("not either a date or a moment")
