"""Whom each process of a development instance runs as, and what is theirs on the disk.

Started by root, API, worker and signer each become an account of their own, which needs no entry anywhere: three
numbers that nobody else has. Then neither the API nor the worker can read the wallet's key, whatever they are made to
do. Started by anybody else, all of them are that user, and the key is still encrypted: only the signer is told the
passphrase.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from app.embedded_cluster import ROOT_STORE
from app.embedded_programs import Account
from app.run_as import RunAs
from app.signer.places import Folder, open_socket
from app.signer.policy import DEVELOPMENT, read_policy, write_policy

# Between the accounts of people (below 60000) and those that systemd makes up (from 61184).
DATABASE_GROUP: Final = 60_930  # who may enter the directory of PostgreSQL's socket
_API: Final = 60_931
_WORKER: Final = 60_932
_SIGNER: Final = 60_933
_SOCKET_PATH_LIMIT: Final = 100  # bytes; see app/embedded_cluster.py
_SHORT_STORE: Final = Path("/tmp")  # noqa: S108 - only below a directory of our own
_SEPA_FOLDERS: Final = ("outbox", "inbox")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who runs what; None is whoever we are."""

    api: RunAs | None = None
    worker: RunAs | None = None
    signer: RunAs | None = None

    @classmethod
    def ours(cls) -> Self:
        """As root three accounts, else none."""
        if os.geteuid() != 0:
            return cls()
        groups = (DATABASE_GROUP,)
        return cls(RunAs(_API, _API, groups), RunAs(_WORKER, _WORKER, groups), RunAs(_SIGNER, _SIGNER))


def sepa_folder(home: Path, accounts: Accounts) -> Path:
    """Where the worker and the bank exchange files; the worker's own."""
    folder = _own_folder(home, "sepa", accounts.worker)
    for name in _SEPA_FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    if accounts.worker is not None:
        _give(folder, accounts.worker.uid, accounts.worker.gid)
    return folder


def signer_folder(home: Path, accounts: Accounts) -> Path:
    """The signer's own; the worker may pass through to the socket in it, and sees nothing else."""
    folder = _own_folder(home, "signer", accounts.signer)
    _allow(Folder(folder).policy_file)
    if accounts.signer is not None and accounts.worker is not None:
        _give(folder, accounts.signer.uid, accounts.signer.gid)
        os.chown(folder, accounts.signer.uid, accounts.worker.gid)
        folder.chmod(0o710)
    return folder


def signer_socket(folder: Path, accounts: Accounts) -> tuple[Path, socket.socket]:
    """The signer's socket, listening: only the signer's account and the worker's can call it."""
    path = folder / "signer.sock"
    if len(os.fsencode(path)) > _SOCKET_PATH_LIMIT:
        short = _SHORT_STORE / f"rampwright-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
        short.mkdir(mode=0o700, exist_ok=True)
        facts = short.lstat()
        if facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
            raise PermissionError(f"{short} is not a directory of ours alone")
        path = short / "signer.sock"
    listener = open_socket(path)
    if accounts.signer is not None and accounts.worker is not None:
        os.chown(path, accounts.signer.uid, accounts.worker.gid)
    return path, listener


def _allow(policy_file: Path) -> None:
    """Let everything be signed that development needs; what somebody has written there stays."""
    known = read_policy(policy_file) if policy_file.exists() else {}
    if not DEVELOPMENT.keys() <= known.keys():
        policy_file.write_bytes(write_policy({**DEVELOPMENT, **known}))
        policy_file.chmod(0o600)


def _own_folder(home: Path, name: str, account: RunAs | None) -> Path:
    """A folder of the home, or a link there to one below ROOT_STORE where the account cannot reach the home."""
    folder = home / name
    if account is not None:
        enters = Account(account.uid, account.gid)
        if not enters.can_enter(home) and enters.can_enter(home.parent):
            home.chmod(home.stat().st_mode | 0o011)
        elif not enters.can_enter(home) and not folder.is_symlink():
            ROOT_STORE.mkdir(mode=0o755, parents=True, exist_ok=True)
            store = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=ROOT_STORE))
            if folder.exists():
                for path in folder.iterdir():  # of an earlier version, or another user
                    shutil.move(path, store / path.name)
                folder.rmdir()
            folder.symlink_to(store)
    folder = folder.resolve()
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _give(folder: Path, uid: int, gid: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)
