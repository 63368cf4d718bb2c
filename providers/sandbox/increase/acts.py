"""What happens at Increase without our asking: the Federal Reserve and other banks act, and others send us money."""

from __future__ import annotations

from collections.abc import Callable

from providers.sandbox.increase.books import Books, visible
from providers.sandbox.increase.errors import Document, Refusal, carry_out, no_such
from providers.sandbox.increase.inbound import Inbound
from providers.sandbox.increase.transfers import Transfers
from providers.sandbox.store import Store

_KINDS = ("ach_transfer", "real_time_payments_transfer", "wire_transfer")


class Acts:
    """Each act names only the object; the owner is the one in whose books it stands. Refusals are raised."""

    def __init__(self, store: Store, books: Books, transfers: Transfers, inbound: Inbound) -> None:
        self._store = store
        self._books = books
        self._transfers = transfers
        self._inbound = inbound

    def settle(self, reference: str) -> Document:
        """Take every step up to settlement now."""
        return self._moved(reference, self._transfers.settle_now)

    def reject(self, reference: str) -> Document:
        """Refuse a transfer that has not left."""
        return self._moved(reference, self._transfers.reject)

    def give_back(self, reference: str, code: str, amount: int | None) -> Document:
        """Send a transfer back, however long ago it settled; one that waits for its file leaves first."""

        def verb(owner: str, transfer: Document) -> None:
            if transfer["status"] in ("pending_submission", "pending_creating"):
                self._transfers.submit(owner, transfer)
            self._transfers.give_back(owner, transfer, code, amount)

        return self._moved(reference, verb)

    def correct(self, reference: str, code: str) -> Document:
        """Send a notification of change."""
        return self._moved(reference, lambda owner, transfer: self._transfers.correct(owner, transfer, code))

    def credit(self, account_number: str, amount: int, sender: str, message: str, way: str, *, hold: bool) -> Document:
        """Send money to a number, named by its id or its digits."""

        def act() -> Document:
            owner, number = self._inbound.find_number(account_number)
            return self._inbound.arrive(owner, number, amount, sender, message, way, hold=hold)

        return self._done(act)

    def accept_credit(self, reference: str) -> Document:
        """Credit money that was held."""
        return self._moved(reference, self._inbound.accept, inbound=True)

    def take_credit_back(self, reference: str) -> Document:
        """Send an inbound ACH transfer back, or reverse an inbound wire."""
        return self._moved(reference, self._inbound.take_back, inbound=True)

    def _moved(self, reference: str, verb: Callable[[str, Document], None], *, inbound: bool = False) -> Document:
        def act() -> Document:
            owner, transfer = self._books.owner_and(reference)
            if transfer["type"] not in [f"inbound_{kind}" if inbound else kind for kind in _KINDS]:
                raise no_such(reference)
            verb(owner, transfer)
            return transfer

        return self._done(act)

    def _done(self, act: Callable[[], Document]) -> Document:
        outcome = carry_out(self._store, act)
        if isinstance(outcome, Refusal):
            raise outcome
        return visible(outcome)
