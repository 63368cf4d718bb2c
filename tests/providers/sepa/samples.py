"""Files as banks write them, small and whole, and ways to spoil one place of them."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import fromstring

from app.domain.assets import EUR
from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.ports.payout import BankDetails, PayoutRequest
from providers.sepa.writing import SepaAccount

IBAN = "DE91100000000123456789"
THEIR_IBAN = "NL91ABNA0417164300"
ACCOUNT = SepaAccount("Rampwright Test GmbH", IBAN)
CREATED = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
DAY = date(2026, 11, 23)
FILE = "pf_01JD0000000000000000000000"
ISO = "urn:iso:std:iso:20022:tech:xsd:"


def payout_id(number: int) -> str:
    """An id as ours are."""
    return f"po_01JD{number:022d}"


def wire_id(number: int) -> str:
    """How it is written in a file."""
    return payout_id(number).replace("_", "-")


def euros(cents: int) -> Money:
    """Cents as Money."""
    return Money(cents, EUR)


def request(
    number: int = 1, cents: int = 12_345, *, iban: str = THEIR_IBAN, name: str = "Zoe Muller", reference: str = "No 7"
) -> PayoutRequest:
    """A payout to somebody."""
    account = BankDetails(holder_name=name, iban=iban)
    return PayoutRequest(payout_id(number), PayoutMethod.SEPA, euros(cents), account, reference)


STATUS = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{ISO}pain.002.001.10"><CstmrPmtStsRpt>
  <GrpHdr><MsgId>BANK1</MsgId><CreDtTm>2026-11-22T04:00:00+01:00</CreDtTm></GrpHdr>
  <OrgnlGrpInfAndSts>
    <OrgnlMsgId>{FILE.replace("_", "-")}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
    <OrgnlNbOfTxs>3</OrgnlNbOfTxs><GrpSts>PART</GrpSts>
    <NbOfTxsPerSts><DtldNbOfTxs>1</DtldNbOfTxs><DtldSts>RJCT</DtldSts></NbOfTxsPerSts>
  </OrgnlGrpInfAndSts>
  <OrgnlPmtInfAndSts>
    <OrgnlPmtInfId>{FILE.replace("_", "-")}</OrgnlPmtInfId>
    <TxInfAndSts>
      <OrgnlEndToEndId>{wire_id(1)}</OrgnlEndToEndId><TxSts>RJCT</TxSts>
      <StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>
      <OrgnlTxRef><Amt><InstdAmt Ccy="EUR">123.45</InstdAmt></Amt></OrgnlTxRef>
    </TxInfAndSts>
    <TxInfAndSts><OrgnlEndToEndId>{wire_id(2)}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>
  </OrgnlPmtInfAndSts>
</CstmrPmtStsRpt></Document>"""


def _entries(line: str, paid: int, returned: int) -> str:
    return f"""    <Ntry>
      <Amt Ccy="EUR">100.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
      <BookgDt><Dt>2026-11-24</Dt></BookgDt><AcctSvcrRef>{line}1</AcctSvcrRef>
      <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
      <NtryDtls><TxDtls>
        <Refs><EndToEndId>{wire_id(paid)}</EndToEndId></Refs>
        <Amt Ccy="EUR">100.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>
        <RltdPties><Cdtr><Pty><Nm>Zoe</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>{THEIR_IBAN}</IBAN></Id></CdtrAcct></RltdPties>
      </TxDtls></NtryDtls>
    </Ntry>
    <Ntry>
      <Amt Ccy="EUR">20.5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
      <BookgDt><DtTm>2026-11-24T10:00:00+01:00</DtTm></BookgDt><AcctSvcrRef>{line}2</AcctSvcrRef>
      <NtryDtls><TxDtls>
        <Refs><EndToEndId>{wire_id(returned)}</EndToEndId></Refs>
        <RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>
      </TxDtls></NtryDtls>
    </Ntry>
    <Ntry>
      <Amt Ccy="EUR">5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
      <BookgDt><Dt>2026-11-25</Dt></BookgDt><AcctSvcrRef>{line}3</AcctSvcrRef>
      <NtryDtls><TxDtls>
        <Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
        <RltdPties>
          <Dbtr><Pty><Nm>Sven Sender</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>{THEIR_IBAN}</IBAN></Id></DbtrAcct>
        </RltdPties>
        <RmtInf><Ustrd>RAMP 42</Ustrd><Ustrd>thanks</Ustrd></RmtInf>
      </TxDtls></NtryDtls>
    </Ntry>
    <Ntry>
      <Amt Ccy="EUR">0.30</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
      <BookgDt><Dt>2026-11-25</Dt></BookgDt><AcctSvcrRef>{line}4</AcctSvcrRef>
      <AddtlNtryInf>Account fee</AddtlNtryInf>
    </Ntry>
"""


def statement(
    number: int = 1, *, opening: str = "1000", closing: str = "925.20", paid: int = 1, returned: int = 2
) -> str:
    """A payout (100.00), another one's return (20.50), money that came in (5.00), and the bank's fee (0.30)."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{ISO}camt.053.001.08"><BkToCstmrStmt>
  <GrpHdr><MsgId>STMT{number}</MsgId><CreDtTm>2026-11-{24 + number}T18:00:00Z</CreDtTm></GrpHdr>
  <Stmt>
    <Id>1</Id>
    <Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>
    <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{opening}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
    <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
    <Bal><Tp><CdOrPrtry><Cd>CLAV</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
    <TxsSummry>
      <TtlNtries><NbOfNtries>4</NbOfNtries><Sum>125.80</Sum></TtlNtries>
      <TtlCdtNtries><NbOfNtries>2</NbOfNtries><Sum>25.50</Sum></TtlCdtNtries>
      <TtlDbtNtries><NbOfNtries>2</NbOfNtries><Sum>100.30</Sum></TtlDbtNtries>
    </TxsSummry>
{_entries("ABC"[number - 1], paid, returned)}  </Stmt>
</BkToCstmrStmt></Document>"""


STATEMENT = statement()


def older(text: str) -> str:
    """The same statement as camt.053.001.02 says it: no `Pty`, a plain status, amounts among the details."""
    text = text.replace("camt.053.001.08", "camt.053.001.02").replace("pain.002.001.10", "pain.002.001.03")
    text = text.replace("<Pty>", "").replace("</Pty>", "").replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>")
    return re.sub(
        r"(</Refs>\s*)(<Amt .*?</Amt>)<CdtDbtInd>....</CdtDbtInd>", r"\1<AmtDtls><TxAmt>\2</TxAmt></AmtDtls>", text
    )


def edited(text: str, path: str, edit: Callable[[Element, Element], None]) -> bytes:
    """The file after `edit(parent, element)` at the first element with this path of names."""
    root: Element = fromstring(text.encode())
    above, _, name = path.rpartition("/")
    parent = root.find("/".join(f"{{*}}{step}" for step in above.split("/"))) if above else root
    assert parent is not None, path
    element = parent.find(f"{{*}}{name}")
    assert element is not None, path
    edit(parent, element)
    return bytes(tostring(root, encoding="utf-8"))


def without(text: str, path: str) -> bytes:
    """The file without this element."""
    return edited(text, path, lambda parent, element: parent.remove(element))


def twice(text: str, path: str) -> bytes:
    """The file with this element doubled."""

    def double(parent: Element, element: Element) -> None:
        parent.insert(list(parent).index(element), copy.deepcopy(element))

    return edited(text, path, double)


def saying(text: str, path: str, value: str) -> bytes:
    """The file with another text in this element."""

    def say(_: Element, element: Element) -> None:
        element.text = value

    return edited(text, path, say)


def holding_a_child(text: str, path: str) -> bytes:
    """The file with an element inside this one, which should only hold text."""

    def hide(_: Element, element: Element) -> None:
        SubElement(element, "Surprise")

    return edited(text, path, hide)
