"""The sums of a camt.053 statement: its balances and totals must agree with its lines, or nothing of it is believed."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.assets import EUR
from app.domain.money import Money
from providers.sepa.xml import Part

_CREDIT, _DEBIT = "CRDT", "DBIT"


def signed(part: Part, amount: Money) -> Money:
    """An amount with the sign of the CdtDbtInd in `part`: positive for credit."""
    return amount if part.one("CdtDbtInd").word((_CREDIT, _DEBIT)) == _CREDIT else -amount


def opening_and_closing(statement: Part) -> tuple[Money, Money]:
    """The booked balances: the opening one (OPBD, or PRCD where a bank says the previous closing), and CLBD."""
    found: dict[str, Money] = {}
    for balance in statement.all("Bal"):
        kind = balance.maybe("Tp/CdOrPrtry/Cd")
        if kind is None:
            continue
        name = kind.text(4)
        if name in ("OPBD", "PRCD", "CLBD"):
            if name in found:
                raise balance.bad("a balance that is there twice")
            found[name] = signed(balance, balance.one("Amt").euros(positive=False))
    opening = found.get("OPBD", found.get("PRCD"))
    if opening is None:
        raise statement.bad("no opening balance")
    if "CLBD" not in found:
        raise statement.bad("no closing balance")
    return opening, found["CLBD"]


def check_balances(statement: Part, opening: Money, booked: Sequence[Money], closing: Money) -> None:
    """What moved leads from one balance to the other."""
    if opening.units + sum(amount.units for amount in booked) != closing.units:
        raise statement.bad("the lines do not lead from the opening balance to the closing one")


def check_counts(statement: Part, entries: Sequence[Part]) -> None:
    """The totals that a bank may add: how many entries, and the sum of their amounts without signs."""
    summary = statement.maybe("TxsSummry")
    if summary is None:
        return
    amounts = [signed(entry, entry.one("Amt").euros()).units for entry in entries]
    credits, debits = [units for units in amounts if units > 0], [-units for units in amounts if units < 0]
    for name, expected in (("TtlNtries", credits + debits), ("TtlCdtNtries", credits), ("TtlDbtNtries", debits)):
        total = summary.maybe(name)
        if total is not None:
            count, control = total.maybe("NbOfNtries"), total.maybe("Sum")
            if count is not None and count.count() != len(expected):
                raise count.bad("not as many entries as there are")
            if control is not None and control.sum() != Money(sum(expected), EUR):
                raise control.bad("not the sum of the entries")
