"""Card numbers and keys in texts: found in every usual form, and little else taken for one."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.forbidden import Forbidden, forbidden_in
from tests.support.processor import seconds_here


def with_check_digit(digits: str) -> str:
    """The digits with the one more that makes them pass the Luhn check, found by the textbook's way."""
    for last in "0123456789":
        total = 0
        for position, digit in enumerate(reversed(digits + last)):
            value = int(digit)
            if position % 2:
                value = value * 2 - 9 if value > 4 else value * 2
            total += value
        if total % 10 == 0:
            return digits + last
    raise AssertionError


@given(
    st.sampled_from("23456"),
    st.text("0123456789", min_size=11, max_size=17),
    st.sampled_from(["", " ", "-"]),
    st.integers(min_value=2, max_value=6),
    st.sampled_from(["{}", "card {}", "{} please", "({})", "no.{}!", "x{}"]),
)
def test_every_card_number_is_found(first: str, rest: str, separator: str, width: int, around: str) -> None:
    number = with_check_digit(first + rest)
    written = separator.join(number[start : start + width] for start in range(0, len(number), width))
    assert forbidden_in(around.format(written)) is Forbidden.CARD


@given(st.sampled_from("3456"), st.text("0123456789", min_size=14, max_size=14))
def test_a_wrong_check_digit_is_no_card(first: str, rest: str) -> None:
    number = with_check_digit(first + rest)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert forbidden_in(wrong) is None


def test_hashes_are_hardly_ever_taken_for_cards() -> None:
    source = random.Random(1)
    texts = [f"{source.getrandbits(256):064x}" for _ in range(20_000)]
    assert [text for text in texts if forbidden_in(text)] == []


@pytest.mark.parametrize(
    "text", ["4 " * 4_000, "1 " * 4_000, "5-1-" * 2_000, "abandon " * 1_000, "K" * 8_000, "xprv" * 2_000]
)
def test_the_longest_text_costs_little(text: str) -> None:
    spent: list[float] = []
    for _ in range(3):
        started = time.process_time()
        forbidden_in(text)
        spent.append(time.process_time() - started)
    assert min(spent) < seconds_here(0.05)
