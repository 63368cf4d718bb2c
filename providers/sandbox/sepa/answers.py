"""What the bank writes: pain.002.001.10 about payments, camt.053.001.08 about the account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

from providers.sandbox.sepa.rows import Entry, Payment

_ISO = "urn:iso:std:iso:20022:tech:xsd:"


def report(
    number: str, order: str, version: str, *, status: str | None, reason: str | None, payments: Sequence[Payment]
) -> bytes:
    """A status report about one order: for the whole of it, for single payments, or both."""
    document = Element("Document", {"xmlns": f"{_ISO}pain.002.001.10"})
    body = SubElement(document, "CstmrPmtStsRpt")
    header = SubElement(body, "GrpHdr")
    _put(header, "MsgId", number)
    _put(header, "CreDtTm", _now())
    group = SubElement(body, "OrgnlGrpInfAndSts")
    _put(group, "OrgnlMsgId", order)
    _put(group, "OrgnlMsgNmId", version)
    if status is not None:
        _put(group, "GrpSts", status)
    if reason is not None:
        _put(group, "StsRsnInf/Rsn/Cd", reason)
    for identifier, some in groupby(payments, key=lambda payment: payment.information_id):
        information = SubElement(body, "OrgnlPmtInfAndSts")
        _put(information, "OrgnlPmtInfId", identifier)
        for payment in some:
            _about(information, payment)
    return _bytes(document)


def statement(iban: str, number: int, opening: int, entries: Sequence[Entry]) -> bytes:
    """A statement of booked entries, from a balance of `opening` cents."""
    document = Element("Document", {"xmlns": f"{_ISO}camt.053.001.08"})
    body = SubElement(document, "BkToCstmrStmt")
    header = SubElement(body, "GrpHdr")
    _put(header, "MsgId", f"STMT{number:010d}")
    _put(header, "CreDtTm", _now())
    page = SubElement(body, "Stmt")
    _put(page, "Id", f"STMT{number:010d}")
    _put(page, "ElctrncSeqNb", str(number))
    _put(page, "CreDtTm", _now())
    account = SubElement(page, "Acct")
    _put(account, "Id/IBAN", iban)
    _put(account, "Ccy", "EUR")
    amounts = [entry.amount for entry in entries]
    for kind, cents in (("OPBD", opening), ("CLBD", opening + sum(amounts))):
        balance = SubElement(page, "Bal")
        _put(balance, "Tp/CdOrPrtry/Cd", kind)
        _signed(balance, cents)
        _put(balance, "Dt/Dt", _now()[:10])
    summary = SubElement(page, "TxsSummry")
    _totals(summary, "TtlNtries", amounts)
    _totals(summary, "TtlCdtNtries", [cents for cents in amounts if cents > 0])
    _totals(summary, "TtlDbtNtries", [cents for cents in amounts if cents < 0])
    for entry in entries:
        _entry(page, entry)
    return _bytes(document)


def _about(information: Element, payment: Payment) -> None:
    element = SubElement(information, "TxInfAndSts")
    _put(element, "OrgnlEndToEndId", payment.end_to_end_id)
    _put(element, "TxSts", {"rejected": "RJCT", "accepted": "ACCP"}.get(payment.state, "ACSC"))
    if payment.state == "rejected" and payment.reason is not None:
        _put(element, "StsRsnInf/Rsn/Cd", payment.reason)
    if payment.amount:
        _put(element, "OrgnlTxRef/Amt/InstdAmt", _decimal(payment.amount)).set("Ccy", "EUR")


def _entry(page: Element, entry: Entry) -> None:
    element = SubElement(page, "Ntry")
    _signed(element, entry.amount)
    _put(element, "Sts/Cd", "BOOK")
    booked = datetime.fromtimestamp(entry.booked_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    _put(element, "BookgDt/DtTm", booked)
    _put(element, "ValDt/Dt", booked[:10])
    _put(element, "AcctSvcrRef", entry.reference)
    code = SubElement(SubElement(element, "BkTxCd"), "Domn")
    family, kind = ("ICDT", "ESCT") if entry.amount < 0 else ("ICDT", "RRTN") if entry.reason else ("RCDT", "ESCT")
    _put(code, "Cd", "PMNT")
    families = SubElement(code, "Fmly")
    _put(families, "Cd", family)
    _put(families, "SubFmlyCd", kind)
    details = SubElement(SubElement(element, "NtryDtls"), "TxDtls")
    references = SubElement(details, "Refs")
    _put(references, "AcctSvcrRef", entry.reference)
    _put(references, "EndToEndId", entry.end_to_end_id)
    _put(details, "Amt", _decimal(abs(entry.amount))).set("Ccy", "EUR")
    _put(details, "CdtDbtInd", _direction(entry.amount))
    party = "Dbtr" if entry.amount > 0 and not entry.reason else "Cdtr"
    parties = SubElement(details, "RltdPties")
    if entry.name:
        _put(parties, f"{party}/Pty/Nm", entry.name)
    _put(parties, f"{party}Acct/Id/IBAN", entry.iban)
    if entry.message:
        _put(details, "RmtInf/Ustrd", entry.message)
    if entry.reason:
        _put(details, "RtrInf/Rsn/Cd", entry.reason)


def _put(parent: Element, path: str, text: str) -> Element:
    for name in path.split("/"):
        parent = SubElement(parent, name)
    parent.text = text
    return parent


def _signed(parent: Element, cents: int) -> None:
    _put(parent, "Amt", _decimal(abs(cents))).set("Ccy", "EUR")
    _put(parent, "CdtDbtInd", _direction(cents))


def _totals(summary: Element, name: str, amounts: Iterable[int]) -> None:
    amounts = [abs(cents) for cents in amounts]
    total = SubElement(summary, name)
    _put(total, "NbOfNtries", str(len(amounts)))
    _put(total, "Sum", _decimal(sum(amounts)))


def _direction(cents: int) -> str:
    return "DBIT" if cents < 0 else "CRDT"


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _bytes(document: Element) -> bytes:
    written: bytes = tostring(document, encoding="utf-8", xml_declaration=True)
    return written
