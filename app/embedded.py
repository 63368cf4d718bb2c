"""The owner of the bundled PostgreSQL: makes a cluster on first use, runs it as a child, and takes it down with us.

For development, tests and small installations; RAMPWRIGHT_DATABASE_URL, read by the caller, goes before it. Everything
lies in `<home>/postgres`: `data`, `run` (the socket), `lock`, `postgres.log`. The server listens on the socket only, in
a directory that nobody else can enter; that is why no password is needed.
"""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

from app.embedded_cluster import (
    ENVIRONMENT,
    NAME,
    PORT,
    SHUTDOWN_SECONDS,
    clear_remains,
    die_with_parent,
    is_ready,
    make_cluster,
    place,
    socket_directory,
    title,
    wait_until,
)
from app.embedded_programs import Account, Credentials, EmbeddedPostgresError, usable_directory

LOCK_SECONDS = 1.0
START_SECONDS = 60.0  # recovery after a crash included


class EmbeddedPostgres:
    """One PostgreSQL cluster below `home`, owned by this process. The methods block."""

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None, group: int | None = None) -> None:
        """Prepare for `home`, touching nothing; `settings` are the server's, such as {"fsync": "off"} for tests.

        As root, a `group` may connect besides the server's own account and root.
        """
        self._group = group
        self._home = home.absolute()
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The `postgresql://` address of the database, as asyncpg and psql read it. Empty before the first start."""
        return self._url

    @property
    def pid(self) -> int | None:
        """The process id of the running server, else None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> str:
        """Start the server, making the cluster on first use, and return its address once it accepts connections.

        Does nothing when it runs; call it again after the server crashed. Waits for a server that an earlier, killed
        owner left behind. Call it from the main thread. Raises EmbeddedPostgresError when another process owns the
        cluster, when the platform is not supported, or when the server does not come up.
        """
        if self.pid is not None:
            return self._url
        _check_platform()
        try:
            cluster, account = place(self._home)
            self._take_lock(cluster)
            self._launch(cluster, account)
        except PermissionError as error:
            self.stop()
            raise EmbeddedPostgresError(f"{error}. Was {self._home} made by another user?") from error
        except BaseException:
            self.stop()
            raise
        return self._url

    def stop(self) -> None:
        """Shut the server down in order, disconnecting its clients, and give the cluster up. Safe to repeat."""
        if self._process is not None:
            for how, seconds in ((signal.SIGINT, SHUTDOWN_SECONDS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                self._process.send_signal(how)
                try:
                    self._process.wait(seconds)
                except subprocess.TimeoutExpired:
                    continue
                break
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self, cluster: Path) -> None:
        """Become the only owner. One that was killed just now may hold on for a moment."""
        if self._lock is not None:
            return
        lock = (cluster / "lock").open("ab")

        def taken() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not wait_until(taken, LOCK_SECONDS):
            lock.close()
            raise EmbeddedPostgresError(f"Another process owns the PostgreSQL in {cluster}.")
        self._lock = lock

    def _launch(self, cluster: Path, account: Account | None) -> None:
        data = cluster / "data"
        clear_remains(data)
        programs = usable_directory(account, cluster)
        if not data.exists():
            make_cluster(programs, data, account)
        sockets = socket_directory(data, account, self._group)
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(PORT)]
        for name, value in self._server_settings(data, sockets, account).items():
            command += ["-c", f"{name}={value}"]
        credentials: Credentials = account.credentials if account else {}
        log_path = cluster / "postgres.log"
        log_path.touch(mode=0o600)  # failed statements are quoted in it
        with log_path.open("ab") as log:
            said_before = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - the command is built here, without a shell
                command,
                cwd="/",
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=0o077,
                start_new_session=True,  # Ctrl-C is for us; we then stop the server in order
                preexec_fn=die_with_parent(),
                **credentials,
            )
        _await_ready(self._process, data, said_before)
        self._url = f"postgresql://{NAME}@/{NAME}?host={quote(str(sockets))}&port={PORT}"

    def _server_settings(self, data: Path, sockets: Path, account: Account | None) -> dict[str, str]:
        return {
            "timezone": "UTC",
            **self._settings,
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            # Root reaches the other account's socket by way of its directory's mode, not the socket's own.
            "unix_socket_permissions": "0700" if account is None else "0777",
            "cluster_name": title(data),
        }


def _check_platform() -> None:
    if not sys.platform.startswith(("linux", "darwin")):
        raise EmbeddedPostgresError("There is no bundled PostgreSQL on this platform: set RAMPWRIGHT_DATABASE_URL.")
    if threading.current_thread() is not threading.main_thread():
        # Linux ends the child with the thread that started it, not with the process.
        raise EmbeddedPostgresError("The bundled PostgreSQL must be started from the main thread.")


def _await_ready(process: subprocess.Popen[bytes], data: Path, said_before: int) -> None:
    in_time = wait_until(lambda: process.poll() is not None or is_ready(data, process.pid), START_SECONDS)
    if in_time and process.poll() is None:
        return
    log = data.parent / "postgres.log"
    said = log.read_bytes()[said_before:].decode(errors="replace").strip().splitlines()
    reason = "\n".join(said[-8:]) if in_time else f"it was not ready within {START_SECONDS:.0f} seconds"
    raise EmbeddedPostgresError(f"PostgreSQL did not start, see {log}:\n{reason}")
