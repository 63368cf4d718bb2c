"""Settings of the embedded widget and its pages."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from app.domain.origins import is_origin
from app.settings.section import Section


class WidgetSettings(Section):
    """Where pages are reached, what signs their secrets, and what they show."""

    public_url: str | None = None  # our own origin; without it, wherever a request was sent to
    session_keys_file: Path | None = None  # one key in hex a line, newest first
    own_window_above: dict[str, int] = Field(default_factory=lambda: {"EUR": 100_000, "USD": 100_000, "GBP": 100_000})
    explorers: dict[str, str] = Field(default_factory=dict)  # by network, with `{tx_hash}` in them

    @field_validator("public_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is not None and not is_origin(value, allow_loopback=True):
            raise ValueError("is `https://` and a host name, with nothing behind it but perhaps a port")
        return value

    @field_validator("explorers")
    @classmethod
    def _check_explorers(cls, value: dict[str, str]) -> dict[str, str]:
        if not all(url.startswith(("https://", "http://127.0.0.1:")) and "{tx_hash}" in url for url in value.values()):
            raise ValueError("an explorer is an https URL with `{tx_hash}` in it")
        return value
