"""Whom the bundled PostgreSQL runs as, whose programs it uses, and what that does to the modes of directories."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from app.embedded import EmbeddedPostgres
from app.embedded_programs import (
    WHEEL_LIBRARIES,
    WHEEL_PACKAGE,
    Account,
    EmbeddedPostgresError,
    binary,
    binary_directory,
    pgbench_path,
    usable_directory,
    wheel_root,
)
from tests.embedded.conftest import Owner, ask

DISTRIBUTION = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
AS_ROOT = os.geteuid() == 0  # the server then runs as another account, which must be let in; else it is ours


def mode(path: Path) -> int:
    """The permission bits of `path`."""
    return path.stat().st_mode & 0o7777


def uid_of(pid: int) -> int:
    """The user that the process `pid` runs as."""
    return Path(f"/proc/{pid}").stat().st_uid


def test_nothing_is_open_to_others(home: Path) -> None:
    with EmbeddedPostgres(home) as postgres:
        assert postgres.pid is not None
        assert uid_of(postgres.pid) != 0
        assert mode(home / "postgres" / "data") == 0o700
        assert mode(home / "postgres" / "run") == 0o700
        assert mode(home / "postgres" / "postgres.log") == 0o600
        assert mode(home) & 0o066 == mode(home / "postgres") & 0o066 == 0


def test_root_opens_no_directory_above_the_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = home.parent / "store"
    monkeypatch.setattr("app.embedded_cluster.ROOT_STORE", store)
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    inner = closed / "var"
    for _ in range(2):  # the second start finds what the first one left
        with EmbeddedPostgres(inner) as postgres:
            assert ask(postgres.url, "SELECT 1") == "1"
            assert postgres.pid is not None
            assert uid_of(postgres.pid) != 0
        assert mode(closed) == 0o700
        assert (inner / "postgres").resolve().parent == (store if AS_ROOT else inner)
        assert (len(list(store.iterdir())) if store.exists() else 0) == int(AS_ROOT)
        assert mode(inner / "postgres" / "data") == 0o700


def test_root_with_a_closed_home_in_an_open_place(home: Path) -> None:
    home.mkdir(mode=0o700)
    before = mode(home.parent)
    with EmbeddedPostgres(home) as postgres:
        assert ask(postgres.url, "SELECT 1") == "1"
    assert mode(home) == (0o711 if AS_ROOT else 0o700)
    assert mode(home.parent) == before
    assert not (home / "postgres").is_symlink()


def test_wheel_behind_a_closed_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = home.parent / "site-packages"
    closed.mkdir(mode=0o700)
    for part in (Path(WHEEL_PACKAGE), WHEEL_LIBRARIES):
        (closed / part).symlink_to(wheel_root() / part)
    monkeypatch.syspath_prepend(str(closed))
    assert wheel_root() == closed
    with EmbeddedPostgres(home) as postgres:
        assert ask(postgres.url, "SELECT 1") == "1"
        program = Path(f"/proc/{postgres.pid}/exe").readlink()
    copies = list((home / "postgres").glob("programs-*"))
    assert len(copies) == int(AS_ROOT)
    assert any(program.is_relative_to(copy) for copy in copies) is AS_ROOT
    assert mode(closed) == 0o700


def test_ordinary_user(home: Path, own: Callable[..., Owner]) -> None:
    flags: tuple[str, ...] = ()
    environ = {}
    user = os.geteuid()
    if user == 0:
        nobody = pwd.getpwnam("nobody")
        account = Account(nobody.pw_uid, nobody.pw_gid)
        environ = {"RAMPWRIGHT_PG_BIN": str(usable_directory(account, home.parent))}
        user = account.uid
        home.mkdir()
        os.chown(home, account.uid, account.gid)
        flags = ("--nobody",)
    owner = own(*flags, environ=environ)
    assert uid_of(owner.pid) == user
    assert ask(owner.url, "SELECT 1") == "1"
    assert mode(home / "postgres") == 0o700
    owner.kill()


def test_programs_of_the_operators_choice(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The distribution's where there are some, for they are older; else the bundled ones, named like any other's."""
    wanted = DISTRIBUTION[0].parent if DISTRIBUTION else binary("postgres").parent
    monkeypatch.setenv("RAMPWRIGHT_PG_BIN", str(wanted))
    with EmbeddedPostgres(home) as postgres:
        assert Path(f"/proc/{postgres.pid}/exe").readlink().parent == wanted
        monkeypatch.delenv("RAMPWRIGHT_PG_BIN")
        assert ask(postgres.url, "SHOW server_encoding") == "UTF8"


def test_programs_for_the_benchmarks() -> None:
    assert os.access(pgbench_path(), os.X_OK)
    with pytest.raises(EmbeddedPostgresError, match="no program pg_nothing"):
        binary("pg_nothing")


def test_a_directory_without_the_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="no program postgres"):
        binary_directory({"RAMPWRIGHT_PG_BIN": str(tmp_path)})
