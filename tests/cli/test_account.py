"""In live mode no process that talks to the world starts where it could read a key."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from app.settings import BitcoinSettings, ProcessSettings, Settings, SignerSettings
from app.wiring.needed import NotConfigured
from app.wiring.signing import refuse_keys_in_reach


def settings(home: Path, mode: Literal["test", "live"] = "live") -> Settings:
    """Settings that say where keys would be, and leave the rest out."""
    return Settings.model_construct(
        process=ProcessSettings(mode=mode, home=home), bitcoin=BitcoinSettings(), signer=SignerSettings()
    )


@pytest.mark.parametrize("name", ["signer/key.json", "secrets/bitcoin_seed"])
def test_live_mode_refuses_to_start_beside_a_key(tmp_path: Path, name: str) -> None:
    refuse_keys_in_reach(settings(tmp_path))
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text("{}")
    refuse_keys_in_reach(settings(tmp_path, "test"))
    with pytest.raises(NotConfigured, match="only the signer may"):
        refuse_keys_in_reach(settings(tmp_path))
