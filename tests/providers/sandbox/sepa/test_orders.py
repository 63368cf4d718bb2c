"""What the sandbox's bank asks of a payment order, and the folder that it serves from its start."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from providers.sandbox.main import SandboxSettings, build_app
from providers.sandbox.sepa.orders import Malformed, iban_holds, read_order
from providers.sepa.format import SepaFiles
from tests.providers.sepa.samples import ACCOUNT, CREATED, DAY, FILE, request, wire_id

WRITTEN = SepaFiles(ACCOUNT).write(FILE, CREATED, DAY, [request(1), request(2)]).decode()


def test_an_order_is_read() -> None:
    order = read_order(WRITTEN.encode())
    assert (order.message_id, order.version) == (FILE.replace("_", "-"), "pain.001.001.09")
    assert order.debtor_ibans == {ACCOUNT.iban}
    assert [(transfer.end_to_end_id, transfer.amount) for transfer in order.transfers] == [
        (wire_id(1), 12_345),
        (wire_id(2), 12_345),
    ]


@pytest.mark.parametrize(
    ("place", "instead"),
    [
        ("<Document", "<!DOCTYPE Document><Document"),
        ("pain.001.001.09", "pain.001.001.10"),
        ("pain.001.001.09", "pain.008.001.08"),
        ("<MsgId>", "<MsgId>/"),
        ("<NbOfTxs>2<", "<NbOfTxs>3<"),
        ("<CtrlSum>246.90<", "<CtrlSum>246.9.0<"),
        ("<CreDtTm>2026", "<CreDtTm>26"),
        ("<PmtMtd>TRF<", "<PmtMtd>CHK<"),
        ("<Cd>SEPA<", "<Cd>URGP<"),
        ("<ChrgBr>SLEV<", "<ChrgBr>SHAR<"),
        ("<Dt>2026-11-23<", "<Dt>2026-11-33<"),
        (">123.45<", ">123.455<"),
        (">123.45<", ">-123.45<"),
        (">123.45<", ">0.00<"),
        ("Zoe Muller", "Zoë Müller"),
        ("Zoe Muller", "Z" * 71),
        ("<Ustrd>No 7", "<Ustrd>No_7"),
        ("<EndToEndId>po-", "<EndToEndId>po_"),
        ("<IBAN>NL91", "<IBAN>nl91"),
        ("<FinInstnId>", "<FinInstnId/><FinInstnId>"),
    ],
)
def test_a_file_that_breaks_the_rules_is_refused_whole(place: str, instead: str) -> None:
    assert place in WRITTEN
    with pytest.raises(Malformed):
        read_order(WRITTEN.replace(place, instead).encode())


def test_check_digits() -> None:
    assert iban_holds("NL91ABNA0417164300")
    assert not iban_holds("NL91ABNA0417164301")
    assert not iban_holds("NL19ABNA0417164300")


async def test_a_folder_of_the_settings_is_served_from_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    app = build_app(tmp_path / "home", SandboxSettings(with_bitcoin=False, sepa_folder=folder))
    async with app.router.lifespan_context(app):
        for _ in range(100):
            if (folder / "inbox").is_dir() and list((folder / "inbox").glob("*.xml")):
                break
            await asyncio.sleep(0.02)
    (statement,) = (folder / "inbox").glob("*.xml")
    assert b"<Cd>CLBD</Cd>" in statement.read_bytes()
