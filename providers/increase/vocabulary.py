"""Increase's words and ours. A word that is not here is never guessed at: it is unknown."""

from __future__ import annotations

from app.domain.assets import USD
from app.domain.money import Asset
from app.domain.payout import PayoutMethod
from app.ports.payout import CreditStatus, PayoutStatus

# What an object of Increase's test environment has before its kind in its id; live objects do not.
SANDBOX_PREFIX = "sandbox_"

# https://increase.com/documentation/sending-ach-transfers and ACHTransfer.status in the SDK. A settled transfer stays
# `submitted` and gets its `settlement`; see payout_status_of.
ACH_STATUSES: dict[str, PayoutStatus] = {
    "pending_approval": PayoutStatus.PENDING,
    "pending_transfer_session_confirmation": PayoutStatus.PENDING,
    "pending_reviewing": PayoutStatus.PENDING,
    "pending_submission": PayoutStatus.PENDING,
    "requires_attention": PayoutStatus.PENDING,
    "submitted": PayoutStatus.SUBMITTED,
    "canceled": PayoutStatus.CANCELED,
    "rejected": PayoutStatus.FAILED,
    "returned": PayoutStatus.RETURNED,
}

# RealTimePaymentsTransfer.status. The network answers once and for good; there is no return.
RTP_STATUSES: dict[str, PayoutStatus] = {
    "pending_approval": PayoutStatus.PENDING,
    "pending_reviewing": PayoutStatus.PENDING,
    "pending_submission": PayoutStatus.PENDING,
    "requires_attention": PayoutStatus.PENDING,
    "submitted": PayoutStatus.SUBMITTED,
    "complete": PayoutStatus.SETTLED,
    "canceled": PayoutStatus.CANCELED,
    "rejected": PayoutStatus.FAILED,
}

# WireTransfer.status, and https://increase.com/documentation/wire-reversals
WIRE_STATUSES: dict[str, PayoutStatus] = {
    "pending_approval": PayoutStatus.PENDING,
    "pending_creating": PayoutStatus.PENDING,
    "pending_reviewing": PayoutStatus.PENDING,
    "requires_attention": PayoutStatus.PENDING,
    "submitted": PayoutStatus.SUBMITTED,
    "complete": PayoutStatus.SETTLED,
    "canceled": PayoutStatus.CANCELED,
    "rejected": PayoutStatus.FAILED,
    "reversed": PayoutStatus.RETURNED,
}

PAYOUT_STATUSES: dict[PayoutMethod, dict[str, PayoutStatus]] = {
    PayoutMethod.ACH: ACH_STATUSES,
    PayoutMethod.RTP: RTP_STATUSES,
    PayoutMethod.WIRE: WIRE_STATUSES,
}

# The kind of object (its `type`, and its id without the ending) that carries each method out, and each way in.
PAYOUT_KINDS: dict[PayoutMethod, str] = {
    PayoutMethod.ACH: "ach_transfer",
    PayoutMethod.RTP: "real_time_payments_transfer",
    PayoutMethod.WIRE: "wire_transfer",
}
CREDIT_STATUSES: dict[str, dict[str, CreditStatus]] = {
    "inbound_ach_transfer": {
        "pending": CreditStatus.PENDING,
        "accepted": CreditStatus.CREDITED,
        "declined": CreditStatus.REVERSED,
        "returned": CreditStatus.REVERSED,
    },
    "inbound_wire_transfer": {
        "pending": CreditStatus.PENDING,
        "accepted": CreditStatus.CREDITED,
        "declined": CreditStatus.REVERSED,
        "reversed": CreditStatus.REVERSED,
    },
    "inbound_real_time_payments_transfer": {
        "pending_confirming": CreditStatus.PENDING,
        "confirmed": CreditStatus.CREDITED,
        "declined": CreditStatus.REVERSED,
        "timed_out": CreditStatus.REVERSED,
    },
}

# ACHTransfer.notifications_of_change[].change_code -> Nacha's code. C61 and above refuse a notification of ours.
CORRECTIONS: dict[str, str] = {
    "incorrect_account_number": "C01",
    "incorrect_routing_number": "C02",
    "incorrect_routing_number_and_account_number": "C03",
    "incorrect_transaction_code": "C05",
    "incorrect_account_number_and_transaction_code": "C06",
    "incorrect_routing_number_account_number_and_transaction_code": "C07",
    "incorrect_receiving_depository_financial_institution_identification": "C08",
    "incorrect_individual_identification_number": "C09",
    "addenda_format_error": "C13",
    "incorrect_standard_entry_class_code_for_outbound_international_payment": "C14",
    "misrouted_notification_of_change": "C61",
    "incorrect_trace_number": "C62",
    "incorrect_company_identification_number": "C63",
    "incorrect_identification_number": "C64",
    "incorrectly_formatted_corrected_data": "C65",
    "incorrect_discretionary_data": "C66",
    "routing_number_not_from_original_entry_detail_record": "C67",
    "depository_financial_institution_account_number_not_from_original_entry_detail_record": "C68",
    "incorrect_transaction_code_by_originating_depository_financial_institution": "C69",
}

_DETAILS = "The bank could not match the account details. Please check the routing and account number."
_CLOSED = "The account is closed. Please use another account."
_BLOCKED = "The account cannot receive this payment. Please contact your bank, or use another account."
_KIND = "The account or its bank does not take instant payments. Please use another way to be paid."
_AMOUNT = "The amount is above what the account may receive at once."
_AGAIN = "The receiving bank could not be reached. Please try again later."
_REJECTED = "The bank rejected the payment."

# RealTimePaymentsTransfer.rejection.reject_reason_code -> (our code, what a customer may read)
RTP_REJECTIONS: dict[str, tuple[str, str]] = {
    "account_closed": ("account_closed", _CLOSED),
    "account_blocked": ("account_blocked", _BLOCKED),
    "end_customer_deceased": ("account_blocked", _BLOCKED),
    "transaction_forbidden": ("account_blocked", _BLOCKED),
    "invalid_creditor_account_type": ("method_not_supported", _KIND),
    "transaction_type_not_supported": ("method_not_supported", _KIND),
    "unsupported_message_for_recipient": ("method_not_supported", _KIND),
    "invalid_creditor_account_number": ("account_not_found", _DETAILS),
    "invalid_creditor_financial_institution_identifier": ("account_not_found", _DETAILS),
    "invalid_creditor_address": ("account_not_found", _DETAILS),
    "unknown_end_customer": ("account_not_found", _DETAILS),
    "unexpected_amount": ("amount_refused", _AMOUNT),
    "amount_exceeds_bank_limits": ("amount_refused", _AMOUNT),
    "timeout": ("bank_unavailable", _AGAIN),
    "recipient_connection_not_available": ("bank_unavailable", _AGAIN),
    "real_time_payments_suspended": ("bank_unavailable", _AGAIN),
    "instructed_agent_signed_off": ("bank_unavailable", _AGAIN),
    "processing_error": ("bank_unavailable", _AGAIN),
    "invalid_debtor_address": ("payout_rejected", _REJECTED),
    "narrative": ("payout_rejected", _REJECTED),
    "other": ("payout_rejected", _REJECTED),
}

# Account.bank -> the name by which a sender finds the bank
BANKS = {
    "core_bank": "Core Bank",
    "first_internet_bank": "First Internet Bank of Indiana",
    "grasshopper_bank": "Grasshopper Bank",
    "increase_bank": "Increase Bank",
}

_ASSETS = {"USD": USD}


def payout_status_of(method: PayoutMethod, word: str, *, settled: bool) -> PayoutStatus:
    """Where a transfer with this status stands; UNKNOWN for a word that Increase has not documented yet.

    `settled` says that an ACH transfer has its `settlement`: the funds have settled at the Federal Reserve. The
    acknowledgement only says that the Federal Reserve has read the file. The settlement stays when the money returns,
    so that only `submitted` becomes SETTLED by it (SDK 0.552, ACHTransfer.status and .settlement).
    """
    status = PAYOUT_STATUSES[method].get(word, PayoutStatus.UNKNOWN)
    if method is PayoutMethod.ACH and status is PayoutStatus.SUBMITTED and settled:
        return PayoutStatus.SETTLED
    return status


def credit_status_of(kind: str, word: str) -> CreditStatus:
    """Where an inbound transfer with this status stands; UNKNOWN for an unknown word."""
    return CREDIT_STATUSES[kind].get(word, CreditStatus.UNKNOWN)


def rejection_words(reason: str | None) -> tuple[str, str]:
    """Our code and the customer's sentence for a payout that was refused; only RTP says why."""
    return RTP_REJECTIONS.get(reason or "other", ("payout_rejected", _REJECTED))


def correction_of(change_code: str) -> str:
    """Nacha's code of a notification of change."""
    return CORRECTIONS.get(change_code, "unknown")


def kind_of(reference: str) -> str:
    """The kind of object behind an id: `sandbox_wire_transfer_x` and `wire_transfer_x` are a `wire_transfer`."""
    return reference.removeprefix(SANDBOX_PREFIX).rpartition("_")[0]


def asset_of_currency(currency: str) -> Asset | None:
    """The asset behind Increase's currency; its smallest unit is the cent at Increase too."""
    return _ASSETS.get(currency)
