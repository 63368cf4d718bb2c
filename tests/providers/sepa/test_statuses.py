"""Status reports (pain.002): whose word holds for which payout, and what is not believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.ports.bank_files import FileUnreadable, ReportKind
from app.ports.payout import PayoutStatus
from providers.sepa.reading import read_report
from tests.providers.sepa.samples import (
    FILE,
    IBAN,
    STATUS,
    euros,
    holding_a_child,
    older,
    payout_id,
    saying,
    twice,
    wire_id,
    without,
)

REPORT = "CstmrPmtStsRpt"
GROUP = f"{REPORT}/OrgnlGrpInfAndSts"
INFORMATION = f"{REPORT}/OrgnlPmtInfAndSts"
TRANSFER = f"{INFORMATION}/TxInfAndSts"


@pytest.mark.parametrize("text", [STATUS, older(STATUS)])
def test_a_report_is_read(text: str) -> None:
    report = read_report(text.encode(), IBAN)
    assert report.kind is ReportKind.STATUS
    assert report.message_id == "BANK1"
    assert report.created_at == datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert report.file is not None
    assert (report.file.message_id, report.file.status, report.file.provider_status) == (
        FILE,
        PayoutStatus.PENDING,
        "PART",
    )
    refused, settled = report.payouts
    assert (refused.payout_id, refused.status, refused.amount) == (payout_id(1), PayoutStatus.FAILED, euros(12_345))
    assert refused.decline is not None
    assert (refused.decline.code, refused.decline.provider_code) == ("rejected_ac04", "AC04")
    assert refused.decline.message == "The account is closed."
    assert (settled.payout_id, settled.status, settled.decline) == (payout_id(2), PayoutStatus.SETTLED, None)
    assert not report.lines
    assert not report.credits


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("ACCP", PayoutStatus.PENDING),
        ("ACTC", PayoutStatus.PENDING),
        ("ACWC", PayoutStatus.PENDING),
        ("PDNG", PayoutStatus.PENDING),
        ("RCVD", PayoutStatus.PENDING),
        ("ACSP", PayoutStatus.SUBMITTED),
        ("ACSC", PayoutStatus.SETTLED),
        ("ACCC", PayoutStatus.SETTLED),
        ("CANC", PayoutStatus.CANCELED),
        ("BLCK", PayoutStatus.UNKNOWN),
        ("rjct", PayoutStatus.UNKNOWN),
        ("WHAT", PayoutStatus.UNKNOWN),
    ],
)
def test_every_word_has_one_meaning_and_a_new_one_has_none(word: str, status: PayoutStatus) -> None:
    (payout, _) = read_report(
        saying(STATUS.replace("<DtldSts>RJCT", "<DtldSts>XXXX"), f"{TRANSFER}/TxSts", word), IBAN
    ).payouts
    assert (payout.status, payout.provider_status, payout.decline) == (status, word, None)


def group_only(word: str, reason: str = "") -> bytes:
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    head = STATUS.partition("<OrgnlNbOfTxs>")[0]
    return f"{head}<GrpSts>{word}</GrpSts>{why}</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>".encode()


def test_a_refused_group_is_refused_whole() -> None:
    report = read_report(group_only("RJCT", "FF01"), IBAN)
    assert report.payouts == ()
    assert report.file is not None
    assert (report.file.message_id, report.file.status) == (FILE, PayoutStatus.FAILED)
    assert report.file.decline is not None
    assert report.file.decline.code == "rejected_ff01"


def test_an_accepted_group_is_pending() -> None:
    report = read_report(group_only("ACCP"), IBAN)
    assert report.file is not None
    assert (report.file.status, report.file.decline) == (PayoutStatus.PENDING, None)


@pytest.mark.parametrize("reason", ["AM05", "DU01", "DU04"])
def test_a_duplicate_says_nothing_about_the_first_one(reason: str) -> None:
    """The first one may have been paid: to call its payout failed would pay the customer back as well."""
    report = read_report(group_only("RJCT", reason), IBAN)
    assert report.file is not None
    assert report.file.status is PayoutStatus.UNKNOWN
    single = read_report(saying(STATUS, f"{TRANSFER}/StsRsnInf/Rsn/Cd", reason), IBAN).payouts[0]
    assert single.status is PayoutStatus.UNKNOWN
    assert single.decline is not None
    assert single.decline.provider_code == reason


def test_the_payment_informations_word_goes_before_the_groups() -> None:
    text = STATUS.replace("</OrgnlPmtInfId>", "</OrgnlPmtInfId><PmtInfSts>ACSP</PmtInfSts>")
    report = read_report(text.encode(), IBAN)
    assert report.file is not None
    assert report.file.status is PayoutStatus.SUBMITTED


def test_a_refused_group_holds_no_accepted_payment_information() -> None:
    text = STATUS.replace("</OrgnlPmtInfId>", "</OrgnlPmtInfId><PmtInfSts>ACCP</PmtInfSts>").replace("PART", "RJCT")
    head, rest = text.split("<TxInfAndSts>", 1)
    data = (head + rest[rest.rindex("</TxInfAndSts>") + len("</TxInfAndSts>") :]).encode()
    with pytest.raises(FileUnreadable, match="refused"):
        read_report(data, IBAN)
    assert read_report(data.replace(b"RJCT</GrpSts>", b"ACCP</GrpSts>"), IBAN).file is not None


def test_a_transfer_without_a_word_of_its_own_has_that_above_it() -> None:
    text = STATUS.replace("<GrpSts>PART", "<GrpSts>ACSP").replace("<TxSts>ACSC</TxSts>", "")
    assert read_report(text.encode(), IBAN).payouts[1].status is PayoutStatus.SUBMITTED
    text = text.replace("<GrpSts>ACSP</GrpSts>", "")
    with pytest.raises(FileUnreadable, match="no status"):
        read_report(text.encode(), IBAN)


def test_a_report_without_a_group_status_speaks_of_what_it_names() -> None:
    report = read_report(without(STATUS, f"{GROUP}/GrpSts"), IBAN)
    assert report.file is None
    assert len(report.payouts) == 2


@pytest.mark.parametrize(
    ("own", "code", "provider_code"),
    [
        ("<Rsn><Cd>ZZ99</Cd></Rsn>", "rejected_zz99", "ZZ99"),
        ("<Rsn><Prtry>House rule</Prtry></Rsn>", "rejected_other", "House rule"),
        ("<AddtlInf>x</AddtlInf>", "rejected", None),
    ],
)
def test_a_reason_that_we_do_not_know_keeps_its_code(own: str, code: str, provider_code: str | None) -> None:
    text = STATUS.replace("<Rsn><Cd>AC04</Cd></Rsn>", own)
    decline = read_report(text.encode(), IBAN).payouts[0].decline
    assert decline is not None
    assert (decline.code, decline.provider_code) == (code, provider_code)
    assert decline.message == "The transfer could not be completed."


RELIED_ON = [
    f"{REPORT}",
    f"{REPORT}/GrpHdr",
    f"{REPORT}/GrpHdr/MsgId",
    f"{REPORT}/GrpHdr/CreDtTm",
    GROUP,
    f"{GROUP}/OrgnlMsgId",
    f"{GROUP}/OrgnlMsgNmId",
    f"{INFORMATION}/OrgnlPmtInfId",
    f"{TRANSFER}/OrgnlEndToEndId",
    f"{TRANSFER}/StsRsnInf/Rsn/Cd",
    f"{GROUP}/NbOfTxsPerSts/DtldSts",
    f"{GROUP}/NbOfTxsPerSts/DtldNbOfTxs",
]


@pytest.mark.parametrize("path", RELIED_ON)
def test_what_we_rely_on_must_be_there(path: str) -> None:
    with pytest.raises(FileUnreadable):
        read_report(without(STATUS, path), IBAN)


@pytest.mark.parametrize(
    "path", [*RELIED_ON, INFORMATION, TRANSFER, f"{TRANSFER}/TxSts", f"{GROUP}/GrpSts", f"{TRANSFER}/OrgnlTxRef"]
)
def test_what_we_rely_on_must_be_there_once(path: str) -> None:
    with pytest.raises(FileUnreadable):
        read_report(twice(STATUS, path), IBAN)


@pytest.mark.parametrize(
    "path", [f"{REPORT}/GrpHdr/MsgId", f"{TRANSFER}/OrgnlEndToEndId", f"{TRANSFER}/TxSts", f"{GROUP}/OrgnlMsgId"]
)
def test_a_text_holds_nothing_else(path: str) -> None:
    with pytest.raises(FileUnreadable, match="not a text"):
        read_report(holding_a_child(STATUS, path), IBAN)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{REPORT}/GrpHdr/CreDtTm", "2026-11-22"),
        (f"{REPORT}/GrpHdr/CreDtTm", "2026-13-22T00:00:00Z"),
        (f"{REPORT}/GrpHdr/CreDtTm", "22.11.2026 04:00"),
        (f"{REPORT}/GrpHdr/MsgId", "x" * 36),
        (f"{GROUP}/OrgnlMsgNmId", "pain.008.001.08"),
        (f"{GROUP}/OrgnlNbOfTxs", "1"),
        (f"{GROUP}/OrgnlNbOfTxs", "-3"),
        (f"{GROUP}/NbOfTxsPerSts/DtldNbOfTxs", "0"),
        (f"{GROUP}/GrpSts", "RJCT"),  # and a transfer settled
        (f"{INFORMATION}/OrgnlPmtInfId", "another"),
        (f"{TRANSFER}/OrgnlEndToEndId", "NOTPROVIDED"),
        (f"{TRANSFER}/OrgnlEndToEndId", wire_id(2)),  # named twice
        (f"{TRANSFER}/OrgnlTxRef/Amt/InstdAmt", "-1"),
        (f"{TRANSFER}/OrgnlTxRef/Amt/InstdAmt", "0.00"),
        (f"{TRANSFER}/OrgnlTxRef/Amt/InstdAmt", "1.234"),
        (f"{TRANSFER}/OrgnlTxRef/Amt/InstdAmt", "1e3"),
        (f"{TRANSFER}/OrgnlTxRef/Amt/InstdAmt", "NaN"),
    ],
)
def test_what_is_malformed_or_contradicts_itself_is_not_read(path: str, value: str) -> None:
    with pytest.raises(FileUnreadable) as caught:
        read_report(saying(STATUS, path, value), IBAN)
    if len(value) > 3:
        assert value not in str(caught.value)


def test_a_report_that_says_nothing_is_not_read() -> None:
    data = group_only("ACCP").replace(b"<GrpSts>ACCP</GrpSts>", b"")
    with pytest.raises(FileUnreadable, match="says nothing"):
        read_report(data, IBAN)
