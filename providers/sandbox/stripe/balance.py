"""The account's money at the far side: balance transactions, and the sums that they make."""

from __future__ import annotations

import time

from providers.sandbox.stripe.books import Books, Caller
from providers.sandbox.stripe.errors import Document
from providers.sandbox.stripe.objects import balance_transaction

# Per currency: basis points of the amount and a fixed part, in smallest units. Like Stripe's standard prices.
CARD_FEES = {"eur": (150, 25), "gbp": (150, 20), "usd": (290, 30), "jpy": (360, 0)}
# Basis points, a fixed part, and the most.
DEBIT_FEES = {"us_bank_account": (80, 0, 500), "sepa_debit": (0, 35, 35), "customer_balance": (50, 0, 500)}
DISPUTE_FEES = {"eur": 2000, "gbp": 2000, "usd": 1500, "jpy": 1300}


def card_fee(amount: int, currency: str) -> int:
    """Stripe's fee for a card payment, in smallest units, halves rounded up."""
    points, fixed = CARD_FEES.get(currency, (290, 30))
    return (amount * points + 5_000) // 10_000 + fixed


class Balance:
    """Writes one line for every movement of money."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def charge(self, caller: Caller, paid: Document, amount: int) -> Document:
        """A captured card payment."""
        return self._line(caller, paid, "charge", amount, card_fee(amount, paid["currency"]), "charge")

    def debit(self, caller: Caller, paid: Document, kind: str) -> Document:
        """A payment from a bank account, counted when it sets out."""
        percent, fixed, most = DEBIT_FEES[kind]
        fee = min((paid["amount"] * percent + 5_000) // 10_000 + fixed, most)
        return self._line(caller, paid, "payment", paid["amount"], fee, "charge")

    def debit_failed(self, caller: Caller, paid: Document) -> Document:
        """Such a payment that its bank has returned; its fee comes back as well."""
        made = self._books.get(caller.account, paid["balance_transaction"], "balance_transaction")
        return self._line(caller, paid, "payment_failure_refund", -made["amount"], -made["fee"], "charge_failure")

    def other(self, caller: Caller, source: Document, kind: str, amount: int, fee: int, category: str) -> Document:
        """Any other line: a payout, a fee, a reserve."""
        return self._line(caller, source, kind, amount, fee, category)

    def refund(self, caller: Caller, refund: Document) -> Document:
        """Money sent back to the card; the fee of the charge stays spent."""
        kind = "refund" if refund["charge"].startswith("ch_") else "payment_refund"
        return self._line(caller, refund, kind, -refund["amount"], 0, "refund")

    def refund_failure(self, caller: Caller, refund: Document) -> Document:
        """Refunded money that came back because the card could not take it."""
        return self._line(caller, refund, "refund_failure", refund["amount"], 0, "refund_failure")

    def dispute(self, caller: Caller, dispute: Document) -> Document:
        """Disputed money taken from us, with the dispute fee."""
        fee = DISPUTE_FEES.get(dispute["currency"], 1500)
        return self._line(caller, dispute, "adjustment", -dispute["amount"], fee, "dispute")

    def dispute_reversal(self, caller: Caller, dispute: Document) -> Document:
        """Disputed money given back to us; the fee stays spent."""
        return self._line(caller, dispute, "adjustment", dispute["amount"], 0, "dispute_reversal")

    def now(self, account: str) -> Document:
        """The balance object."""
        sums: dict[bool, list[Document]] = {True: [], False: []}
        for currency, ready, net in self._books.totals(account, int(time.time())):
            sums[ready].append({"amount": net, "currency": currency, "source_types": {"card": net}})
        return {"object": "balance", "available": sums[True], "livemode": False, "pending": sums[False]}

    def _line(self, caller: Caller, source: Document, kind: str, amount: int, fee: int, category: str) -> Document:
        line = balance_transaction(source, kind, amount, fee, category)
        self._books.add(caller.account, line)
        return line
