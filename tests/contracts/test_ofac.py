"""The reader of OFAC's list keeps the contract."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.dev.caretaker import SANCTIONS
from providers.contracts.screening import ListContract, ListHarness
from providers.ofac.sdn import SdnAdvanced


class SdnHarness(ListHarness):
    """The list that development uses: invented parties, in the real list's form."""

    format = SdnAdvanced()
    issued_on = date(2026, 1, 2)
    addresses = frozenset(
        {
            "bcrt1q2vjtln4rjel63r4pj6z7g5fnrttcv2pds0wz2f",
            "mwBjpwsgxGkYzDPLKmMu4mtx6cZbTA3GZE",
            "0x9162c5265012ff986C5534D62114e1F9adD79561",
            "rltc1qa3ycj3tmlp0yqsgw0l6wyh9gt25ft9vd8t07kp",
            "0x348D1C34FF4AE081B8F863D7DE60E3E4B23E27FE",
        }
    )

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sound(self) -> Path:
        return SANCTIONS

    def nobody(self) -> Path:
        # The same features under a name that is not an address's.
        without = self._folder / "sdn_advanced.xml"
        without.write_text(SANCTIONS.read_text().replace("Digital Currency Address", "Website"))
        return without


class TestSdn(ListContract):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> SdnHarness:
        return SdnHarness(tmp_path)
