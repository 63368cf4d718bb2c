"""Every row of the table of attacks on sessions and their page has a test with its number."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROWS = range(1, 13)


def test_every_row_has_a_test() -> None:
    names = re.findall(r"def test_s_(\d\d)_", "".join(path.read_text() for path in TESTS.rglob("test_*.py")))
    assert set(ROWS) - {int(number) for number in names} == set()
