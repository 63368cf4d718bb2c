"""`rampwright signer`: the process that holds the keys. It reads no database, and is spoken to over its socket only."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from pydantic import BaseModel

from app.cli.output import told
from app.cli.passphrases import PassphraseFd, PassphraseFile, read_passphrase
from app.cli.supervised import Supervised
from app.domain.intent import IntentKeys
from app.run_as import RunAs, become
from app.settings import ProcessSettings, SignerSettings
from app.signer import key_file
from app.signer.hardening import harden
from app.signer.places import Folder, open_socket
from app.signer.policy import read_policy
from app.signer.program import SignerError, keys_of, open_vault, serve
from providers.bitcoin.containment import DATA_FOLDER

log = structlog.get_logger(__name__)


class Told(BaseModel):
    """What a signer is told, by its supervisor in a line of JSON: the passphrase of the key file.

    `seed`, in hex, is what to begin with where there is no key file; empty for a new one, None when there must be one.
    """

    passphrase: str
    seed: str | None = None


def register(app: typer.Typer) -> None:
    """Add `rampwright signer`."""
    app.command("signer")(signer)


def signer(
    passphrase_fd: PassphraseFd = None,
    passphrase_file: PassphraseFile = None,
    listen_fd: Annotated[int | None, typer.Option(hidden=True, help="An inherited listening socket.")] = None,
    supervised: Supervised = False,
) -> None:
    """Hold the wallet's keys, and sign what the policy allows."""
    harden()
    with told(ValueError):
        process, settings = ProcessSettings(), SignerSettings()
        home = settings.signer_home or process.home / "signer"
        folder = Folder(home)
        intent_keys = _intent_keys(process, settings)
        if supervised:
            told_to = Told.model_validate_json(sys.stdin.readline())
        else:
            told_to = Told(passphrase=read_passphrase(passphrase_fd, passphrase_file))
        become(None if process.run_as is None else RunAs.parse(process.run_as), owned=[DATA_FOLDER])
        harden()
        policy = read_policy(folder.policy_file)
        keys = keys_of(seed_in(folder, told_to), policy)
        listener = _listener(settings.signer_socket or home / "signer.sock", listen_fd)
        with open_vault(folder, keys, policy, intent_keys) as vault:
            if supervised:
                print(json.dumps({"account_keys": vault.public()}), flush=True)  # noqa: T201 - the supervisor reads it
            log.info("signer.serving", networks=sorted(vault.public()), uid=os.getuid())
            asyncio.run(serve(vault, listener))


def _intent_keys(process: ProcessSettings, settings: SignerSettings) -> IntentKeys:
    path = settings.intent_keys_file or process.secrets / "intent_keys"
    try:
        return IntentKeys.read(path.read_text())
    except OSError as error:
        raise SignerError(f"the keys of the seals cannot be read: {error}") from None


def seed_in(folder: Folder, told_to: Told) -> bytes:
    """The seed in the key file; a supervisor's signer makes the file where there is none. Raises KeyFileError."""
    if told_to.seed is None or folder.key_file.exists():
        return key_file.decrypt(key_file.read(folder.key_file), told_to.passphrase)
    seed = bytes.fromhex(told_to.seed) or secrets.token_bytes(64)
    key_file.write_new(folder.key_file, key_file.encrypt(seed, told_to.passphrase))
    return seed


def _listener(path: Path, listen_fd: int | None) -> socket.socket:
    return open_socket(path) if listen_fd is None else socket.socket(fileno=listen_fd)
