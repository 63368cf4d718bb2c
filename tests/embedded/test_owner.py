"""The owner of the bundled PostgreSQL: start, stop, crashes of either side, remains of earlier runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from app.embedded import EmbeddedPostgres
from app.embedded_cluster import processes, wait_until
from app.embedded_programs import EmbeddedPostgresError, child_account
from tests.embedded.conftest import ROOT, Owner, ask


def test_server_is_our_own_child(home: Path) -> None:
    with EmbeddedPostgres(home) as postgres:
        assert f"\nPPid:\t{os.getpid()}\n" in Path(f"/proc/{postgres.pid}/status").read_text()


async def test_starts_stops_and_starts_again(home: Path) -> None:
    postgres = EmbeddedPostgres(home)
    assert postgres.pid is None
    url = postgres.start()
    assert postgres.start() == url == postgres.url
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    assert await connection.fetchval("SHOW timezone") == "UTC"
    assert await connection.fetchval("SHOW fsync") == "on"
    assert await connection.fetchval("SHOW listen_addresses") == ""
    await connection.close()
    first = postgres.pid
    postgres.stop()
    assert postgres.pid is None
    assert not processes(home / "postgres" / "data")
    postgres.stop()
    with EmbeddedPostgres(home, settings={"fsync": "off"}) as again:
        assert again.url == url
        assert again.pid != first
        assert ask(again.url, "SELECT one FROM kept") == "1"
        assert ask(again.url, "SHOW fsync") == "off"
        assert ask(again.url, "SELECT current_user, current_database()") == "rampwright|rampwright"


def test_server_killed(home: Path) -> None:
    with EmbeddedPostgres(home) as postgres:
        ask(postgres.url, "CREATE TABLE kept (n int)")
        ask(postgres.url, "INSERT INTO kept SELECT generate_series(1, 1000)")
        killed = postgres.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        assert wait_until(lambda: postgres.pid is None, 5)
        postgres.start()
        assert postgres.pid not in (None, killed)
        assert ask(postgres.url, "SELECT count(*) FROM kept") == "1000"


def test_server_ends_with_its_killed_owner(home: Path, own: Callable[..., Owner]) -> None:
    owner = own()
    ask(owner.url, "CREATE TABLE kept AS SELECT 1 AS one")
    owner.kill()
    assert wait_until(lambda: not processes(home / "postgres" / "data"), 10)
    with EmbeddedPostgres(home) as postgres:
        assert ask(postgres.url, "SELECT one FROM kept") == "1"


def test_waits_for_an_orphan_that_is_still_shutting_down(home: Path, own: Callable[..., Owner]) -> None:
    owner = own()
    ask(owner.url, "CREATE TABLE kept AS SELECT 1 AS one")
    os.kill(owner.pid, signal.SIGSTOP)
    owner.kill()
    began = time.monotonic()
    thaw = threading.Timer(1.5, os.kill, (owner.pid, signal.SIGCONT))
    thaw.start()
    with EmbeddedPostgres(home) as postgres:
        assert time.monotonic() - began > 1.4
        assert owner.pid not in processes(home / "postgres" / "data")
        assert ask(postgres.url, "SELECT one FROM kept") == "1"
    thaw.join()


def test_ends_an_orphan_that_nobody_told_to_end(home: Path, own: Callable[..., Owner]) -> None:
    owner = own("--detached")
    ask(owner.url, "CREATE TABLE kept AS SELECT 1 AS one")
    owner.kill()
    time.sleep(0.3)
    assert owner.pid in processes(home / "postgres" / "data")
    with EmbeddedPostgres(home) as postgres:
        assert owner.pid not in processes(home / "postgres" / "data")
        assert ask(postgres.url, "SELECT one FROM kept") == "1"


@pytest.mark.parametrize("program", ["sleep", "true"], ids=["stranger", "zombie"])
def test_stale_pid_file(home: Path, program: str) -> None:
    data = home / "postgres" / "data"
    with EmbeddedPostgres(home) as postgres:
        remains = (data / "postmaster.pid").read_text().split("\n", 1)[1]
    account = child_account(data)
    stranger = subprocess.Popen([program, "60"], **(account.credentials if account else {}))
    if program == "true":
        assert wait_until(lambda: "\nState:\tZ" in Path(f"/proc/{stranger.pid}/status").read_text(), 5)
    (data / "postmaster.pid").write_text(f"{stranger.pid}\n{remains}")
    try:
        with postgres:
            assert ask(postgres.url, "SELECT 1") == "1"
        assert stranger.poll() == (None if program == "sleep" else 0)
    finally:
        stranger.kill()
        stranger.wait()


def test_second_owner_is_refused(home: Path, own: Callable[..., Owner]) -> None:
    owner = own()
    with pytest.raises(EmbeddedPostgresError, match="Another process owns"):
        EmbeddedPostgres(home).start()
    assert ask(owner.url, "SELECT 1") == "1"


def test_first_start_interrupted(home: Path) -> None:
    command = [sys.executable, "-m", "tests.embedded.owner", str(home)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    assert wait_until(lambda: bool(list(home.glob("postgres/unfinished-*/PG_VERSION"))), 30)
    process.kill()
    process.wait()
    assert not (home / "postgres" / "data").exists()
    with EmbeddedPostgres(home) as postgres:
        assert ask(postgres.url, "SELECT 1") == "1"
        assert not list(home.glob("postgres/unfinished-*"))


def test_failed_start_says_why_and_lets_go(home: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="shared_buffers"):
        EmbeddedPostgres(home, settings={"shared_buffers": "plenty"}).start()
    with EmbeddedPostgres(home) as postgres:
        assert postgres.pid is not None


def test_long_socket_path(home: Path) -> None:
    deep = home / ("a" * 50) / ("b c" * 17)
    with EmbeddedPostgres(deep) as postgres:
        assert ask(postgres.url, "SELECT 1") == "1"
        sockets = Path(postgres.url.split("host=")[1].split("&")[0])
        assert sockets.stat().st_mode & 0o777 == 0o700
    sockets.rmdir()


def test_only_from_the_main_thread(home: Path) -> None:
    caught: list[Exception] = []

    def start() -> None:
        try:
            EmbeddedPostgres(home).start()
        except EmbeddedPostgresError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])
    assert not home.exists()
