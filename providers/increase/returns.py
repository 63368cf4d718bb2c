"""Why money comes back: Increase's names for the codes of ACH returns and wire reversals, and ours."""

from __future__ import annotations

import re

_SCHEME_CODE = re.compile(r"[A-Z0-9]{2,4}", re.ASCII)

_DETAILS = "The bank could not match the account details. Please check the routing and account number."
_CLOSED = "The account is closed. Please use another account."
_BLOCKED = "The account cannot receive this payment. Please contact your bank, or use another account."
_KIND = "The account or its bank does not take this kind of payment. Please use another account."
_REFUSED = "The payment was refused at the receiving bank. Please contact your bank."
_HOLDER = "The bank could not credit the account holder. Please contact your bank."
_RECALLED = "The payment was called back by the sending bank."
_FUNDS = "The receiving bank sent the payment back. Please contact your bank, or use another account."
_FORM = "The receiving bank could not process the payment and sent it back."

# SDK 0.552, ACHTransfer.return_.return_reason_code and what it says of each: Increase's name -> (Nacha's code, what a
# customer may read). A frozen account is shown like any other that cannot receive.
ACH_RETURNS: dict[str, tuple[str, str]] = {
    "insufficient_fund": ("R01", _FUNDS),
    "account_closed": ("R02", _CLOSED),
    "no_account": ("R03", _DETAILS),
    "invalid_account_number_structure": ("R04", _DETAILS),
    "unauthorized_debit_to_consumer_account_using_corporate_sec_code": ("R05", _REFUSED),
    "returned_per_odfi_request": ("R06", _RECALLED),
    "authorization_revoked_by_customer": ("R07", _REFUSED),
    "payment_stopped": ("R08", _REFUSED),
    "uncollected_funds": ("R09", _FUNDS),
    "customer_advised_unauthorized_improper_ineligible_or_incomplete": ("R10", _REFUSED),
    "customer_advised_not_within_authorization_terms": ("R11", _REFUSED),
    "account_sold_to_another_dfi": ("R12", _CLOSED),
    "invalid_ach_routing_number": ("R13", _DETAILS),
    "representative_payee_deceased_or_unable_to_continue_in_that_capacity": ("R14", _HOLDER),
    "beneficiary_or_account_holder_deceased": ("R15", _HOLDER),
    "account_frozen_entry_returned_per_ofac_instruction": ("R16", _BLOCKED),
    "file_record_edit_criteria": ("R17", _DETAILS),
    "improper_effective_entry_date": ("R18", _FORM),
    "amount_field_error": ("R19", _FORM),
    "non_transaction_account": ("R20", _KIND),
    "invalid_company_id": ("R21", _FORM),
    "invalid_individual_id_number": ("R22", _FORM),
    "credit_entry_refused_by_receiver": ("R23", _REFUSED),
    "duplicate_entry": ("R24", _FORM),
    "addenda_error": ("R25", _FORM),
    "mandatory_field_error": ("R26", _FORM),
    "trace_number_error": ("R27", _FORM),
    "routing_number_check_digit_error": ("R28", _DETAILS),
    "corporate_customer_advised_not_authorized": ("R29", _REFUSED),
    "rdfi_participant_in_check_truncation_program": ("R30", _KIND),
    "permissible_return_entry": ("R31", _FORM),
    "rdfi_non_settlement": ("R32", _FORM),
    "return_of_xck_entry": ("R33", _FORM),
    "limited_participation_dfi": ("R34", _KIND),
    "return_of_improper_debit_entry": ("R35", _FORM),
    "return_of_improper_credit_entry": ("R36", _FORM),
    "source_document_presented_for_payment": ("R37", _FORM),
    "stop_payment_on_source_document": ("R38", _REFUSED),
    "improper_source_document_source_document_presented": ("R39", _FORM),
    "enr_return_of_enr_entry": ("R40", _FORM),
    "enr_invalid_transaction_code": ("R41", _FORM),
    "enr_routing_number_check_digit_error": ("R42", _DETAILS),
    "enr_invalid_dfi_account_number": ("R43", _DETAILS),
    "enr_invalid_individual_id_number": ("R44", _FORM),
    "enr_invalid_individual_name": ("R45", _FORM),
    "enr_invalid_representative_payee_indicator": ("R46", _FORM),
    "enr_duplicate_enrollment": ("R47", _FORM),
    "state_law_affecting_rck_acceptance": ("R50", _FORM),
    "item_related_to_rck_entry_is_ineligible": ("R51", _FORM),
    "stop_payment_on_item_related_to_rck_entry": ("R52", _REFUSED),
    "item_and_rck_entry_presented_for_payment": ("R53", _FORM),
    "misrouted_return": ("R61", _FORM),
    "return_of_erroneous_or_reversing_debit": ("R62", _RECALLED),
    "duplicate_return": ("R67", _FORM),
    "untimely_return": ("R68", _FORM),
    "field_error": ("R69", _FORM),
    "permissible_return_entry_not_accepted": ("R70", _FORM),
    "misrouted_dishonored_return": ("R71", _FORM),
    "untimely_dishonored_return": ("R72", _FORM),
    "timely_original_return": ("R73", _FORM),
    "corrected_return": ("R74", _FORM),
    "return_not_a_duplicate": ("R75", _FORM),
    "no_errors_found": ("R76", _FORM),
    "non_acceptance_of_r62_dishonored_return": ("R77", _FORM),
    "iat_entry_coding_error": ("R80", _FORM),
    "non_participant_in_iat_program": ("R81", _KIND),
    "invalid_foreign_receiving_dfi_identification": ("R82", _FORM),
    "foreign_receiving_dfi_unable_to_settle": ("R83", _FORM),
    "entry_not_processed_by_gateway": ("R84", _FORM),
    "incorrectly_coded_outbound_international_payment": ("R85", _FORM),
}
_SENTENCES = dict(ACH_RETURNS.values())

# The reasons of ISO 20022 that Increase's guide to wire reversals calls common, and RTP's for the same things.
_WIRE_SENTENCES = {
    "AC03": _DETAILS,
    "AC04": _CLOSED,
    "AC06": _BLOCKED,
    "BE04": _DETAILS,
    "BE06": _DETAILS,
    "CUST": _REFUSED,
    "DUPL": _RECALLED,
    "FOCR": _RECALLED,
    "FRAD": _REFUSED,
    "MD07": _HOLDER,
    "RC04": _DETAILS,
}


def ach_return_words(raw_code: str | None, name: str) -> tuple[str, str, str]:
    """Our code, Nacha's and the customer's sentence; the code counts for more than Increase's name of it."""
    known, _ = ACH_RETURNS.get(name, ("", ""))
    code = _checked(raw_code) or known
    return _ours(code), code, _SENTENCES.get(code, _FORM)


def wire_reversal_words(code: str | None) -> tuple[str, str, str]:
    """Our code, the scheme's and the customer's sentence; a bank need not give a code when it reverses a wire."""
    known = _checked(code)
    return _ours(known), known, _WIRE_SENTENCES.get(known, _FORM)


def _checked(code: str | None) -> str:
    return code if code is not None and _SCHEME_CODE.fullmatch(code) else ""


def _ours(code: str) -> str:
    return f"returned_{code.lower()}" if code else "returned"
