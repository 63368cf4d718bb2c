"""QR codes: the path that is drawn is the code, module by module."""

from __future__ import annotations

import re

import pytest
import segno

from app.services.qr import qr_code


def drawn(path: str) -> set[tuple[int, int]]:
    """The modules that a path fills."""
    filled: set[tuple[int, int]] = set()
    steps = re.findall(r"M(\d+) (\d+)h(\d+)v1H(\d+)z", path)
    assert "".join(f"M{x} {y}h{width}v1H{back}z" for x, y, width, back in steps) == path
    for x, y, width, back in steps:
        assert back == x
        run = {(int(x) + step, int(y)) for step in range(int(width))}
        assert filled.isdisjoint(run)
        filled |= run
    return filled


@pytest.mark.parametrize(
    "text", ["a", "bitcoin:bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080?amount=0.01000000", "0x" + "a" * 40]
)
def test_the_path_is_the_code(text: str) -> None:
    code = qr_code(text)
    matrix = segno.make_qr(text, error="m").matrix
    assert code.size == len(matrix) + 8
    assert drawn(code.path) == {
        (x + 4, y + 4) for y, row in enumerate(matrix) for x, module in enumerate(row) if module
    }
