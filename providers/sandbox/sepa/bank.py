"""The bank's decisions for one account: what it accepts, refuses and books, and what it then says about it.

An IBAN of MAGIC lets a payment fail; every other IBAN with right check digits is paid.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from providers.sandbox.sepa import answers
from providers.sandbox.sepa.books import Books
from providers.sandbox.sepa.orders import Malformed, Order, Transfer, iban_holds, read_order
from providers.sandbox.sepa.rows import Entry, Payment

# Accounts that the sandbox refuses at once, with this reason.
MAGIC: dict[str, str] = {
    "DE09000000000000000001": "AC01",  # no such account
    "DE25000000000000000004": "AC04",  # closed
    "DE68000000000000000006": "AC06",  # blocked
    "DE78000000000000000020": "MS03",  # no reason given
}
# A payment to this one is booked, and comes back AC04 in the next statement.
RETURNING = "DE54000000000000000064"
SENDER = "NL91ABNA0417164300"  # who sends inbound transfers unless told otherwise
STATEMENT_ENTRIES = 5000  # at most, in one statement


class NoSuchPayment(Exception):
    """There is no booked payment of this id that could come back."""


class Bank:
    """One account. Everything is a change of the books, inside the caller's transaction; files leave through them."""

    def __init__(self, books: Books) -> None:
        """The account must be open."""
        self._books = books

    def take(self, data: bytes) -> None:
        """Judge one payment order file, and answer it."""
        try:
            order = read_order(data)
        except Malformed as error:
            self._report(error.message_id, "pain.001.001.09", status="RJCT", reason="FF01", payments=[])
            return
        if not self._books.first_sight("orders", order.message_id):
            self._report(order.message_id, order.version, status="RJCT", reason="AM05", payments=[])
            return
        if order.debtor_ibans != {self._books.iban}:
            self._report(order.message_id, order.version, status="RJCT", reason="AC02", payments=[])
            return
        rejected = self._judge(order)
        status = "ACCP" if not rejected else "RJCT" if len(rejected) == len(order.transfers) else "PART"
        self._report(order.message_id, order.version, status=status, reason=None, payments=rejected)

    def book(self, before: float) -> None:
        """Book every payment accepted before this moment, say so, and let some come straight back."""
        done: dict[str, list[Payment]] = defaultdict(list)
        for payment in self._books.payments("state = 'accepted' AND accepted_at <= ?", before):
            self._books.move(payment, "booked")
            self._books.add_entry(
                -payment.amount, payment.end_to_end_id, payment.name, payment.iban, payment.message, None
            )
            done[payment.message_id].append(replace(payment, state="booked"))
        for order, payments in done.items():
            self._report(order, "pain.001.001.09", status=None, reason=None, payments=payments)
        for payments in done.values():
            for payment in payments:
                if payment.iban == RETURNING:
                    self.give_back(payment.end_to_end_id, "AC04")

    def state(self) -> None:
        """Write statements until every booked entry is on one."""
        while entries := self._books.unstated(STATEMENT_ENTRIES):
            self._statement(entries)

    def first_statement(self) -> None:
        """Tell of the balance that a new account begins with."""
        self._statement([])

    def credit(self, amount: int, iban: str, sender: str, message: str) -> None:
        """Somebody sends money to the account."""
        self._books.add_entry(amount, "NOTPROVIDED", sender, iban, message, None)

    def give_back(self, end_to_end_id: str, reason: str) -> None:
        """A payment that was booked comes back; raises NoSuchPayment."""
        payment = self._books.standing(end_to_end_id)
        if payment is None or payment.state != "booked":
            raise NoSuchPayment
        self._books.move(payment, "returned")
        self._books.add_entry(payment.amount, end_to_end_id, payment.name, payment.iban, payment.message, reason)

    def _statement(self, entries: list[Entry]) -> None:
        opening = self._books.balance(stated_only=True)
        number = self._books.next_statement(entries)
        self._books.add_file("camt.053", answers.statement(self._books.iban, number, opening, entries))

    def _judge(self, order: Order) -> list[Payment]:
        """Keep every payment as accepted or rejected; the rejected ones."""
        available, rejected = self._books.available(), []
        for transfer in order.transfers:
            reason = self._refusal(transfer, available)
            payment = Payment(
                id=0,
                message_id=order.message_id,
                information_id=transfer.information_id,
                end_to_end_id=transfer.end_to_end_id,
                amount=transfer.amount or 0,
                iban=transfer.iban,
                name=transfer.name,
                message=transfer.message,
                state="accepted" if reason is None else "rejected",
                reason=reason,
            )
            self._books.add_payment(payment)
            if reason is None:
                available -= payment.amount
            else:
                rejected.append(payment)
        return rejected

    def _refusal(self, transfer: Transfer, available: int) -> str | None:
        if self._books.standing(transfer.end_to_end_id) is not None:
            return "AM05"
        if transfer.amount is None:
            return "AM03"
        if not iban_holds(transfer.iban):
            return "AC01"
        if transfer.iban in MAGIC:
            return MAGIC[transfer.iban]
        return "AM04" if transfer.amount > available else None

    def _report(
        self, order: str, version: str, *, status: str | None, reason: str | None, payments: list[Payment]
    ) -> None:
        number = f"STS{self._books.next_file():010d}"
        body = answers.report(number, order, version, status=status, reason=reason, payments=payments)
        self._books.add_file("pain.002", body)
