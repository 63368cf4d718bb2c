"""Every fault of docs/faults.md has a test with its number, or says why it cannot occur."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
FAULTS = range(30, 100)  # calls to providers, money that comes back, coins that arrive and leave


def rows() -> dict[int, str]:
    """Each fault's row."""
    page = (REPOSITORY / "docs" / "faults.md").read_text()
    found = re.findall(r"^\| F-(\d+) \| .+? \| (.+) \|$", page, re.MULTILINE)
    assert len(found) == len(dict(found)), "a fault has two rows"
    return {int(number): text for number, text in found}


def proved() -> set[int]:
    """The faults whose numbers are in the names of tests."""
    names = [
        name
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        for name in re.findall(r"def test_fault_f((?:_(?:f_)?\d+)+)_", path.read_text())
    ]
    return {int(number) for name in names for number in re.findall(r"_(\d+)", name)}


def test_every_fault_has_a_row() -> None:
    assert sorted(rows()) == list(FAULTS)


def test_every_fault_has_a_test_or_cannot_occur() -> None:
    """One of the two: a fault that is tested occurs."""
    said = {number for number, text in rows().items() if text.startswith("Cannot occur: ")}
    assert sorted(set(FAULTS) - proved() - said) == [], "faults without a test"
    assert sorted(said & proved()) == [], "faults that are tested and said not to occur"
