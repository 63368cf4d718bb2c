"""Our books against the banks': what left by our payouts, what came in for our partners, and what stands there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from app.audit.books import OurBooks, whole
from app.audit.report import Finding, Row
from app.ports.payout import CreditReceipt, CreditStatus
from app.ports.records import BankBooks, BankRecords, BankTransfer

LINES = "Every payout is one transfer at its bank, every credit one top-up, and the bank's balance is the ledger's."

_UNDER_WAY = frozenset({"sending", "submitted"})
_MAY_STAND = _UNDER_WAY | {"settled"}
_NOT_ASKED = frozenset({"pending_approval", "queued"})
_STATEMENT = timedelta(days=2)  # by then a bank that speaks by statements has said what it did


async def check(banks: Mapping[str, BankRecords], books: OurBooks, grace: timedelta) -> list[Finding]:
    """X-5 for every bank that can be asked."""
    if not banks:
        return []
    wrong: list[Row] = []
    pending: list[Row] = []
    for provider, records in banks.items():
        compared = _Comparison(provider, await records.read(), books, grace)
        compared.run()
        wrong += compared.wrong
        pending += compared.pending
    return [Finding("X-5", LINES, tuple(wrong), tuple(pending))]


@dataclass(slots=True)
class _Comparison:
    """One bank's books beside ours. A thing is a payout, by our id, or a credit, by the bank's."""

    provider: str
    theirs: BankBooks
    books: OurBooks
    grace: timedelta
    wrong: list[Row] = field(default_factory=list)
    pending: list[Row] = field(default_factory=list)
    moved: Counter[str] = field(default_factory=Counter)  # by the bank's reference: the sum of its lines
    last_at: dict[str, datetime] = field(default_factory=dict)
    effect: Counter[str] = field(default_factory=Counter)  # by thing: what it did to the account at the bank
    open: set[str] = field(default_factory=set)  # things of which the ledger may know less than the bank, or more

    def run(self) -> None:
        for line in self.theirs.lines:
            if line.about is not None:
                self.moved[line.about] += line.amount.units
                self.last_at[line.about] = max(_aged_from(line.at), self.last_at.get(line.about, _aged_from(line.at)))
        self._transfers()
        self._credits()
        self._balance()

    def _young(self, reference: str) -> bool:
        """Whether the bank's newest word about something of its own is too young for us to know it."""
        at = self.last_at.get(reference)
        return at is not None and self.books.taken_at - at < self.grace

    def _add(self, row: Row, *, thing: str, young: bool) -> None:
        (self.pending if young else self.wrong).append({"bank": self.provider, **row})
        if young:
            self.open.add(thing)

    def _transfers(self) -> None:
        payouts = {str(row["id"]): row for row in self.books.of("bank_payouts", provider=self.provider)}
        made: dict[str, list[BankTransfer]] = defaultdict(list)
        for transfer in self.theirs.transfers:
            made[transfer.payout_id or transfer.reference].append(transfer)
            lines = self.moved.get(transfer.reference, -transfer.amount.units if transfer.stands else 0)
            self.effect[transfer.payout_id or transfer.reference] += lines
        for payout_id, transfers in made.items():
            payout = payouts.get(payout_id)
            if payout is None:
                self._foreign(payout_id, transfers)
                continue
            if len(transfers) > 1:
                row = {"payout": payout_id, "problem": f"{len(transfers)} transfers at the bank"}
                self._add(row, thing=payout_id, young=False)
            for transfer in transfers:
                self._transfer(payout, transfer)
        for payout_id, payout in payouts.items():
            if payout["state"] in _UNDER_WAY:
                self.open.add(payout_id)
            if payout["state"] == "settled" and payout_id not in made:
                row = {"payout": payout_id, "problem": "settled, and the bank has no transfer"}
                self._add(row, thing=payout_id, young=self._awaits_statement(payout))

    def _foreign(self, payout_id: str, transfers: list[BankTransfer]) -> None:
        for transfer in transfers:
            # One that has not moved anything has no date: it may be younger than our snapshot.
            young = self._young(transfer.reference) or not (transfer.stands or transfer.returned)
            row = {"transfer": transfer.reference, "units": transfer.amount.units, "problem": "is no payout of ours"}
            self._add(row, thing=payout_id, young=young)

    def _transfer(self, payout: Row, transfer: BankTransfer) -> None:
        payout_id, state = str(payout["id"]), payout["state"]
        asked = (payout["asset"], payout["units"], payout["method"], payout["last4"])
        done = (transfer.amount.asset.id, transfer.amount.units, transfer.method.value, transfer.account_last4)
        if asked != done:
            row = {"payout": payout_id, "asked": asked, "done": done, "problem": "not as it was asked"}
            self._add(row, thing=payout_id, young=False)
        if transfer.stands and state not in _MAY_STAND:
            young = state in _NOT_ASKED and self._young(transfer.reference)
            self._add({"payout": payout_id, "problem": f"{state} here, paid by the bank"}, thing=payout_id, young=young)
        elif not transfer.stands and (state == "settled" or (transfer.returned and state in _UNDER_WAY)):
            row = {"payout": payout_id, "problem": f"{state} here, not with the receiver by the bank"}
            self._add(row, thing=payout_id, young=self._young(transfer.reference))

    def _awaits_statement(self, payout: Row) -> bool:
        settled_at = payout["settled_at"]
        if payout["method"] != "sepa" or not isinstance(settled_at, datetime):
            return False
        return self.books.taken_at - settled_at < _STATEMENT

    def _credits(self) -> None:
        known = {str(row["reference"]): row for row in self.books.of("top_ups", provider=self.provider)}
        for credit in self.theirs.credits:
            counts = credit.status is CreditStatus.CREDITED
            self.effect[credit.reference] += self.moved.get(credit.reference, credit.amount.units if counts else 0)
            self._credit(credit, known.pop(credit.reference, None))
        for reference, row in known.items():
            if row["status"] != "reversed":
                problem = {"top_up": row["id"], "problem": "the bank has no such credit"}
                self._add(problem, thing=reference, young=False)

    def _credit(self, credit: CreditReceipt, top_up: Row | None) -> None:
        named = {"credit": credit.reference, "units": credit.amount.units}
        counts = credit.status is CreditStatus.CREDITED
        if top_up is None:
            if counts:
                young = self.books.taken_at - _aged_from(credit.at) < self.grace or self._young(credit.reference)
                self._add({**named, "problem": "is no top-up"}, thing=credit.reference, young=young)
            return
        if (top_up["asset"], top_up["units"]) != (credit.amount.asset.id, credit.amount.units):
            row = {**named, "top_up": top_up["id"], "problem": "another amount was booked"}
            self._add(row, thing=credit.reference, young=False)
        if counts != (top_up["status"] != "reversed"):
            # What the bank has taken back we may not have heard of; what it still gives cannot have been taken.
            young = not counts and self._young(credit.reference)
            row = {**named, "top_up": top_up["id"], "problem": f"{top_up['status']} here, {credit.status} at the bank"}
            self._add(row, thing=credit.reference, young=young)

    def _balance(self) -> None:
        booked: Counter[str] = Counter()
        ledger: Counter[str] = Counter({self.theirs.balance.asset.id: 0})
        for row in self.books.of("bank_postings", provider=self.provider):
            ledger[str(row["asset"])] += whole(row["units"])
            booked[str(row["thing"])] += whole(row["units"])
        under_way = sum(self.effect[thing] - booked[thing] for thing in self.open)
        for asset, units in ledger.items():
            here = asset == self.theirs.balance.asset.id
            due = self.theirs.balance.units - under_way if here else 0
            if units != due:
                row = {"asset": asset, "ledger": units, "bank": self.theirs.balance.units if here else 0}
                self.wrong.append({"bank": self.provider, **row, "under_way": under_way if here else 0})


def _aged_from(at: datetime) -> datetime:
    """When something began to be known: a bank that says the day only may have said it at its end."""
    midnight = at.astimezone(UTC).time() == time()
    return at + timedelta(days=1) if midnight else at
