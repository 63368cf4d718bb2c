"""ISO 20022's words and ours. A word that is not here is never guessed at: it means unknown, and keeps its code.

Statuses: ExternalPaymentTransactionStatus1Code and its siblings for a group and for payment information. Reasons:
ExternalStatusReason1Code and ExternalReturnReason1Code, those that the SEPA rulebook (EPC125-05) and its
guidelines (EPC132-08) use. https://www.iso20022.org/catalogue-messages/additional-content-messages/external-code-sets
"""

from __future__ import annotations

import re
from datetime import datetime

from app.ports.outcome import Decline
from app.ports.payout import PayoutReturn, PayoutStatus

STATUSES: dict[str, PayoutStatus] = {
    "RCVD": PayoutStatus.PENDING,  # received
    "PDNG": PayoutStatus.PENDING,  # further checks
    "PATC": PayoutStatus.PENDING,  # some of those who must sign have signed
    "PART": PayoutStatus.PENDING,  # of a group: some taken on, some not
    "ACTC": PayoutStatus.PENDING,  # the form is right
    "ACFC": PayoutStatus.PENDING,  # funds are there
    "ACCP": PayoutStatus.PENDING,  # the customer's profile allows it
    "ACWC": PayoutStatus.PENDING,  # taken on with a change, such as the date
    "ACSP": PayoutStatus.SUBMITTED,  # settlement is under way
    "ACWP": PayoutStatus.SUBMITTED,  # at the receiver's bank, not yet on the account
    "ACSC": PayoutStatus.SETTLED,  # taken from our account and settled
    "ACCC": PayoutStatus.SETTLED,  # on the receiver's account
    "RJCT": PayoutStatus.FAILED,
    "CANC": PayoutStatus.CANCELED,
}

# Refused because the bank has it already. That says nothing about the first one, which may well have been paid.
DUPLICATES = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05"})

_ACCOUNT = "The account number is not one that the receiving bank knows."
_CLOSED = "The account is closed."
_BLOCKED = "The account is blocked."
_DEAD = "The account's holder has died."
_KIND = "Transfers of this kind cannot be made to this account."
_AMOUNT = "The amount is not one that the bank allows."
_FUNDS = "The sending account does not hold enough."
_TWICE = "The bank has had this transfer before."
_HOLDER = "The name and the account do not belong together."
_BANK = "The receiving bank could not be reached by this scheme."
_DATE = "The transfer came too late, or its date was not allowed."
_ASKED = "The transfer was sent back at somebody's request."
_RULES = "The receiving bank could not accept the transfer."
_FORM = "The bank could not read the transfer."
_GENERAL = "The transfer could not be completed."

# Suspicions of fraud and matters of law (FRAD, the RR codes) are shown exactly like a bank that gives no reason.
REASONS: dict[str, str] = {
    **dict.fromkeys(("AC01", "AC02", "AC03", "BE07", "RC04", "RC07"), _ACCOUNT),
    **dict.fromkeys(("AC04", "AC05", "AC07"), _CLOSED),
    **dict.fromkeys(("AC06",), _BLOCKED),
    **dict.fromkeys(("MD07", "AC08"), _DEAD),
    **dict.fromkeys(("AC13", "AC14", "AC16", "AG01", "AG03", "CNOR", "DNOR", "SL01", "SL11", "SL12"), _KIND),
    **dict.fromkeys(("AM01", "AM02", "AM03", "AM06", "AM07", "AM09", "AM10", "AM12", "AM14"), _AMOUNT),
    **dict.fromkeys(("AM04",), _FUNDS),
    **dict.fromkeys(sorted(DUPLICATES), _TWICE),
    **dict.fromkeys(("BE01", "BE04", "BE05", "BE06", "BE17"), _HOLDER),
    **dict.fromkeys(("AB05", "AB06", "AB08", "AB09", "AB10", "AGNT", "ED05", "RC01", "RC03", "RC11"), _BANK),
    **dict.fromkeys(("DT01", "DT02", "DT04", "DT06", "TM01", "CUTA"), _DATE),
    **dict.fromkeys(("CUST", "DS02", "FOCR", "MD06", "SVNR", "TECH", "UPAY", "AM23"), _ASKED),
    **dict.fromkeys(("FRAD", "LEGL", "MS02", "MS03", "NARR", "NOAS", "RR01", "RR02", "RR03", "RR04", "RUTA"), _RULES),
    **dict.fromkeys(("AG02", "FF01", "FF03", "FF05", "FF07", "FF10", "FF11", "CH03", "CH11", "ERIN", "NERI"), _FORM),
}

_CODE = re.compile(r"[A-Z0-9]{2,4}", re.ASCII)


def status_of(word: str, reason: str | None) -> PayoutStatus:
    """Where a payout with this status stands.

    UNKNOWN for a word that is not documented, and for a refusal as a duplicate: whatever became of the first one holds.
    """
    if word == "RJCT" and reason in DUPLICATES:
        return PayoutStatus.UNKNOWN
    return STATUSES.get(word, PayoutStatus.UNKNOWN)


def decline_of(reason: str | None) -> Decline:
    """Why a payout was refused: `rejected_ac04`, `AC04` and a sentence."""
    return Decline(_ours("rejected", reason), reason, _sentence(reason))


def return_of(reason: str | None, at: datetime) -> PayoutReturn:
    """Why a payout came back: `returned_ac04`, `AC04` and a sentence; `scheme_code` is empty when none was given."""
    return PayoutReturn(_ours("returned", reason), reason or "", _sentence(reason), at)


def _ours(verb: str, reason: str | None) -> str:
    """A bank's own (proprietary) code has any form, so ours does not repeat it."""
    if reason is None:
        return verb
    return f"{verb}_{reason.lower()}" if _CODE.fullmatch(reason) else f"{verb}_other"


def _sentence(reason: str | None) -> str:
    return REASONS.get(reason or "", _GENERAL)
