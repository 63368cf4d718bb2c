"""Money that others send to our account numbers, and that is taken back or sent back."""

from __future__ import annotations

from datetime import UTC, datetime

from providers.sandbox.increase.accounts import Accounts
from providers.sandbox.increase.books import Books, new_id, stamp
from providers.sandbox.increase.errors import Document, invalid, no_such, wrong_state
from providers.sandbox.increase.events import Events
from providers.sandbox.increase.objects import accountability, trace_number

ADDENDA_LENGTH = 80  # of one ACH addendum
_EMPTY_IN_WIRE = [f"{party}_address_line{line}" for party in ("creditor", "debtor") for line in (1, 2, 3)] + [
    "debtor_account_number",
    "end_to_end_identification",
    "instruction_for_creditor_agent",
    "instruction_identification",
    "purpose",
    "reversal",
    "wire_drawdown_request_id",
]
# The kind of object for each way in, the category of its transaction, and the member that says how it was taken on.
WAYS = {
    "ach": ("inbound_ach_transfer", "inbound_ach_transfer"),
    "rtp": ("inbound_real_time_payments_transfer", "inbound_real_time_payments_transfer_confirmation"),
    "wire": ("inbound_wire_transfer", "inbound_wire_transfer"),
}


class Inbound:
    """The life of an inbound transfer."""

    def __init__(self, books: Books, events: Events, accounts: Accounts) -> None:
        self._books = books
        self._events = events
        self._accounts = accounts

    def find_number(self, account_number: str) -> tuple[str, Document]:
        """The account number behind an id or behind the digits themselves, and its owner; raises Refusal."""
        if account_number.isdigit():
            found = next(self._books.where("account_number", "account_number", account_number), None)
            if found is None:
                raise no_such(account_number)
            return found
        return self._books.owner_and(account_number)

    def arrive(
        self, owner: str, number: Document, amount: int, sender: str, message: str, way: str, *, hold: bool
    ) -> Document:
        """Somebody sent money. `hold` leaves it pending, as an ACH credit is for its first hour."""
        if number["type"] != "account_number":
            raise no_such(number["id"])
        kind, _ = WAYS[way]
        transfer = {
            "id": new_id(kind),
            "type": kind,
            "account_id": number["account_id"],
            "account_number_id": number["id"],
            "amount": amount,
            "created_at": stamp(),
            **_details(way, number, sender, message),
        }
        self._books.add(owner, transfer)
        self._events.tell(owner, transfer, "created")
        if not hold:
            self.accept(owner, transfer)
        return transfer

    def accept(self, owner: str, transfer: Document) -> None:
        """Credit the account."""
        if transfer["status"] not in ("pending", "pending_confirming"):
            raise wrong_state(f"The transfer is {transfer['status']}.")
        way = _way(transfer)
        details = {"amount": transfer["amount"], "transfer_id": transfer["id"]}
        line = self._accounts.post(owner, transfer["account_id"], transfer["amount"], WAYS[way][1], details)
        if way == "rtp":
            transfer |= {"status": "confirmed", "confirmation": {"confirmed_at": stamp(), "transaction_id": line}}
        else:
            transfer |= {"status": "accepted", "acceptance": {"accepted_at": stamp(), "transaction_id": line}}
        self._changed(owner, transfer)

    def take_back(self, owner: str, transfer: Document) -> None:
        """Send an accepted ACH credit back, or reverse a wire."""
        if transfer["status"] != "accepted":
            raise wrong_state(f"The transfer is {transfer['status']}.")
        account_id, amount = transfer["account_id"], -transfer["amount"]
        if _way(transfer) == "ach":
            details = {"inbound_ach_transfer_id": transfer["id"]}
            category = "inbound_ach_transfer_return_intention"
            line = self._accounts.post(owner, account_id, amount, category, details)
            transfer["transfer_return"] = {
                "raw_reason_code": "R06",
                "reason": "returned_per_odfi_request",
                "returned_at": stamp(),
                "transaction_id": line,
            }
            transfer["status"] = "returned"
        else:
            details = {"transfer_id": transfer["id"]}
            self._accounts.post(owner, account_id, amount, "inbound_wire_transfer_reversal", details)
            transfer |= {"status": "reversed", "reversal": {"reason": "creditor_request", "reversed_at": stamp()}}
        self._changed(owner, transfer)

    def _changed(self, owner: str, transfer: Document) -> None:
        self._books.save(transfer)
        self._events.tell(owner, transfer)


def _way(transfer: Document) -> str:
    for way, (kind, _) in WAYS.items():
        if transfer["type"] == kind:
            return way
    raise invalid("transfer", "Not an inbound transfer.")


def _details(way: str, number: Document, sender: str, message: str) -> Document:
    if way == "ach":
        return _ach(number, sender, message)
    if way == "wire":
        return _wire(number, sender, message)
    return {
        "confirmation": None,
        "creditor_name": number["name"],
        "currency": "USD",
        "debtor_account_number": "987654321",
        "debtor_name": sender,
        "debtor_routing_number": "110000000",
        "decline": None,
        "status": "pending_confirming",
        "transaction_identification": accountability(),
        "unstructured_remittance_information": message,
    }


def _ach(number: Document, sender: str, message: str) -> Document:
    pieces = [message[at : at + ADDENDA_LENGTH] for at in range(0, len(message), ADDENDA_LENGTH)]
    entries = [{"payment_related_information": piece} for piece in pieces]
    return {
        **dict.fromkeys(
            ("acceptance", "decline", "international_addenda", "notification_of_change", "transfer_return")
        ),
        **dict.fromkeys(("originator_company_descriptive_date", "originator_company_discretionary_data")),
        "addenda": {"category": "freeform", "freeform": {"entries": entries}} if entries else None,
        "automatically_resolves_at": stamp(),
        "direction": "credit",
        "effective_date": datetime.now(UTC).date().isoformat(),
        "originator_company_entry_description": "PAYMENT",
        "originator_company_id": "9876543210",
        "originator_company_name": sender,
        "originator_routing_number": "110000000",
        "receiver_id_number": None,
        "receiver_name": number["name"],
        "settlement": {"settled_at": stamp(), "settlement_schedule": "same_day"},
        "standard_entry_class_code": "corporate_credit_or_debit",
        "status": "pending",
        "trace_number": trace_number(),
    }


def _wire(number: Document, sender: str, message: str) -> Document:
    return {
        **dict.fromkeys(_EMPTY_IN_WIRE),
        "acceptance": None,
        "creditor_name": number["name"],
        "debtor_name": sender,
        "debtor_routing_number": "110000000",
        "description": "Inbound wire transfer",
        "input_message_accountability_data": accountability(),
        "instructing_agent_routing_number": "110000000",
        "status": "pending",
        "unique_end_to_end_transaction_reference": None,
        "unstructured_remittance_information": message,
    }
