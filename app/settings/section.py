"""What every section of the settings has in common: where its values come from, and that they do not change."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS_DIRECTORY = Path("/run/secrets")


class Section(BaseSettings):
    """Read from variables that begin with `RAMPWRIGHT_`, or from files in SECRETS_DIRECTORY."""

    model_config = SettingsConfigDict(
        env_prefix="RAMPWRIGHT_",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # what was given may be a secret
        secrets_dir=SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None,
    )
