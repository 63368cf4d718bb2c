"""A vault on a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.signer.vault import Vault
from tests.signer.vaults import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A folder without anything signed."""
    return Rig(tmp_path)


@pytest.fixture
def vault(rig: Rig) -> Iterator[Vault]:
    """A signer that has signed nothing yet."""
    with rig.open() as opened:
        yield opened
