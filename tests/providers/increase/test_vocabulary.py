"""Every word that the SDK documents has one of ours, and no word that it does not."""

from __future__ import annotations

import re
from typing import Literal, get_args, get_origin

import pytest
from increase import types
from increase.types import ach_transfer, real_time_payments_transfer
from pydantic import BaseModel

from app.domain.payout import PayoutMethod
from app.ports.payout import CreditStatus, PayoutStatus
from providers.increase.returns import ACH_RETURNS, ach_return_words, wire_reversal_words
from providers.increase.vocabulary import (
    BANKS,
    CORRECTIONS,
    CREDIT_STATUSES,
    PAYOUT_STATUSES,
    RTP_REJECTIONS,
    correction_of,
    credit_status_of,
    kind_of,
    payout_status_of,
    rejection_words,
)


def words(model: type[BaseModel], field: str) -> set[str]:
    """The documented values of a field."""
    annotation = model.model_fields[field].annotation
    assert get_origin(annotation) is Literal
    return set(get_args(annotation))


@pytest.mark.parametrize(
    ("method", "model"),
    [
        (PayoutMethod.ACH, types.ACHTransfer),
        (PayoutMethod.RTP, types.RealTimePaymentsTransfer),
        (PayoutMethod.WIRE, types.WireTransfer),
    ],
)
def test_every_status_of_a_payout(method: PayoutMethod, model: type[BaseModel]) -> None:
    assert set(PAYOUT_STATUSES[method]) == words(model, "status")
    assert PayoutStatus.UNKNOWN not in PAYOUT_STATUSES[method].values()
    assert payout_status_of(method, "teleported", settled=True) is PayoutStatus.UNKNOWN


def test_only_a_submitted_ach_transfer_settles_by_its_settlement() -> None:
    settled = [word for word in PAYOUT_STATUSES[PayoutMethod.ACH] if _ach(word, settled=True) is PayoutStatus.SETTLED]
    assert settled == ["submitted"]
    assert _ach("submitted", settled=False) is PayoutStatus.SUBMITTED
    assert _ach("returned", settled=True) is PayoutStatus.RETURNED
    assert payout_status_of(PayoutMethod.WIRE, "submitted", settled=True) is PayoutStatus.SUBMITTED


def _ach(word: str, *, settled: bool) -> PayoutStatus:
    return payout_status_of(PayoutMethod.ACH, word, settled=settled)


def test_nothing_that_still_moves_is_called_an_end() -> None:
    ends = {PayoutStatus.SETTLED, PayoutStatus.FAILED, PayoutStatus.CANCELED, PayoutStatus.RETURNED}
    for statuses in PAYOUT_STATUSES.values():
        for word, status in statuses.items():
            assert (status is PayoutStatus.PENDING) is (word.startswith("pending_") or word == "requires_attention")
            assert (status in ends) is (word in {"complete", "rejected", "canceled", "returned", "reversed"})


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("inbound_ach_transfer", types.InboundACHTransfer),
        ("inbound_wire_transfer", types.InboundWireTransfer),
        ("inbound_real_time_payments_transfer", types.InboundRealTimePaymentsTransfer),
    ],
)
def test_every_status_of_a_credit(kind: str, model: type[BaseModel]) -> None:
    assert set(CREDIT_STATUSES[kind]) == words(model, "status")
    credited = [word for word, status in CREDIT_STATUSES[kind].items() if status is CreditStatus.CREDITED]
    assert credited in (["accepted"], ["confirmed"])
    assert credit_status_of(kind, "teleported") is CreditStatus.UNKNOWN


def test_every_return_reason_has_the_code_that_the_sdk_gives_it() -> None:
    names = words(ach_transfer.Return, "return_reason_code")
    assert set(ACH_RETURNS) == names
    with open(ach_transfer.__file__) as source:
        text = re.sub(r"\s+", " ", source.read())
    documented = dict(re.findall(r"- `(\w+)` - Code (R\d\d)", text))
    assert {name: code for name, (code, _) in ACH_RETURNS.items()} == documented
    for name, (code, sentence) in ACH_RETURNS.items():
        assert ach_return_words(code, name) == (f"returned_{code.lower()}", code, sentence)
        assert ach_return_words(None, name) == (f"returned_{code.lower()}", code, sentence)
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("raw", "name", "code", "scheme_code"),
    [
        ("R03", "no_account", "returned_r03", "R03"),
        ("R02", "no_account", "returned_r02", "R02"),  # the code on the wire goes before Increase's name of it
        ("R86", "a_new_reason", "returned_r86", "R86"),
        (None, "a_new_reason", "returned", ""),
        ("<script>", "a_new_reason", "returned", ""),
    ],
)
def test_the_code_of_a_return(raw: str | None, name: str, code: str, scheme_code: str) -> None:
    ours, theirs, sentence = ach_return_words(raw, name)
    assert (ours, theirs) == (code, scheme_code)
    assert sentence


def test_no_sentence_tells_of_sanctions_or_deaths() -> None:
    sentences = {sentence for _, sentence in (*ACH_RETURNS.values(), *RTP_REJECTIONS.values())}
    assert not [sentence for sentence in sentences if re.search("OFAC|frozen|deceased|fraud", sentence, re.IGNORECASE)]


@pytest.mark.parametrize(("code", "ours"), [("AC04", "returned_ac04"), ("ZZ99", "returned_zz99"), (None, "returned")])
def test_wire_reversals(code: str | None, ours: str) -> None:
    assert wire_reversal_words(code)[:2] == (ours, code or "")


def test_every_rejection_of_a_real_time_payment() -> None:
    assert set(RTP_REJECTIONS) == words(real_time_payments_transfer.Rejection, "reject_reason_code")
    assert rejection_words("a_new_reason")[0] == "payout_rejected"
    assert rejection_words(None)[0] == "payout_rejected"


def test_every_notification_of_change() -> None:
    assert set(CORRECTIONS) == words(ach_transfer.NotificationsOfChange, "change_code")
    assert len(set(CORRECTIONS.values())) == len(CORRECTIONS)
    assert all(re.fullmatch(r"C\d\d", code) for code in CORRECTIONS.values())
    assert correction_of("a_new_change") == "unknown"


def test_every_bank() -> None:
    assert set(BANKS) == words(types.Account, "bank")


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("ach_transfer_uoxatyh3lt5evrsdvo7q", "ach_transfer"),
        ("sandbox_ach_transfer_uoxatyh3lt5evrsdvo7q", "ach_transfer"),
        ("sandbox_inbound_real_time_payments_transfer_x", "inbound_real_time_payments_transfer"),
        ("inbound_ach_transfer_x", "inbound_ach_transfer"),
        ("x", ""),
    ],
)
def test_the_kind_that_an_id_names(reference: str, kind: str) -> None:
    assert kind_of(reference) == kind
