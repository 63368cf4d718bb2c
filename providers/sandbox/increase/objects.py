"""The shapes of Increase's transfers, new and empty, and the codes of the schemes; keys with an underscore are ours."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime

from providers.sandbox.increase.books import new_id, stamp
from providers.sandbox.increase.errors import Document

_EMPTY = [
    "approval",
    "cancellation",
    "external_account_id",
    "idempotency_key",
    "pending_transaction_id",
    "transaction_id",
]
_EMPTY_IN_ACH = [
    "acknowledgement",
    "addenda",
    "company_descriptive_date",
    "company_discretionary_data",
    "inbound_funds_hold",
    "return",
    "settlement",
    "submission",
]
_EMPTY_IN_RTP = ["acknowledgement", "inbound_real_time_payments_request_for_payment_id", "rejection", "submission"]
_EMPTY_IN_WIRE = ["debtor", "inbound_wire_drawdown_request_id", "reversal", "source_account_number_id", "submission"]
_CREATED_BY = {"category": "api_key", "api_key": {"description": "Sandbox"}}

# Nacha's return codes that a credit can meet, by Increase's names for them.
RETURN_REASONS = {
    "R01": "insufficient_fund",
    "R02": "account_closed",
    "R03": "no_account",
    "R04": "invalid_account_number_structure",
    "R06": "returned_per_odfi_request",
    "R08": "payment_stopped",
    "R10": "customer_advised_unauthorized_improper_ineligible_or_incomplete",
    "R14": "representative_payee_deceased_or_unable_to_continue_in_that_capacity",
    "R15": "beneficiary_or_account_holder_deceased",
    "R16": "account_frozen_entry_returned_per_ofac_instruction",
    "R17": "file_record_edit_criteria",
    "R20": "non_transaction_account",
    "R23": "credit_entry_refused_by_receiver",
    "R24": "duplicate_entry",
    "R31": "permissible_return_entry",
    "R68": "untimely_return",
}
# And its codes of notifications of change.
CHANGE_CODES = {
    "C01": "incorrect_account_number",
    "C02": "incorrect_routing_number",
    "C03": "incorrect_routing_number_and_account_number",
    "C05": "incorrect_transaction_code",
    "C06": "incorrect_account_number_and_transaction_code",
    "C07": "incorrect_routing_number_account_number_and_transaction_code",
}


def ach_transfer(given: Document) -> Document:
    """An ACH credit that waits for its file."""
    return {
        **dict.fromkeys(_EMPTY + _EMPTY_IN_ACH),
        **_new("ach_transfer", "ach", "pending_submission"),
        "company_id": "1234987601",
        "notifications_of_change": [],
        "preferred_effective_date": {"date": None, "settlement_schedule": "same_day"},
        **given,
    }


def real_time_payments_transfer(given: Document) -> Document:
    """A real-time payment that has not been sent yet."""
    return {
        **dict.fromkeys(_EMPTY + _EMPTY_IN_RTP),
        **_new("real_time_payments_transfer", "rtp", "pending_submission"),
        **given,
    }


def wire_transfer(given: Document) -> Document:
    """A wire that has not been sent yet."""
    return {
        **dict.fromkeys(_EMPTY + _EMPTY_IN_WIRE),
        **_new("wire_transfer", "wire", "pending_creating"),
        "unique_end_to_end_transaction_reference": str(uuid.uuid4()),
        **given,
    }


def submission(kind: str) -> Document:
    """What is known once a transfer has left for its network."""
    if kind == "ach_transfer":
        return {
            "administrative_returns_expected_by": stamp(),
            "effective_date": datetime.now(UTC).date().isoformat(),
            "expected_funds_settlement_at": stamp(),
            "expected_settlement_schedule": "same_day",
            "submitted_at": stamp(),
            "trace_number": trace_number(),
        }
    if kind == "wire_transfer":
        return {"input_message_accountability_data": accountability(), "submitted_at": stamp()}
    return {"submitted_at": stamp(), "transaction_identification": accountability()}


def ach_return(transfer: Document, code: str, transaction_id: str) -> Document:
    """The return of an ACH transfer under one of Nacha's codes."""
    return {
        "addenda_information": None,
        "created_at": stamp(),
        "raw_return_reason_code": code,
        "return_reason_code": RETURN_REASONS[code],
        "trace_number": trace_number(),
        "transaction_id": transaction_id,
        "transfer_id": transfer["id"],
    }


def wire_reversal(transfer: Document, code: str, amount: int, transaction_id: str) -> Document:
    """The reversal of a wire by its receiving bank."""
    return {
        "amount": amount,
        "created_at": stamp(),
        "debtor_routing_number": transfer["routing_number"],
        "description": "Inbound wire reversal",
        "input_cycle_date": datetime.now(UTC).date().isoformat(),
        "input_message_accountability_data": accountability(),
        "input_sequence_number": "000001",
        "input_source": "B6B7HU2R",
        "instruction_identification": None,
        "return_reason_additional_information": None,
        "return_reason_code": code,
        "return_reason_code_description": None,
        "transaction_id": transaction_id,
        "wire_transfer_id": transfer["id"],
    }


def notification_of_change(code: str) -> Document:
    """What the receiving bank asks to be different next time."""
    return {
        "change_code": CHANGE_CODES[code],
        "corrected_account_funding": "savings" if code in ("C05", "C06", "C07") else None,
        "corrected_account_number": "9876543210" if code in ("C01", "C03", "C06", "C07") else None,
        "corrected_individual_id": None,
        "corrected_routing_number": "110000000" if code in ("C02", "C03", "C07") else None,
        "created_at": stamp(),
    }


def trace_number() -> str:
    """Fifteen digits."""
    return str(secrets.randbelow(9 * 10**14) + 10**14)


def accountability() -> str:
    """An identifier of the Federal Reserve's or The Clearing House's."""
    return datetime.now(UTC).strftime("%Y%m%d") + "B6B7HU2R" + f"{secrets.randbelow(10**6):06}"


def _new(kind: str, network: str, status: str) -> Document:
    fields: Document = {
        "id": new_id(kind),
        "type": kind,
        "created_at": stamp(),
        "created_by": _CREATED_BY,
        "currency": "USD",
        "status": status,
    }
    return fields if network == "rtp" else fields | {"network": network}
