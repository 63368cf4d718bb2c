"""Settings of the processes themselves, and of the signer beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from app.settings.section import Section


class ProcessSettings(Section):
    """Where this process runs and what it keeps."""

    mode: Literal["test", "live"] = "test"
    home: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    operator_host: str = "127.0.0.1"
    operator_port: int = Field(default=0, ge=0, le=65535)
    database_url: str | None = None
    pool_size: int = Field(default=8, ge=1, le=100)
    allow_loopback: bool = False
    public_hosts: tuple[str, ...] = ()  # the names under which we are reached: no subscriber can be there
    sandbox_url: str | None = None
    seal_keys_file: Path | None = None  # one Fernet key a line, newest first
    run_as: str | None = None  # uid:gid or uid:gid:group,group; what root becomes once it has started

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        return self.mode == "live"

    @property
    def secrets(self) -> Path:
        """The folder of the keys that this instance made for itself."""
        return self.home / "secrets"


class SignerSettings(Section):
    """The signer: where it keeps the keys, where it is called, and what it is called with."""

    signer_home: Path | None = None  # <home>/signer where there is no other; the signer's alone
    signer_socket: Path | None = None  # <signer_home>/signer.sock where there is no other
    account_keys: dict[str, str] = Field(default_factory=dict)  # extended public keys, by network
    intent_keys_file: Path | None = None  # one key in hex a line, newest first
