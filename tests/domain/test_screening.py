"""When two spellings are one address, when a list is too old, and how a case ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.errors import IllegalTransition
from app.domain.screening import CASE, CaseState, CaseTrigger, Freshness, match_key

HEX = "0x9162c5265012ff986C5534D62114e1F9adD79561"
BECH32 = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
BASE58 = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HEX, HEX.lower()),
        (HEX, "0x" + HEX[2:].upper()),
        (HEX, "0X" + HEX[2:].upper()),
        (BECH32, BECH32.upper()),
        ("bitcoincash:" + BECH32, "BITCOINCASH:" + BECH32.upper()),
        (BASE58, f"  {BASE58}\n"),
        (BASE58, "1BvBMSEYstWetqTFn5Au4m4GFg 7xJaNVN2"),
    ],
)
def test_spellings_of_one_address_are_one(one: str, other: str) -> None:
    assert match_key(one) == match_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (BASE58, BASE58.lower()),  # base58 tells capitals from small letters
        (BASE58, BASE58.upper()),
        (BASE58, BASE58[:-1] + "3"),
        (BECH32, BECH32[:-1] + "5"),
        (HEX, HEX[:-1] + "2"),
        (HEX, HEX[2:]),
        ("TNVaKWQzau4xL4RyzdKkQDWVqGJ4dmYqxx", "TNVaKWQzau4xL4RyzdKkQDWVqGJ4dmYqxX"),
    ],
)
def test_other_addresses_stay_others(one: str, other: str) -> None:
    assert match_key(one) != match_key(other)


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULES = Freshness(fetched_within=timedelta(hours=24), issued_within=timedelta(days=45))


@pytest.mark.parametrize(
    ("imported_hours", "issued_days", "problem"),
    [
        (0, 0, None),
        (24, 45, None),
        (24.01, 0, "imported 24 hours ago"),
        (0, 45.01, "issued 45 days ago"),
        (1000, 1000, "imported 1000 hours ago"),
    ],
)
def test_fault_f_155_a_list_is_believed_so_long_and_no_longer(
    imported_hours: float, issued_days: float, problem: str | None
) -> None:
    found = RULES.problem(
        imported_at=NOW - timedelta(hours=imported_hours), issued_at=NOW - timedelta(days=issued_days), now=NOW
    )
    assert (found is None) if problem is None else (found is not None and problem in found)


def test_no_list_at_all_is_a_problem() -> None:
    assert RULES.problem(imported_at=None, issued_at=None, now=NOW) == "no list was ever imported"


def test_a_case_ends_once() -> None:
    for trigger in CaseTrigger:
        ended = CASE.target(CaseState.OPEN, trigger)
        assert ended.value == trigger.value
        for again in CaseTrigger:
            with pytest.raises(IllegalTransition):
                CASE.target(ended, again)
