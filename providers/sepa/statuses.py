"""pain.002, CustomerPaymentStatusReport V03 and V10: what the bank says about payment orders of ours.

A status at the level of the group or of the payment information holds for every transfer that the report does not
name; a transfer's own goes before it.
"""

from __future__ import annotations

from collections import Counter

from app.ports.bank_files import BankReport, FileStatus, PayoutReport, ReportKind
from app.ports.outcome import Decline
from providers.sepa.spelling import MAX_ID, from_wire, payout_of
from providers.sepa.vocabulary import decline_of, status_of
from providers.sepa.xml import Part

VERSIONS = ("pain.002.001.03", "pain.002.001.10")
_REFUSED = "RJCT"
_MAX_TEXT = 35


def read_statuses(document: Part) -> BankReport:
    """Read a report; raises FileUnreadable."""
    report = document.one("CstmrPmtStsRpt")
    header, group = report.one("GrpHdr"), report.one("OrgnlGrpInfAndSts")
    if not group.one("OrgnlMsgNmId").text(_MAX_TEXT).startswith("pain.001"):
        raise group.bad("about another kind of message")
    order = group.one("OrgnlMsgId").text(MAX_ID)
    word, reason = _word(group.maybe("GrpSts")), _reason(group)
    # Our files hold one payment information, which carries the file's own id.
    information = report.maybe("OrgnlPmtInfAndSts")
    transfers: list[Part] = []
    if information is not None:
        if information.one("OrgnlPmtInfId").text(MAX_ID) != order:
            raise information.bad("about a payment information that is not ours")
        inner = _word(information.maybe("PmtInfSts"))
        if inner is not None:
            _agree(information, word, inner)
            word, reason = inner, _reason(information)
        transfers = information.all("TxInfAndSts")
    payouts = tuple(_payout(transfer, word, reason) for transfer in transfers)
    if word is None and not payouts:
        raise report.bad("says nothing")
    _once(report, payouts)
    for level in (group, information):
        if level is not None:
            _check_counts(level, payouts)
    return BankReport(
        kind=ReportKind.STATUS,
        message_id=header.one("MsgId").text(MAX_ID),
        created_at=header.one("CreDtTm").moment(),
        file=None if word is None else _file(order, word, reason),
        payouts=payouts,
    )


def _file(order: str, word: str, reason: str | None) -> FileStatus:
    return FileStatus(from_wire(order), status_of(word, reason), word, _decline(word, reason))


def _payout(transfer: Part, above: str | None, reason_above: str | None) -> PayoutReport:
    payout_id = payout_of(transfer.one("OrgnlEndToEndId").text(MAX_ID))
    if payout_id is None:
        raise transfer.bad("about a transfer that is not ours")
    word, reason = _word(transfer.maybe("TxSts")), _reason(transfer)
    if word is None:
        if above is None:
            raise transfer.bad("no status, here or above")
        word, reason = above, reason or reason_above
    _agree(transfer, above, word)
    amount = transfer.maybe("OrgnlTxRef/Amt/InstdAmt")
    return PayoutReport(
        payout_id=payout_id,
        status=status_of(word, reason),
        provider_status=word,
        amount=None if amount is None else amount.euros(),
        decline=_decline(word, reason),
    )


def _decline(word: str, reason: str | None) -> Decline | None:
    return decline_of(reason) if word == _REFUSED else None


def _word(part: Part | None) -> str | None:
    return None if part is None else part.text(_MAX_TEXT)


def _reason(part: Part) -> str | None:
    """The first reason given. Each may have a code of the standard's or one of the bank's own."""
    for information in part.all("StsRsnInf"):
        reason = information.maybe("Rsn")
        if reason is not None:
            code, own = reason.maybe("Cd"), reason.maybe("Prtry")
            if (code is None) == (own is None):
                raise reason.bad("not one code")
            return (code or own or reason).text(_MAX_TEXT)
    return None


def _agree(part: Part, above: str | None, word: str) -> None:
    if above == _REFUSED and word != _REFUSED:
        raise part.bad("taken on, while the whole of it is refused")


def _once(report: Part, payouts: tuple[PayoutReport, ...]) -> None:
    if len({payout.payout_id for payout in payouts}) != len(payouts):
        raise report.bad("names a transfer twice")


def _check_counts(level: Part, payouts: tuple[PayoutReport, ...]) -> None:
    """Banks may leave out transfers, so a report names at most as many as it counts, of each status and in all."""
    total = level.maybe("OrgnlNbOfTxs")
    if total is not None and len(payouts) > total.count():
        raise total.bad("fewer transfers than the report names")
    named = Counter(payout.provider_status for payout in payouts)
    for counted in level.all("NbOfTxsPerSts"):
        if named[counted.one("DtldSts").text(_MAX_TEXT)] > counted.one("DtldNbOfTxs").count():
            raise counted.bad("fewer transfers than the report names")
