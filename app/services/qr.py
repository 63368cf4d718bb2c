"""QR codes as the path of an SVG: one number and one string, so that the page needs no library."""

from __future__ import annotations

from typing import Final

import segno

from app.schemas.session_page import QrOut

_QUIET: Final = 4  # modules around the code, ISO/IEC 18004


def qr_code(text: str) -> QrOut:
    """The code of a text, at error correction level M at least. Each run of dark modules is one rectangle."""
    matrix = segno.make_qr(text, error="m").matrix
    path = []
    for y, row in enumerate(matrix, _QUIET):
        start: int | None = None
        for x, dark in enumerate((*row, 0), _QUIET):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                path.append(f"M{start} {y}h{x - start}v1H{start}z")
                start = None
    return QrOut(size=len(matrix) + 2 * _QUIET, path="".join(path))
