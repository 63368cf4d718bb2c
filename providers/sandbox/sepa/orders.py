"""The bank's own reading of pain.001.001.03 and .09: what it asks of a file before it looks at a single payment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

_VERSIONS = {
    "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.03}": "ReqdExctnDt",
    "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}": "ReqdExctnDt/Dt",
}
_LATIN = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]+", re.ASCII)
_IDENTIFIER = re.compile(r"(?!/)(?!.*//)[A-Za-z0-9/\-?:().,'+ ]{1,35}(?<!/)", re.ASCII)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?", re.ASCII)


class Malformed(Exception):
    """The file is refused whole. `message_id` is what it calls itself, as far as that could be read."""

    def __init__(self, why: str, message_id: str = "NOTPROVIDED") -> None:
        """`why` is for whoever tests against the sandbox."""
        self.why = why
        self.message_id = message_id
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One credit transfer. `amount` is in cents; None when the currency is not the euro."""

    information_id: str
    end_to_end_id: str
    amount: int | None
    iban: str
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Order:
    """A payment order file."""

    message_id: str
    version: str
    debtor_ibans: frozenset[str]
    transfers: tuple[Transfer, ...]


def read_order(data: bytes) -> Order:
    """Read a file; raises Malformed."""
    try:
        root: Element = fromstring(data.decode(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, UnicodeDecodeError, ValueError):
        raise Malformed("not XML") from None
    namespace = root.tag[: root.tag.find("}") + 1]
    if namespace not in _VERSIONS or root.tag != f"{namespace}Document":
        raise Malformed("not pain.001.001.03 or .09")
    reader = _Reader(namespace)
    try:
        return reader.order(root)
    except Malformed as error:
        raise Malformed(error.why, reader.message_id) from None


def iban_holds(iban: str) -> bool:
    """Whether the check digits are right (ISO 7064, MOD 97-10)."""
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


class _Reader:
    """One reading of one file, in its namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.message_id = "NOTPROVIDED"

    def order(self, root: Element) -> Order:
        body = self._one(root, "CstmrCdtTrfInitn")
        header = self._one(body, "GrpHdr")
        self.message_id = self._text(header, "MsgId", _IDENTIFIER)
        self._moment(header)
        self._text(self._one(header, "InitgPty"), "Nm", _LATIN)
        informations = list(self._all(body, "PmtInf"))
        if len({self._text(each, "PmtInfId", _IDENTIFIER) for each in informations}) != len(informations):
            raise Malformed("a payment information is there twice")
        transfers = [transfer for each in informations for transfer in self._information(each)]
        self._totals(header, [element for each in informations for element in self._all(each, "CdtTrfTxInf")])
        return Order(
            message_id=self.message_id,
            version=self._namespace.rpartition(":")[2].rstrip("}"),
            debtor_ibans=frozenset(self._text(each, "DbtrAcct/Id/IBAN", _IBAN) for each in informations),
            transfers=tuple(transfers),
        )

    def _information(self, information: Element) -> Iterator[Transfer]:
        for path, expected in (("PmtMtd", "TRF"), ("PmtTpInf/SvcLvl/Cd", "SEPA"), ("ChrgBr", "SLEV")):
            if self._text(information, path, _LATIN) != expected:
                raise Malformed(f"{path} is not {expected}")
        try:
            date.fromisoformat(self._text(information, _VERSIONS[self._namespace], _LATIN))
        except ValueError:
            raise Malformed("no date") from None
        self._text(self._one(information, "Dbtr"), "Nm", _LATIN)
        self._one(information, "DbtrAgt/FinInstnId")
        elements = list(self._all(information, "CdtTrfTxInf"))
        self._totals(information, elements)
        identifier = self._text(information, "PmtInfId", _IDENTIFIER)
        for element in elements:
            amount = self._one(element, "Amt/InstdAmt")
            cents = int(self._amount(amount) * 100)
            yield Transfer(
                information_id=identifier,
                end_to_end_id=self._text(element, "PmtId/EndToEndId", _IDENTIFIER),
                amount=cents if amount.get("Ccy") == "EUR" else None,
                iban=self._text(element, "CdtrAcct/Id/IBAN", _IBAN),
                name=self._text(element, "Cdtr/Nm", _LATIN, most=70),
                message=self._message(element),
            )

    def _message(self, element: Element) -> str:
        if not list(self._all(element, "RmtInf")):
            return ""
        return self._text(element, "RmtInf/Ustrd", _LATIN, most=140)

    def _totals(self, level: Element, elements: list[Element]) -> None:
        if not elements or self._text(level, "NbOfTxs", _LATIN) != str(len(elements)):
            raise Malformed("NbOfTxs is wrong")
        total = sum((self._amount(self._one(element, "Amt/InstdAmt")) for element in elements), Decimal())
        try:
            stated = Decimal(self._text(level, "CtrlSum", _LATIN))
        except InvalidOperation:
            raise Malformed("CtrlSum is no number") from None
        if stated != total:
            raise Malformed("CtrlSum is wrong")

    def _amount(self, element: Element) -> Decimal:
        if not _AMOUNT.fullmatch(element.text or "") or Decimal(element.text or "0") == 0:
            raise Malformed("an amount is wrong")
        return Decimal(element.text or "0")

    def _moment(self, header: Element) -> None:
        try:
            datetime.fromisoformat(self._text(header, "CreDtTm", _LATIN))
        except ValueError:
            raise Malformed("no CreDtTm") from None

    def _all(self, parent: Element, name: str) -> list[Element]:
        return parent.findall(f"{self._namespace}{name}")

    def _one(self, parent: Element, path: str) -> Element:
        for name in path.split("/"):
            found = self._all(parent, name)
            if len(found) != 1:
                raise Malformed(f"{len(found)} times {path}")
            parent = found[0]
        return parent

    def _text(self, parent: Element, path: str, pattern: re.Pattern[str], *, most: int = 70) -> str:
        text = self._one(parent, path).text or ""
        if not pattern.fullmatch(text) or len(text) > most:
            raise Malformed(f"{path} is malformed")
        return text
