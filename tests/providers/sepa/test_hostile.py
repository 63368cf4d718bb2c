"""Garbage from the bank (F-36): bombs, other messages, wrong encodings, and sizes without end."""

from __future__ import annotations

import time

import pytest

from app.ports.bank_files import FileUnreadable
from providers.sepa.reading import read_report
from providers.sepa.xml import MAX_BYTES, MAX_TAGS
from tests.providers.sepa.samples import IBAN, ISO, STATEMENT, STATUS

BOMB = (
    "<!DOCTYPE lol ["
    + '<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)


def after_declaration(text: str, extra: str) -> bytes:
    return text.replace("?>", f"?>{extra}", 1).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 100,
        b"<html><body>502 Bad Gateway</body></html>",
        b'{"error": "try again"}',
        b"Account;Amount\nDE;12,00",
        STATEMENT[:-20].encode(),
        STATEMENT.encode() + b"<more/>",
        STATEMENT.encode("utf-16"),
        STATEMENT.replace("Sven", "Jörg").encode("latin-1"),
        STATEMENT.replace('"UTF-8"', '"ISO-8859-1"').encode(),
        STATEMENT.replace('"UTF-8"', '"utf-7"').encode(),
        STATEMENT.replace("Sven", "Sv\x00n").encode(),
        STATEMENT.replace("Sven", "&#0;").encode(),
        STATEMENT.replace("Sven", "&unknown;").encode(),
        STATEMENT.encode().replace(b"Sven", b"\xed\xa0\x80"),
        STATEMENT.replace("<Document", "<Dokument").replace("</Document", "</Dokument").encode(),
        STATEMENT.replace(f' xmlns="{ISO}camt.053.001.08"', "").encode(),
        STATEMENT.replace(ISO, "urn:example:").encode(),
        STATEMENT.replace("camt.053.001.08", "camt.053.001.03").encode(),
        STATEMENT.replace("camt.053.001.08", "camt.052.001.08").encode(),
        STATEMENT.replace("camt.053.001.08", "pain.002.001.10").encode(),
        STATUS.replace("pain.002.001.10", "pain.002.001.11").encode(),
        STATUS.replace("pain.002.001.10", "camt.053.001.08").encode(),
    ],
)
def test_fault_f_36_what_is_no_message_of_ours_is_not_read(data: bytes) -> None:
    with pytest.raises(FileUnreadable) as caught:
        read_report(data, IBAN)
    assert IBAN not in str(caught.value)


@pytest.mark.parametrize(
    "extra",
    [
        BOMB,
        "<!DOCTYPE Document>",
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_fault_f_36_no_declaration_of_types_or_entities_is_followed(extra: str) -> None:
    text = STATEMENT.replace("Sven", "&a11;" if extra is BOMB else "Sven")
    started = time.process_time()
    with pytest.raises(FileUnreadable):
        read_report(after_declaration(text, extra), IBAN)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("filling", [b" " * MAX_BYTES, b"<Ntry/>" * (MAX_TAGS + 1)])
def test_fault_f_36_a_file_without_end_is_refused_before_it_is_parsed(filling: bytes) -> None:
    data = STATEMENT.encode().replace(b"<TxsSummry>", filling + b"<TxsSummry>")
    started = time.process_time()
    with pytest.raises(FileUnreadable, match=r"larger|more than"):
        read_report(data, IBAN)
    assert time.process_time() - started < 5


def test_fault_f_36_elements_within_elements_without_end_do_no_harm() -> None:
    deep = b"<a>" * 300_000 + b"</a>" * 300_000
    data = STATEMENT.encode().replace(b"<TxsSummry>", deep + b"<TxsSummry>")
    assert len(read_report(data, IBAN).lines) == 4


def test_five_thousand_lines_are_read_in_bounded_time() -> None:
    entry = (
        '<Ntry><Amt Ccy="EUR">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        "<BookgDt><Dt>2026-11-24</Dt></BookgDt><AcctSvcrRef>B{}</AcctSvcrRef></Ntry>"
    )
    head = STATEMENT[: STATEMENT.index("<TxsSummry>")].replace("925.20", "6000.00")
    text = head + "".join(entry.format(n) for n in range(5000)) + "</Stmt></BkToCstmrStmt></Document>"
    started = time.process_time()
    assert len(read_report(text.encode(), IBAN).credits) == 5000
    assert time.process_time() - started < 30  # about half a second here
