"""The widget's settings: our own origin, explorers, and the keys of client secrets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import ProcessSettings, Settings, WidgetSettings
from app.wiring.secrets import session_tokens


@pytest.mark.parametrize("url", ["https://ramp.example", "https://ramp.example:8443", "http://127.0.0.1:8000"])
def test_our_own_origin(url: str) -> None:
    assert WidgetSettings(public_url=url).public_url == url


@pytest.mark.parametrize("url", ["", "ramp.example", "https://ramp.example/", "http://ramp.example", "https://*"])
def test_what_is_no_origin(url: str) -> None:
    with pytest.raises(ValidationError):
        WidgetSettings(public_url=url)


@pytest.mark.parametrize(
    "url", ["https://mempool.space/tx/", "http://mempool.space/{tx_hash}", "javascript:alert('{tx_hash}')"]
)
def test_an_explorer_is_an_https_page_of_a_transaction(url: str) -> None:
    with pytest.raises(ValidationError):
        WidgetSettings(explorers={"bitcoin": url})
    pattern = "https://mempool.space/tx/{tx_hash}"
    assert WidgetSettings(explorers={"bitcoin": pattern}).explorers == {"bitcoin": pattern}


def test_live_mode_is_reached_by_tls_and_has_keys_of_its_own() -> None:
    live = ProcessSettings(mode="live")
    with pytest.raises(ValidationError) as refused:
        Settings(process=live, widget=WidgetSettings(public_url="http://127.0.0.1:8000"))
    assert "RAMPWRIGHT_PUBLIC_URL without TLS" in str(refused.value)
    assert "live mode needs RAMPWRIGHT_SESSION_KEYS_FILE" in str(refused.value)
    with pytest.raises(ValidationError) as needed:
        Settings(process=live)
    assert "live mode needs RAMPWRIGHT_PUBLIC_URL" in str(needed.value)
    assert "without TLS" not in str(needed.value)


def test_a_first_key_is_made_for_our_account_alone_and_kept(tmp_path: Path) -> None:
    settings = Settings(process=ProcessSettings(home=tmp_path))
    session_tokens(settings)
    path = tmp_path / "secrets" / "session_keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_text()
    session_tokens(settings)
    assert path.read_text() == made
