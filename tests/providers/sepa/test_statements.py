"""Statements (camt.053): payouts, returns, credits, and sums that must agree."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.ports.bank_files import FileUnreadable, ReportKind
from app.ports.payout import CreditStatus, PayoutStatus
from providers.sepa.reading import read_report
from tests.providers.sepa.samples import (
    IBAN,
    STATEMENT,
    THEIR_IBAN,
    euros,
    holding_a_child,
    older,
    payout_id,
    saying,
    twice,
    wire_id,
    without,
)

STMT = "BkToCstmrStmt/Stmt"
ENTRY = f"{STMT}/Ntry"
DETAILS = f"{ENTRY}/NtryDtls/TxDtls"


@pytest.mark.parametrize("text", [STATEMENT, older(STATEMENT), "\ufeff" + STATEMENT])
def test_a_statement_is_read(text: str) -> None:
    report = read_report(text.encode(), IBAN)
    assert report.kind is ReportKind.STATEMENT
    assert report.message_id == "STMT1"
    assert report.closing_balance == euros(92_520)
    settled, returned = report.payouts
    assert (settled.payout_id, settled.status, settled.amount) == (payout_id(1), PayoutStatus.SETTLED, euros(10_000))
    assert (returned.payout_id, returned.status, returned.amount) == (payout_id(2), PayoutStatus.RETURNED, euros(2_050))
    assert returned.returned is not None
    assert (returned.returned.code, returned.returned.scheme_code) == ("returned_ac04", "AC04")
    assert returned.returned.at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    (credit,) = report.credits
    assert (credit.reference, credit.amount, credit.status) == ("A3", euros(500), CreditStatus.CREDITED)
    assert (credit.sender_name, credit.message, credit.account_reference) == ("Sven Sender", "RAMP 42 thanks", IBAN)
    assert [(line.reference, line.amount.units, line.payout_id) for line in report.lines] == [
        ("A1", -10_000, payout_id(1)),
        ("A2", 2_050, payout_id(2)),
        ("A3", 500, None),
        ("A4", -30, None),
    ]
    assert report.lines[0].booked_on == date(2026, 11, 24)
    assert [line.account_last4 for line in report.lines] == [THEIR_IBAN[-4:], "", THEIR_IBAN[-4:], ""]


def test_a_statement_without_a_line_says_the_balance() -> None:
    text = STATEMENT[: STATEMENT.index("<TxsSummry>")] + "</Stmt></BkToCstmrStmt></Document>"
    report = read_report(text.replace("925.20", "1000.00").encode(), IBAN)
    assert not report.lines
    assert not report.payouts
    assert report.closing_balance == euros(100_000)


def test_fault_f_57_a_credit_without_a_reference_or_a_name_is_still_a_credit() -> None:
    text = STATEMENT.replace("<RmtInf><Ustrd>RAMP 42</Ustrd><Ustrd>thanks</Ustrd></RmtInf>", "")
    text = text.replace("<Nm>Sven Sender</Nm>", "<PstlAdr/>")
    (credit,) = read_report(text.encode(), IBAN).credits
    assert (credit.sender_name, credit.message, credit.amount) == ("", "", euros(500))
    details = text[text.rindex("<NtryDtls>") : text.rindex("</NtryDtls>") + len("</NtryDtls>")]
    (bare,) = read_report(text.replace(details, "").encode(), IBAN).credits
    assert (bare.sender_name, bare.message, bare.amount, bare.reference) == ("", "", euros(500), "A3")


@pytest.mark.parametrize(
    "blank", ["<RmtInf/>", "<RmtInf><Ustrd/></RmtInf>", "<RmtInf><Ustrd> </Ustrd><Ustrd/></RmtInf>"]
)
def test_fault_f_57_a_reference_may_be_there_and_be_blank(blank: str) -> None:
    text = STATEMENT.replace("<RmtInf><Ustrd>RAMP 42</Ustrd><Ustrd>thanks</Ustrd></RmtInf>", blank)
    assert blank in text
    (credit,) = read_report(text.replace("Sven Sender", "").encode(), IBAN).credits
    assert (credit.sender_name, credit.message) == ("", "")


def test_fault_f_58_another_currency_than_the_accounts_is_not_read_as_euros() -> None:
    for place in ('<Amt Ccy="EUR">5</Amt>', '<Amt Ccy="EUR">925.20</Amt>', "<Ccy>EUR</Ccy>"):
        with pytest.raises(FileUnreadable, match="currency"):
            read_report(STATEMENT.replace(place, place.replace("EUR", "USD")).encode(), IBAN)


def test_fault_f_58_what_was_sent_in_dollars_counts_as_what_was_booked() -> None:
    sent = '<AmtDtls><InstdAmt><Amt Ccy="USD">5.80</Amt></InstdAmt></AmtDtls>'
    text = STATEMENT.replace("<RltdPties>\n          <Dbtr>", f"{sent}<RltdPties><Dbtr>")
    assert sent in text
    (credit,) = read_report(text.encode(), IBAN).credits
    assert credit.amount == euros(500)


def test_anybody_can_write_our_id_on_a_credit_and_it_is_no_return() -> None:
    text = STATEMENT.replace("NOTPROVIDED", wire_id(7))
    report = read_report(text.encode(), IBAN)
    assert payout_id(7) not in {payout.payout_id for payout in report.payouts}
    assert [credit.reference for credit in report.credits] == ["A3"]


def test_a_direct_debit_that_bears_our_id_settles_nothing() -> None:
    report = read_report(STATEMENT.replace("<Cd>ICDT</Cd>", "<Cd>RDDT</Cd>").encode(), IBAN)
    assert [payout.status for payout in report.payouts] == [PayoutStatus.RETURNED]
    assert report.lines[0].payout_id is None


@pytest.mark.parametrize(
    "mark",
    [
        "<RvslInd>true</RvslInd>",
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>",
    ],
)
def test_a_return_may_be_marked_without_a_reason(mark: str) -> None:
    text = STATEMENT.replace("<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>", "")
    text = text.replace("<AcctSvcrRef>A2</AcctSvcrRef>", f"<AcctSvcrRef>A2</AcctSvcrRef>{mark}")
    returned = read_report(text.encode(), IBAN).payouts[1]
    assert returned.status is PayoutStatus.RETURNED
    assert returned.returned is not None
    assert (returned.returned.code, returned.returned.scheme_code) == ("returned", "")


def test_a_debit_of_ours_that_is_called_a_reversal_settles_nothing() -> None:
    text = STATEMENT.replace("<AcctSvcrRef>A1</AcctSvcrRef>", "<AcctSvcrRef>A1</AcctSvcrRef><RvslInd>true</RvslInd>")
    assert read_report(text.encode(), IBAN).payouts[0].status is PayoutStatus.UNKNOWN


def test_a_payout_that_settled_and_came_back_on_one_day_settled_first() -> None:
    text = STATEMENT.replace(wire_id(2), wire_id(1))
    head, first, second, rest = text.split("<Ntry>", 3)
    newest_first = "<Ntry>".join((head, second, first, rest))
    assert [payout.status for payout in read_report(newest_first.encode(), IBAN).payouts] == [
        PayoutStatus.SETTLED,
        PayoutStatus.RETURNED,
    ]


SEVERAL = f"""<NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>
<TxDtls><Refs><EndToEndId>{wire_id(1)}</EndToEndId></Refs><Amt Ccy="EUR">60.00</Amt></TxDtls>
<TxDtls><Refs><EndToEndId>{wire_id(3)}</EndToEndId></Refs><Amt Ccy="EUR">40.00</Amt></TxDtls></NtryDtls>"""


def booked_together(details: str) -> bytes:
    start, end = STATEMENT.index("<NtryDtls>"), STATEMENT.index("</NtryDtls>") + len("</NtryDtls>")
    return (STATEMENT[:start] + details + STATEMENT[end:]).encode()


def test_payouts_that_were_booked_together_are_told_apart() -> None:
    report = read_report(booked_together(SEVERAL), IBAN)
    assert [(line.reference, line.amount.units) for line in report.lines[:2]] == [("A1/1", -6000), ("A1/2", -4000)]
    assert [payout.payout_id for payout in report.payouts] == [payout_id(1), payout_id(3), payout_id(2)]


@pytest.mark.parametrize(
    ("place", "instead"),
    [
        ('<Amt Ccy="EUR">40.00</Amt>', '<Amt Ccy="EUR">39.99</Amt>'),
        ('<Amt Ccy="EUR">40.00</Amt>', ""),
        ("<NbOfTxs>2</NbOfTxs>", "<NbOfTxs>3</NbOfTxs>"),
        (wire_id(3), wire_id(1)),
        ("</Amt></TxDtls></NtryDtls>", "</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls></NtryDtls>"),
    ],
)
def test_what_was_booked_together_must_add_up(place: str, instead: str) -> None:
    assert place in SEVERAL
    with pytest.raises(FileUnreadable):
        read_report(booked_together(SEVERAL.replace(place, instead)), IBAN)


@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_does_not_count(status: str) -> None:
    more = STATEMENT.replace(
        "<TxsSummry>",
        f'<Ntry><Amt Ccy="EUR">7</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>{status}</Cd></Sts></Ntry><TxsSummry>',
    )
    more = more[: more.index("<TxsSummry>")] + more[more.index("</TxsSummry>") + len("</TxsSummry>") :]
    assert len(read_report(more.encode(), IBAN).lines) == 4


RELIED_ON = [
    "BkToCstmrStmt",
    "BkToCstmrStmt/GrpHdr",
    "BkToCstmrStmt/GrpHdr/MsgId",
    "BkToCstmrStmt/GrpHdr/CreDtTm",
    STMT,
    f"{STMT}/Acct",
    f"{STMT}/Acct/Id",
    f"{STMT}/Acct/Id/IBAN",
    f"{STMT}/Bal",
    f"{STMT}/Bal/Tp",
    f"{STMT}/Bal/Tp/CdOrPrtry/Cd",
    f"{STMT}/Bal/Amt",
    f"{STMT}/Bal/CdtDbtInd",
    ENTRY,
    f"{ENTRY}/Amt",
    f"{ENTRY}/CdtDbtInd",
    f"{ENTRY}/Sts",
    f"{ENTRY}/Sts/Cd",
    f"{ENTRY}/BookgDt",
    f"{ENTRY}/BookgDt/Dt",
    f"{ENTRY}/AcctSvcrRef",
    f"{ENTRY}/BkTxCd/Domn/Cd",
    f"{ENTRY}/BkTxCd/Domn/Fmly",
]


@pytest.mark.parametrize("path", RELIED_ON)
def test_what_we_rely_on_must_be_there(path: str) -> None:
    with pytest.raises(FileUnreadable):
        read_report(without(STATEMENT, path), IBAN)


@pytest.mark.parametrize(
    "path",
    [
        *RELIED_ON,
        f"{STMT}/TxsSummry",
        f"{STMT}/TxsSummry/TtlNtries/Sum",
        f"{STMT}/Acct/Ccy",
        DETAILS,
        f"{DETAILS}/Refs",
        f"{DETAILS}/Refs/EndToEndId",
        f"{DETAILS}/Amt",
    ],
)
def test_what_we_rely_on_must_be_there_once(path: str) -> None:
    with pytest.raises(FileUnreadable):
        read_report(twice(STATEMENT, path), IBAN)


@pytest.mark.parametrize(
    "path", [f"{ENTRY}/Amt", f"{ENTRY}/AcctSvcrRef", f"{STMT}/Acct/Id/IBAN", f"{DETAILS}/Refs/EndToEndId"]
)
def test_a_text_holds_nothing_else(path: str) -> None:
    with pytest.raises(FileUnreadable, match="not a text"):
        read_report(holding_a_child(STATEMENT, path), IBAN)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("BkToCstmrStmt/GrpHdr/CreDtTm", "today"),
        (f"{STMT}/Acct/Id/IBAN", THEIR_IBAN),
        (f"{STMT}/Bal/Amt", "1000.01"),
        (f"{STMT}/Bal/Amt", "-1000"),
        (f"{STMT}/Bal/CdtDbtInd", "DBIT"),
        (f"{STMT}/Bal/Tp/CdOrPrtry/Cd", "CLBD"),
        (f"{STMT}/TxsSummry/TtlNtries/NbOfNtries", "5"),
        (f"{STMT}/TxsSummry/TtlNtries/Sum", "125.81"),
        (f"{STMT}/TxsSummry/TtlCdtNtries/Sum", "25.49"),
        (f"{STMT}/TxsSummry/TtlDbtNtries/NbOfNtries", "1"),
        (f"{ENTRY}/Amt", "100,00"),
        (f"{ENTRY}/Amt", "+100.00"),
        (f"{ENTRY}/Amt", "0"),
        (f"{ENTRY}/Amt", "0100.00"),
        (f"{ENTRY}/Amt", "100.001"),
        (f"{ENTRY}/Amt", "1" * 19),
        (f"{ENTRY}/Amt", "\u0661\u0660\u0660"),
        (f"{ENTRY}/CdtDbtInd", "DEBT"),
        (f"{ENTRY}/Sts/Cd", "DONE"),
        (f"{ENTRY}/BookgDt/Dt", "2026-02-30"),
        (f"{ENTRY}/BookgDt/Dt", "20261124"),
        (f"{ENTRY}/AcctSvcrRef", "A2"),
        (f"{ENTRY}/AcctSvcrRef", " "),
        (f"{DETAILS}/Amt", "99.99"),
        (f"{DETAILS}/CdtDbtInd", "CRDT"),
        (f"{DETAILS}/Refs/EndToEndId", "x" * 36),
    ],
)
def test_what_is_malformed_or_does_not_add_up_is_not_read(path: str, value: str) -> None:
    with pytest.raises(FileUnreadable) as caught:
        read_report(saying(STATEMENT, path, value), IBAN)
    if len(value) > 5:
        assert value not in str(caught.value)


def test_a_payout_that_was_booked_twice_is_for_a_person() -> None:
    fee = STATEMENT.rindex("<AddtlNtryInf>")
    again = f"<NtryDtls><TxDtls><Refs><EndToEndId>{wire_id(1)}</EndToEndId></Refs></TxDtls></NtryDtls>"
    with pytest.raises(FileUnreadable, match="booked twice"):
        read_report((STATEMENT[:fee] + again + STATEMENT[fee:]).encode(), IBAN)


@pytest.mark.parametrize(("number", "last"), [("1", "false"), ("2", "true")])
def test_a_page_of_several_is_not_taken_for_the_whole(number: str, last: str) -> None:
    for level, name in (("<Stmt>", "StmtPgntn"), ("<GrpHdr>", "MsgPgntn")):
        page = f"{level}<{name}><PgNb>{number}</PgNb><LastPgInd>{last}</LastPgInd></{name}>"
        with pytest.raises(FileUnreadable, match="page"):
            read_report(STATEMENT.replace(level, page).encode(), IBAN)
        read_report(STATEMENT.replace(level, page.replace(last, "true").replace("2", "1")).encode(), IBAN)
