"""What SEPA can carry, and how our ids travel in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.assets import EUR, USD
from app.domain.money import Money
from app.domain.sepa_text import checked_reference, spelled_name
from providers.sepa.spelling import checked_cents, from_wire, payout_of, to_wire

ULID = st.from_regex(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", fullmatch=True)


@given(ULID)
def test_a_payouts_id_comes_back_as_it_was(ulid: str) -> None:
    ours = f"po_{ulid}"
    written = to_wire(ours)
    assert "_" not in written
    assert len(written) == 29
    assert from_wire(written) == ours == payout_of(written)


@pytest.mark.parametrize("ours", ["", "po-1", "_po", "po__1", "po_1_", "po/1", "a" * 36, "pö_1", "po_1\n"])
def test_an_id_that_could_not_be_read_back_is_refused(ours: str) -> None:
    with pytest.raises(ValueError, match="an id"):
        to_wire(ours)


@pytest.mark.parametrize(
    "theirs",
    ["NOTPROVIDED", "INV-2026-1", "po-1", "po_01JD0000000000000000000000", "po-01jd0000000000000000000000", "-", " "],
)
def test_an_id_of_somebody_elses_is_not_taken_for_ours(theirs: str) -> None:
    assert payout_of(theirs) is None


@pytest.mark.parametrize("text", ["", "Invoice 7/2026", "A-Z a-z 0-9 /-?:().,'+", "x" * 140])
def test_a_reference_stays_as_it_is(text: str) -> None:
    assert checked_reference(text) == text


@pytest.mark.parametrize("text", ["x" * 141, "für März", "a_b", "a\nb", "a&b", "\u0967", "a\u00a0b", "\x00"])
def test_a_reference_is_refused_rather_than_changed(text: str) -> None:
    with pytest.raises(ValueError, match="a reference"):
        checked_reference(text)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("Zoë Müller", "Zoe Muller"),
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("Søren Æbelø", "Soren Abelo"),
        ("Groß & Söhne", "Gros + Sohne"),
        ("O\u2019Neill", "O'Neill"),
        ("Şahin \u0131k", "Sahin ik"),
        ("x" * 70, "x" * 70),
    ],
)
def test_a_name_loses_its_accents_and_nothing_else(name: str, spelled: str) -> None:
    assert spelled_name(name) == spelled


@pytest.mark.parametrize("name", ["", "  ", "x" * 71, "Анна", "a\tb", "a<b", "李"])
def test_a_name_that_cannot_be_carried_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name"):
        spelled_name(name)


@pytest.mark.parametrize("amount", [Money(0, EUR), Money(-1, EUR), Money(100_000_000_000, EUR), Money(1, USD)])
def test_an_amount_that_sepa_does_not_carry_is_refused(amount: Money) -> None:
    with pytest.raises(ValueError, match="SEPA"):
        checked_cents(amount)
