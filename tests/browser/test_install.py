"""What is missing is said, with the command that brings it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser.install import BrowserMissing, chromium_path, install


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system on which nothing is installed, and we are nobody in particular."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.usefixtures("nowhere")
def test_without_chromium_and_without_root_the_command_is_named() -> None:
    with pytest.raises(BrowserMissing, match="apt install chromium-headless-shell fonts-noto-core"):
        install()


@pytest.mark.usefixtures("nowhere")
def test_a_chromium_elsewhere_is_named_and_must_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "my-chromium"
    monkeypatch.setenv("CHROMIUM", str(mine))
    with pytest.raises(BrowserMissing, match="CHROMIUM names no program"):
        chromium_path()
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    assert chromium_path() == mine
