"""Transfers out: how each is made, what becomes of it by itself, and what banks do to it later."""

from __future__ import annotations

import time
from enum import StrEnum

from providers.sandbox.increase import objects
from providers.sandbox.increase.accounts import Accounts
from providers.sandbox.increase.books import Books, Key, stamp
from providers.sandbox.increase.errors import Document, invalid, wrong_state
from providers.sandbox.increase.events import Events


class Fate(StrEnum):
    """What becomes of a transfer, by the last four digits of the receiving account. These numbers are our own."""

    REJECTED = "0002"  # RTP: `account_closed`; ACH and wire: `rejected` by Increase before anything leaves
    RETURNED = "0003"  # after it settled: R03, or a wire's reversal AC03; RTP: `invalid_creditor_account_number`
    CORRECTED = "0004"  # ACH: C01 when it settles
    STUCK = "0005"  # `requires_attention`, for ever


class Transfers:
    """The life of a transfer. The account pays for ACH at once, for a wire and RTP when they leave."""

    def __init__(self, books: Books, events: Events, accounts: Accounts, *, pause: float) -> None:
        """`pause` is how many seconds a transfer rests in each state."""
        self._books = books
        self._events = events
        self._accounts = accounts
        self._pause = pause

    def create(self, owner: str, transfer: Document, key: Key | None) -> Document:
        """Take a transfer on; raises Refusal when the account cannot pay for it."""
        transfer["idempotency_key"] = key.key if key is not None else None
        fate, kind = _fate(transfer), transfer["type"]
        self._accounts.hold(owner, transfer["account_id"], transfer["amount"])
        if kind == "ach_transfer":
            self._pay(owner, transfer)
        if fate is Fate.STUCK:
            transfer["status"] = "requires_attention"
        self._books.add(owner, transfer, key=key, due=None if fate is Fate.STUCK else self._later())
        self._events.tell(owner, transfer, "created")
        if kind == "real_time_payments_transfer" and fate is not Fate.STUCK:
            self.step(owner, transfer)
        return transfer

    def step(self, owner: str, transfer: Document) -> None:
        """Take the next step of those that a transfer takes by itself; at the end it has none."""
        fate, status = _fate(transfer), transfer["status"]
        if status in ("pending_submission", "pending_creating"):
            if fate is Fate.REJECTED or (fate is Fate.RETURNED and transfer["type"] == "real_time_payments_transfer"):
                self.reject(owner, transfer)
            else:
                self.submit(owner, transfer)
        elif status == "submitted" and not transfer.get("settlement"):
            self.settle(owner, transfer)
        elif fate is Fate.RETURNED and status in ("submitted", "complete"):
            self.give_back(owner, transfer, "R03" if transfer["type"] == "ach_transfer" else "AC03")
        else:
            self._books.save(transfer)

    def submit(self, owner: str, transfer: Document) -> None:
        """Let it leave for its network; RTP answers in the same moment."""
        _must_be(transfer, "pending_submission", "pending_creating")
        kind = transfer["type"]
        if kind != "ach_transfer":
            self._pay(owner, transfer)
        transfer |= {"status": "submitted", "submission": objects.submission(kind)}
        if kind == "real_time_payments_transfer":
            transfer |= {"status": "complete", "acknowledgement": {"acknowledged_at": stamp()}}
        self._changed(owner, transfer, moves=kind != "real_time_payments_transfer")

    def settle(self, owner: str, transfer: Document) -> None:
        """Let it settle: a wire is complete then, an ACH transfer stays `submitted` and gets its `settlement`."""
        _must_be(transfer, "submitted")
        if transfer["type"] == "wire_transfer":
            transfer["status"] = "complete"
        else:
            _must_not_have(transfer, "settlement")
            transfer |= {"acknowledgement": {"acknowledged_at": stamp()}, "settlement": {"settled_at": stamp()}}
            if _fate(transfer) is Fate.CORRECTED:
                transfer["notifications_of_change"].append(objects.notification_of_change("C01"))
        self._changed(owner, transfer, moves=_fate(transfer) is Fate.RETURNED)

    def settle_now(self, owner: str, transfer: Document) -> None:
        """Take every step up to settlement at once, whatever the account number says."""
        if transfer["status"] in ("pending_submission", "pending_creating"):
            self.submit(owner, transfer)
        if transfer["type"] != "real_time_payments_transfer":
            self.settle(owner, transfer)

    def reject(self, owner: str, transfer: Document) -> None:
        """Refuse it before it left; the account has its money back."""
        _must_be(transfer, "pending_submission", "pending_creating", "requires_attention")
        kind, amount = transfer["type"], transfer["amount"]
        if kind == "ach_transfer":
            details = {"transfer_id": transfer["id"]}
            self._accounts.post(owner, transfer["account_id"], amount, "ach_transfer_rejection", details)
        else:
            self._accounts.hold(owner, transfer["account_id"], -amount)
        if kind == "real_time_payments_transfer":
            closed = _fate(transfer) is Fate.REJECTED
            transfer["rejection"] = {
                "reject_reason_additional_information": None,
                "reject_reason_code": "account_closed" if closed else "invalid_creditor_account_number",
                "rejected_at": stamp(),
            }
        transfer["status"] = "rejected"
        self._changed(owner, transfer)

    def give_back(self, owner: str, transfer: Document, code: str, amount: int | None = None) -> None:
        """The receiving bank sends it back, however long ago it settled; a wire perhaps less its own fee."""
        if transfer["type"] == "real_time_payments_transfer":
            raise wrong_state("Real-Time Payments transfers are not returned.")
        _must_be(transfer, "submitted", "complete")
        account_id, back = transfer["account_id"], amount or transfer["amount"]
        if transfer["type"] == "ach_transfer":
            if code not in objects.RETURN_REASONS:
                raise invalid("code", "Not one of the codes that a credit is returned with.")
            _must_not_have(transfer, "return")
            details = objects.ach_return(transfer, code, "")
            details["transaction_id"] = self._accounts.post(owner, account_id, back, "ach_transfer_return", details)
            transfer |= {"status": "returned", "return": details}
        else:
            details = objects.wire_reversal(transfer, code, back, "")
            details["transaction_id"] = self._accounts.post(owner, account_id, back, "inbound_wire_reversal", details)
            transfer |= {"status": "reversed", "reversal": details}
        self._changed(owner, transfer)

    def correct(self, owner: str, transfer: Document, code: str) -> None:
        """The receiving bank keeps the money and asks for other details next time."""
        if transfer["type"] != "ach_transfer" or code not in objects.CHANGE_CODES:
            raise invalid("code", "Not a notification of change that an ACH transfer can get.")
        _must_be(transfer, "submitted")
        transfer["notifications_of_change"].append(objects.notification_of_change(code))
        self._changed(owner, transfer, moves=not transfer["settlement"])

    def _pay(self, owner: str, transfer: Document) -> None:
        """Take the amount that was set aside from the account."""
        account_id, amount = transfer["account_id"], transfer["amount"]
        category = {
            "ach_transfer": "ach_transfer_intention",
            "real_time_payments_transfer": "real_time_payments_transfer_acknowledgement",
            "wire_transfer": "wire_transfer_intention",
        }[transfer["type"]]
        details = {
            "account_number": transfer["account_number"],
            "amount": amount,
            "routing_number": transfer["routing_number"],
            "transfer_id": transfer["id"],
        }
        self._accounts.hold(owner, account_id, -amount)
        transfer["transaction_id"] = self._accounts.post(owner, account_id, -amount, category, details)

    def _changed(self, owner: str, transfer: Document, *, moves: bool = False) -> None:
        self._books.save(transfer, due=self._later() if moves else None)
        self._events.tell(owner, transfer)

    def _later(self) -> float:
        return time.time() + self._pause


def _fate(transfer: Document) -> Fate | None:
    ending = transfer["account_number"][-4:]
    return Fate(ending) if ending in list(Fate) else None


def _must_be(transfer: Document, *allowed: str) -> None:
    if transfer["status"] not in allowed:
        raise wrong_state(f"The transfer is {transfer['status']}; it would have to be {' or '.join(allowed)}.")


def _must_not_have(transfer: Document, name: str) -> None:
    if transfer[name] is not None:
        raise wrong_state(f"The transfer already has its {name}.")
