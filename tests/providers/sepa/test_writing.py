"""Payment orders: valid by the schema, exact, and always the same bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from xml.etree.ElementTree import Element

import pytest
import sepaxml
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.assets import USD
from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.ports.payout import BankDetails, PayoutRequest
from providers.sepa.format import SepaFiles
from providers.sepa.schema import check
from providers.sepa.spelling import MAX_UNITS
from providers.sepa.writing import VERSION, SepaAccount
from tests.providers.sepa.samples import ACCOUNT, CREATED, DAY, FILE, IBAN, THEIR_IBAN, euros, payout_id, request

FILES = SepaFiles(ACCOUNT)


def written(*payouts: PayoutRequest) -> Element:
    root: Element = fromstring(FILES.write(FILE, CREATED, DAY, payouts))
    return root


def texts(root: Element, name: str) -> list[str | None]:
    return [element.text for element in root.iter(f"{{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}}{name}")]


def test_a_file_says_what_is_to_be_paid() -> None:
    root = written(request(1, 12_345), request(2, 1, reference=""))
    assert texts(root, "MsgId") == texts(root, "PmtInfId") == ["pf-01JD0000000000000000000000"]
    assert texts(root, "CreDtTm") == ["2026-11-22T03:04:05Z"]
    assert texts(root, "Dt") == ["2026-11-23"]
    assert texts(root, "NbOfTxs") == ["2", "2"]
    assert texts(root, "CtrlSum") == ["123.46", "123.46"]
    assert texts(root, "BtchBookg") == ["false"]
    assert texts(root, "EndToEndId") == ["po-01JD0000000000000000000001", "po-01JD0000000000000000000002"]
    assert texts(root, "InstdAmt") == ["123.45", "0.01"]
    assert texts(root, "IBAN") == [IBAN, THEIR_IBAN, THEIR_IBAN]
    assert texts(root, "Ustrd") == ["No 7"]
    assert texts(root, "Nm") == ["Rampwright Test GmbH", "Rampwright Test GmbH", "Zoe Muller", "Zoe Muller"]
    assert [element.text for element in root.findall(".//{*}DbtrAgt//{*}Id")] == ["NOTPROVIDED"]


def test_the_same_arguments_give_the_same_bytes() -> None:
    payouts = [request(number, 100 + number) for number in range(3)]
    first = FILES.write(FILE, CREATED, DAY, payouts)
    time.sleep(1.1)  # a clock that was looked at would show
    assert FILES.write(FILE, CREATED, DAY, payouts) == first
    there = CREATED.astimezone(timezone(timedelta(hours=9)))
    assert FILES.write(FILE, there, DAY, payouts) == first
    assert FILES.write("pf_2", CREATED, DAY, payouts) != first


def test_a_bank_that_is_known_by_its_bic_is_named() -> None:
    files = SepaFiles(SepaAccount("Us", IBAN, "MARKDEFFXXX"))
    root = fromstring(files.write(FILE, CREATED, DAY, [request()]))
    assert texts(root, "BICFI") == ["MARKDEFFXXX"]
    assert "NOTPROVIDED" not in [element.text for element in root.iter()]


def broken(change: Callable[[Element], None]) -> Element:
    root = written(request())
    change(root)
    return root


def clear(name: str, text: str) -> Callable[[Element], None]:
    def change(root: Element) -> None:
        element = root.find(f".//{{*}}{name}")
        assert element is not None
        element.text = text

    return change


def test_what_we_write_passes_the_check() -> None:
    check(written(request()), VERSION)


@pytest.mark.parametrize(
    "change",
    [
        clear("MsgId", ""),
        clear("CreDtTm", "yesterday"),
        clear("InstdAmt", "1.234567"),
        clear("ChrgBr", "OURS"),
        clear("EndToEndId", "x" * 36),
        clear("CtrlSum", "NaN"),
        lambda root: root[0].remove(root[0][0]),
        lambda root: root[0].append(Element("Surprise")),
    ],
)
def test_the_schema_check_can_fail(change: Callable[[Element], None]) -> None:
    root = broken(change)
    with pytest.raises(ValueError, match="breaks the schema") as caught:
        check(root, VERSION)
    assert IBAN not in str(caught.value)
    assert "yesterday" not in str(caught.value)


def test_a_file_that_breaks_the_schema_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    export = sepaxml.SepaTransfer.export

    def faulty(order: sepaxml.SepaTransfer, validate: bool) -> bytes:
        return bytes(export(order, validate)).replace(b"SLEV", b"OURS")

    monkeypatch.setattr(sepaxml.SepaTransfer, "export", faulty)
    with pytest.raises(ValueError, match="breaks the schema"):
        FILES.write(FILE, CREATED, DAY, [request()])


PAYOUT = request()


@pytest.mark.parametrize(
    "payout",
    [
        replace(PAYOUT, amount=euros(0)),
        replace(PAYOUT, amount=euros(MAX_UNITS + 1)),
        replace(PAYOUT, amount=Money(1, USD)),
        replace(PAYOUT, reference="für März"),
        replace(PAYOUT, reference="x" * 141),
        replace(PAYOUT, payout_id="po-1"),
        replace(PAYOUT, method=PayoutMethod.ACH),
        replace(PAYOUT, account=BankDetails("Анна", THEIR_IBAN)),
        replace(PAYOUT, account=BankDetails("Anna", "NL91ABNA0417164301")),
        replace(PAYOUT, account=BankDetails("Anna", "NL91 ABNA 0417 1643 00")),
        replace(PAYOUT, account=BankDetails("Anna", "nl91abna0417164300")),
        replace(PAYOUT, account=BankDetails("Anna", "SA0380000000608010167519")),  # right, but outside SEPA
        replace(PAYOUT, account=BankDetails("Anna")),
    ],
)
def test_what_cannot_be_said_is_refused_and_not_quoted(payout: PayoutRequest) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        FILES.write(FILE, CREATED, DAY, [request(9), payout])
    for secret in (payout.account.iban, payout.account.holder_name, payout.reference):
        assert not secret or secret not in str(caught.value)


def test_a_file_is_of_somebody_once_at_a_known_moment() -> None:
    for message, created, payouts in (
        (FILE, CREATED, []),
        (FILE, CREATED, [request(1), request(1, 5)]),
        (FILE, datetime(2026, 1, 1), [request()]),  # noqa: DTZ001
        ("a-b", CREATED, [request()]),
    ):
        with pytest.raises(ValueError, match=r"."):
            FILES.write(message, created, DAY, payouts)


@pytest.mark.parametrize(("name", "iban", "bic"), [("", IBAN, ""), ("Us", "DE0", ""), ("Us", IBAN, "NOBIC")])
def test_our_own_account_is_checked(name: str, iban: str, bic: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        SepaAccount(name, iban, bic)


def test_no_iban_shows_when_an_account_is_printed() -> None:
    assert IBAN not in repr(ACCOUNT)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, MAX_UNITS), min_size=1, max_size=5))
def test_amounts_are_exact(amounts: list[int]) -> None:
    root = written(*(request(number, cents) for number, cents in enumerate(amounts)))
    shown = [str(text).replace(".", "") for text in texts(root, "InstdAmt")]
    assert [int(text) for text in shown] == amounts
    assert [str(text).replace(".", "").lstrip("0") for text in texts(root, "CtrlSum")] == [str(sum(amounts))] * 2


def test_five_thousand_payouts_fit_in_one_file() -> None:
    payouts = [request(number, 100 + number) for number in range(5000)]
    started = time.process_time()
    data = FILES.write(FILE, CREATED, DAY, payouts)
    assert time.process_time() - started < 60  # about 4 seconds here; a quadratic walk takes minutes
    assert data.count(b"<CdtTrfTxInf>") == 5000
    assert payout_id(4999).replace("_", "-").encode() in data
