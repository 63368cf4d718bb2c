"""camt.053, BankToCustomerStatement V02 and V08: what moved on our account, line by line.

One message holds one statement on one page, of our own account in euros; banks do so on request. A line whose
EndToEndId is ours is a payout that settled or, marked as a return, came back; every other credit is money that came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.assets import EUR
from app.domain.money import Money
from app.ports.bank_files import BankReport, PayoutReport, ReportKind, StatementLine
from app.ports.payout import CreditReceipt, CreditStatus, PayoutStatus
from providers.sepa.spelling import MAX_ID, payout_of
from providers.sepa.statement_sums import check_balances, check_counts, opening_and_closing, signed
from providers.sepa.vocabulary import return_of
from providers.sepa.xml import Part

VERSIONS = ("camt.053.001.02", "camt.053.001.08")
_BOOKED = "BOOK"
_UNBOOKED = ("PDNG", "INFO", "FUTR")  # announced: not ours yet, not in the balance
_MAX_TEXT = 140


@dataclass(frozen=True, slots=True)
class _Line:
    """One movement: a whole entry, or one transaction of an entry that has several."""

    reference: str
    amount: Money  # signed
    at: datetime
    details: Part | None  # a bank's own fees come without
    returned: bool  # sent back by the other bank, or undone by ours
    foreign: bool  # by the bank's code something else than a transfer that we ordered, such as a direct debit

    @property
    def payout_id(self) -> str | None:
        """The payout whose id the line carries; anyone may write one on a credit or a debit, so the bank must agree."""
        written = None if self.details is None else self.details.maybe("Refs/EndToEndId")
        found = None if written is None else payout_of(written.text(MAX_ID))
        ours = self.returned if self.amount.units > 0 else not self.foreign
        return found if ours else None


def read_statement(document: Part, iban: str) -> BankReport:
    """Read a statement of the account with this IBAN; raises FileUnreadable."""
    message = document.one("BkToCstmrStmt")
    header, statement = message.one("GrpHdr"), message.one("Stmt")
    _check_pages(header, statement)
    if statement.one("Acct/Id/IBAN").text(34) != iban:
        raise statement.bad("about an account that is not ours")
    currency = statement.maybe("Acct/Ccy")
    if currency is not None and currency.text(3) != EUR.code:
        raise currency.bad("the currency is not that of the account")
    entries = statement.all("Ntry")
    lines = tuple(line for entry in entries if _is_booked(entry) for line in _lines(entry))
    if len({line.reference for line in lines}) != len(lines):
        raise statement.bad("two lines have one reference")
    opening, closing = opening_and_closing(statement)
    check_balances(statement, opening, [line.amount for line in lines], closing)
    check_counts(statement, entries)
    return BankReport(
        kind=ReportKind.STATEMENT,
        message_id=header.one("MsgId").text(MAX_ID),
        created_at=header.one("CreDtTm").moment(),
        payouts=_payouts(statement, lines),
        credits=tuple(_credit(line, iban) for line in lines if line.amount.units > 0 and line.payout_id is None),
        lines=tuple(_told(line) for line in lines),
        closing_balance=closing,
    )


def _check_pages(header: Part, statement: Part) -> None:
    for part, name in ((header, "MsgPgntn"), (statement, "StmtPgntn")):
        pages = part.maybe(name)
        if pages is not None:
            last = pages.one("LastPgInd").word(("true", "false", "1", "0")) in ("true", "1")
            if pages.one("PgNb").count() != 1 or not last:
                raise pages.bad("one page of several")


def _is_booked(entry: Part) -> bool:
    status = entry.one("Sts")
    return (status.maybe("Cd") or status).word((_BOOKED, *_UNBOOKED)) == _BOOKED


def _lines(entry: Part) -> list[_Line]:
    amount = signed(entry, entry.one("Amt").euros())
    at = entry.one("BookgDt").day_or_moment()
    transactions: list[Part] = []
    for details in entry.all("NtryDtls"):
        found = details.all("TxDtls")
        counted = details.maybe("Btch/NbOfTxs")
        if counted is not None and found and counted.count() != len(found):
            raise counted.bad("not as many transactions as there are")
        transactions += found
    reference = _reference(entry, transactions)
    if len(transactions) <= 1:
        only = transactions[0] if transactions else None
        own = _amount(entry, only) if only is not None else None
        if own is not None and own != amount:
            raise entry.bad("the transaction is not of the entry's amount")
        return [_Line(reference, amount, at, only, *_marks(entry, only))]
    lines = [
        _Line(f"{reference}/{index}", _needed(entry, one), at, one, *_marks(entry, one))
        for index, one in enumerate(transactions, 1)
    ]
    if sum(line.amount.units for line in lines) != amount.units:
        raise entry.bad("the transactions do not add up to the entry")
    return lines


def _reference(entry: Part, transactions: Sequence[Part]) -> str:
    found = entry.maybe("AcctSvcrRef")
    if found is None and len(transactions) == 1:
        found = transactions[0].maybe("Refs/AcctSvcrRef")
    return (found or entry.one("AcctSvcrRef")).text(MAX_ID)


def _amount(entry: Part, transaction: Part) -> Money | None:
    """What a transaction moved on the account: in V08 its own amount, in V02 the transaction amount of its details.

    Never the instructed amount, which may be in the currency that the sender ordered.
    """
    direction = transaction.maybe("CdtDbtInd")
    if direction is not None and direction.text(4) != entry.one("CdtDbtInd").text(4):
        raise direction.bad("not the direction of the entry")
    found = transaction.maybe("Amt") or transaction.maybe("AmtDtls/TxAmt/Amt")
    return None if found is None else signed(entry, found.euros())


def _needed(entry: Part, transaction: Part) -> Money:
    amount = _amount(entry, transaction)
    if amount is None:
        raise transaction.bad("one of several, without an amount")
    return amount


def _marks(entry: Part, transaction: Part | None) -> tuple[bool, bool]:
    """Whether the bank calls this a return, and whether it calls it something else than a transfer that we ordered.

    A return has a reason, or is the reversal of an entry, or has the code PMNT/ICDT/RRTN (issued credit transfers,
    reimbursement) of ISO's external bank transaction codes.
    """
    reason = None if transaction is None else transaction.maybe("RtrInf")
    own = None if transaction is None else transaction.maybe("BkTxCd/Domn")
    domain = own or entry.maybe("BkTxCd/Domn")
    code = () if domain is None else tuple(domain.one(at).text(4) for at in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd"))
    returned = reason is not None or _flag(entry.maybe("RvslInd")) or code == ("PMNT", "ICDT", "RRTN")
    return returned, bool(code) and code[:2] != ("PMNT", "ICDT")


def _flag(part: Part | None) -> bool:
    return part is not None and part.word(("true", "false", "1", "0")) in ("true", "1")


def _payouts(statement: Part, lines: Sequence[_Line]) -> tuple[PayoutReport, ...]:
    """Payouts that settled before payouts that came back, for both may happen to one on the same day."""
    settled = [_settled(line) for line in lines if line.amount.units < 0 and line.payout_id is not None]
    returned = [_returned(line) for line in lines if line.amount.units > 0 and line.payout_id is not None]
    for reports in (settled, returned):
        if len({report.payout_id for report in reports}) != len(reports):
            raise statement.bad("one payout was booked twice")
    return (*settled, *returned)


def _settled(line: _Line) -> PayoutReport:
    """A debit of ours; one that is marked as a return contradicts itself, so nothing is concluded from it."""
    status = PayoutStatus.UNKNOWN if line.returned else PayoutStatus.SETTLED
    return PayoutReport(line.payout_id or "", status, _BOOKED, -line.amount)


def _returned(line: _Line) -> PayoutReport:
    reason = None if line.details is None else line.details.maybe("RtrInf/Rsn")
    code = None if reason is None else reason.maybe("Cd") or reason.maybe("Prtry")
    returned = return_of(None if code is None else code.text(35), line.at)
    return PayoutReport(line.payout_id or "", PayoutStatus.RETURNED, _BOOKED, line.amount, returned=returned)


def _told(line: _Line) -> StatementLine:
    other = "Dbtr" if line.amount.units > 0 and line.payout_id is None else "Cdtr"
    account = None if line.details is None else line.details.maybe(f"RltdPties/{other}Acct/Id/IBAN")
    last4 = "" if account is None else account.text(34)[-4:]
    return StatementLine(line.reference, line.amount, line.payout_id, line.at.date(), last4)


def _credit(line: _Line, iban: str) -> CreditReceipt:
    return CreditReceipt(
        reference=line.reference,
        status=CreditStatus.CREDITED,
        provider_status=_BOOKED,
        amount=line.amount,
        account_reference=iban,
        sender_name=_sender(line.details),
        message=_message(line.details),
        at=line.at,
    )


def _sender(details: Part | None) -> str:
    """V02 has the name in the debtor itself, V08 one floor lower; a bank need not say it."""
    debtor = None if details is None else details.maybe("RltdPties/Dbtr")
    name = None if debtor is None else debtor.maybe("Pty/Nm") or debtor.maybe("Nm")
    return "" if name is None else name.free_text(_MAX_TEXT)


def _message(details: Part | None) -> str:
    """What the sender wrote, and the structured creditor reference if there is one, with spaces between."""
    remittance = None if details is None else details.maybe("RmtInf")
    if remittance is None:
        return ""
    texts = [part.free_text(_MAX_TEXT) for part in remittance.all("Ustrd")]
    for structured in remittance.all("Strd"):
        reference = structured.maybe("CdtrRefInf/Ref")
        if reference is not None:
            texts.append(reference.text(35))
    return " ".join(text for text in texts if text)
