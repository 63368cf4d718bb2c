"""Our books against the providers': what was charged, every line of our balance there, and what was refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from app.audit.books import OurBooks, whole
from app.audit.report import Finding, Row
from app.ports.records import LineKind, PayinBooks, PayinLine, PayinRecords

CHARGES = "Each order was charged once at most at its provider, and the ledger has just that coming in."
LINES = "Every line of a provider's balance is one entry of the ledger, and the account there is their sum."
REFUSED = "A request that was refused for good has no effect at its provider."

_FEE = "fee"
# Which line of a provider's balance each kind of entry answers to.
_LINE_OF: Mapping[str, str] = {
    "pay_in": LineKind.CHARGE,
    "provider_fee": _FEE,
    "refund": LineKind.REFUND,
    "refund_reversed": LineKind.REFUND_FAILED,
    "dispute": LineKind.DISPUTE,
    "dispute_won": LineKind.DISPUTE_REVERSED,
    "refund_by_hand": LineKind.REFUND,
    "refund_by_hand_reversed": LineKind.REFUND_FAILED,
    "stray_in": LineKind.CHARGE,
    "stray_back": LineKind.REFUND,
    "processor_payout": LineKind.PAYOUT,
    "processor_payout_failed": LineKind.PAYOUT_FAILED,
    "processor_top_up": LineKind.TOP_UP,
    "processor_reserve": LineKind.RESERVE,
    "processor_other": LineKind.OTHER,
}

# (payment reference, asset, kind of line, signed units)
_Item = tuple[str | None, str, str, int]


async def check(payins: Mapping[str, PayinRecords], books: OurBooks, grace: timedelta) -> list[Finding]:
    """X-1, X-4 and X-7 for every provider that can be asked."""
    if not payins:
        return []
    charges, lines = _Pile(), _Pile()
    refused: list[Row] = []
    for provider, records in payins.items():
        theirs = await records.read()
        _charges(provider, theirs, books, grace, charges)
        _lines(provider, theirs, books, grace, lines)
        refused += _refused(provider, theirs, books)
    return [
        Finding("X-1", CHARGES, tuple(charges.wrong), tuple(charges.pending)),
        Finding("X-4", LINES, tuple(lines.wrong), tuple(lines.pending)),
        Finding("X-7", REFUSED, tuple(refused)),
    ]


class _Pile:
    """Differences, sorted into wrong and not yet wrong."""

    def __init__(self) -> None:
        self.wrong: list[Row] = []
        self.pending: list[Row] = []

    def add(self, row: Row, *, young: bool) -> None:
        (self.pending if young else self.wrong).append(row)


def _charges(provider: str, theirs: PayinBooks, books: OurBooks, grace: timedelta, pile: _Pile) -> None:
    # A second payment that a provider has opened is nobody's order; what it took is accounted for line by line.
    strays = {str(row["reference"]) for row in books.of("strays", provider=provider)}
    order_of = {payment.reference: payment.order_id for payment in theirs.payments if payment.reference not in strays}
    charged: dict[str, list[tuple[str, int, datetime]]] = defaultdict(list)
    for charge in theirs.charges:
        order_id = order_of.get(charge.payment_reference or "")
        if order_id is not None:
            charged[order_id].append((charge.amount.asset.id, charge.amount.units, charge.at))
    booked: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    for row in books.of("pay_ins", provider=provider):
        booked[str(row["order_id"])][str(row["asset"]), whole(row["units"])] += 1
    for order_id in charged.keys() | booked.keys():
        made = charged[order_id]
        if len(made) > 1:
            pile.add({"order": order_id, "problem": f"charged {len(made)} times"}, young=False)
        known = booked[order_id]
        for asset, units, at in made:
            if known[asset, units]:
                known[asset, units] -= 1
            else:
                row = {"order": order_id, "units": units, "asset": asset, "problem": "charged, not booked"}
                pile.add(row, young=books.taken_at - at < grace)
        for (asset, units), times in known.items():
            if times:
                row = {"order": order_id, "units": units, "asset": asset, "problem": "booked, not charged"}
                pile.add(row, young=False)


def _lines(provider: str, theirs: PayinBooks, books: OurBooks, grace: timedelta, pile: _Pile) -> None:
    ours: Counter[_Item] = Counter()
    difference: Counter[str] = Counter()  # by asset: the ledger's balance less the provider's
    for row in books.of("provider_postings", provider=provider):
        payment, asset, units = row["payment"], str(row["asset"]), whole(row["units"])
        kind = _LINE_OF.get(str(row["kind"]), str(row["kind"]))
        ours[None if payment is None else str(payment), asset, kind, units] += 1
        difference[asset] += units
    for line in theirs.lines:
        young = books.taken_at - line.at < grace
        for item in _items(line):
            known = ours[item] > 0
            ours[item] -= known
            if not known:
                pile.add({"line": line.reference, **_named(item), "problem": "not in the ledger"}, young=young)
            if known or not young:
                difference[line.amount.asset.id] -= item[-1]
    for item, times in ours.items():
        if times:
            pile.add({**_named(item), "problem": "not at the provider"}, young=False)
    for asset, units in difference.items():
        if units:
            pile.add({"account": f"psp:{provider}", "asset": asset, "ledger_less_provider": units}, young=False)


def _items(line: PayinLine) -> list[_Item]:
    """What a line moves, and what the provider keeps of it: two entries of ours, or one."""
    payment, asset = line.payment_reference, line.amount.asset.id
    items: list[_Item] = [(payment, asset, line.kind.value, line.amount.units), (payment, asset, _FEE, -line.fee)]
    return [item for item in items if item[-1]]


def _named(item: _Item) -> dict[str, object]:
    payment, asset, kind, units = item
    return {"payment": payment, "asset": asset, "kind": kind, "units": units}


def _refused(provider: str, theirs: PayinBooks, books: OurBooks) -> list[Row]:
    declined = books.of("operations", provider=provider, state="declined")
    # A capture that was refused may have been asked for anew, under another key, and that one done.
    done = {(row["payment_id"], row["kind"]) for row in books.of("operations", provider=provider, state="succeeded")}
    references = {row["id"]: row["reference"] for row in books.of("payments", provider=provider)}
    charged = {charge.payment_reference for charge in theirs.charges}
    opened = {payment.payment_id for payment in theirs.payments if not payment.canceled}
    refunded = {refund.refund_id for refund in theirs.refunds if refund.stands}
    found: list[Row] = []
    for row in declined:
        effect = {
            "start": row["payment_id"] in opened,
            "capture": references.get(row["payment_id"]) in charged and (row["payment_id"], "capture") not in done,
            "refund": row["id"] in refunded,
        }
        if effect.get(str(row["kind"])):
            found.append({"operation": row["id"], "kind": row["kind"], "problem": "declined, and yet it happened"})
    return found
