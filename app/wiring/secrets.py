"""Wiring of the instance's own secrets."""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from app.domain.intent import IntentKeys
from app.services.sealing import Sealer
from app.services.session_tokens import SessionTokens
from app.settings import Settings


def sealer(settings: Settings) -> Sealer:
    """The instance's encryption keys; outside live mode a first key is made where there is none."""
    path = settings.process.seal_keys_file or settings.process.secrets / "seal_keys"
    if not path.exists():
        write_secret(path, Fernet.generate_key().decode())
    return Sealer([line.encode() for line in path.read_text().split()])


def intent_keys(settings: Settings) -> IntentKeys:
    """The keys of the seals upon what is agreed to be sent; outside live mode a first one is made."""
    path = settings.signer.intent_keys_file or settings.process.secrets / "intent_keys"
    if not path.exists():
        write_secret(path, secrets.token_hex(32))
    return IntentKeys.read(path.read_text())


def session_tokens(settings: Settings) -> SessionTokens:
    """The keys that sign the client secrets of sessions; outside live mode a first one is made."""
    path = settings.widget.session_keys_file or settings.process.secrets / "session_keys"
    if not path.exists():
        write_secret(path, secrets.token_hex(32))
    return SessionTokens.read(path.read_text())


def write_secret(path: Path, secret: str) -> None:
    """Write a secret where only this account can read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret)
