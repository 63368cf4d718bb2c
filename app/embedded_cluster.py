"""A PostgreSQL cluster on disk: where it lies, how it is made, and what an earlier run may have left of it."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.embedded_programs import Account, Credentials, EmbeddedPostgresError, child_account, major_version

NAME = "rampwright"  # the database and its superuser
PORT = 5432  # only part of the socket's file name
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
SHUTDOWN_SECONDS = 30.0
PR_SET_PDEATHSIG = 1  # prctl(2), Linux

_SOCKET = f".s.PGSQL.{PORT}"
_SOCKET_PATH_LIMIT = 103  # bytes: sun_path holds 104 on macOS, 108 on Linux, with the closing zero
_SHORT_STORE = Path("/tmp")  # noqa: S108  a socket's directory is only used after a check of its owner and mode
# Where root's cluster goes when its home is out of reach of the account that PostgreSQL runs as.
ROOT_STORE = Path("/var/lib/rampwright")


def digest(data: Path) -> str:
    """A short name for the data directory."""
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:16]


def title(data: Path) -> str:
    """The server's `cluster_name`: part of the command line of each of its processes, and of nothing else."""
    return f"rampwright:{digest(data)}"


def place(home: Path) -> tuple[Path, Account | None]:
    """Make the cluster's directory below `home`; say where it is and whom the server runs as.

    No directory above `home` changes its mode. As root, in a home that the server's account cannot reach (say, below
    root's own directory), the cluster is put below ROOT_STORE and `<home>/postgres` is a link to it.
    """
    cluster = home / "postgres"
    account = child_account(cluster / "data")
    mode = 0o700 if account is None else 0o711  # as root: the server's account passes through, and lists nothing
    if not home.exists():
        home.mkdir(parents=True)
        home.chmod(mode)
    if account is not None and not account.can_enter(home):
        if account.can_enter(home.parent):
            home.chmod(home.stat().st_mode | 0o011)
        elif not cluster.is_symlink():
            ROOT_STORE.mkdir(mode=0o755, parents=True, exist_ok=True)
            cluster.symlink_to(tempfile.mkdtemp(prefix="postgres-", dir=ROOT_STORE))
    cluster = cluster.resolve()
    cluster.mkdir(exist_ok=True)
    cluster.chmod(mode)
    return cluster, account


def make_cluster(programs: Path, data: Path, account: Account | None) -> None:
    """Make the data directory with its database. It gets its name when complete: a crash half way leaves none."""
    for remains in data.parent.glob("unfinished-*"):
        shutil.rmtree(remains, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=data.parent))
    if account is not None:
        os.chown(unfinished, account.uid, account.gid)
    # The locale provider built into the server, from version 17 on, sorts alike on every machine.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major_version(programs) >= 17 else []
    initdb = [str(programs / "initdb"), "-D", str(unfinished), "-U", NAME, "-A", "trust", "-E", "UTF8", "--locale=C"]
    single = [str(programs / "postgres"), "--single", "-D", str(unfinished), "-c", "exit_on_error=on", "postgres"]
    _run([*initdb, *builtin, "--no-instructions"], b"", account)
    _run(single, f"CREATE DATABASE {NAME};\n".encode(), account)
    unfinished.rename(data)


def _run(command: list[str], said: bytes, account: Account | None) -> None:
    credentials: Credentials = account.credentials if account else {}
    ran = subprocess.run(  # noqa: S603 - the commands are built here, without a shell
        command,
        input=said,
        cwd="/",
        env=ENVIRONMENT,
        umask=0o077,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=die_with_parent(),
        **credentials,
    )
    if ran.returncode != 0:
        raise EmbeddedPostgresError(f"{Path(command[0]).name} failed:\n{ran.stdout.decode(errors='replace').strip()}")


def socket_directory(data: Path, account: Account | None, group: int | None = None) -> Path:
    """An empty directory for the socket that nobody else can enter; with a short name when `data` has a long one.

    As root, `group` may pass through it too.
    """
    directory = data.parent / "run"
    if len(os.fsencode(directory / _SOCKET)) > _SOCKET_PATH_LIMIT:
        directory = _SHORT_STORE / f"rampwright-{digest(data)}"
    owner = os.geteuid() if account is None else account.uid
    if not directory.exists():
        directory.mkdir(mode=0o700)
        if account is not None:
            os.chown(directory, account.uid, account.gid)
    facts = directory.lstat()
    if facts.st_uid != owner or not stat.S_ISDIR(facts.st_mode) or facts.st_mode & 0o067:
        raise EmbeddedPostgresError(f"{directory} is not a directory of mode 0700 that belongs to uid {owner}.")
    if account is not None:
        os.chown(directory, account.uid, account.gid if group is None else group)
        directory.chmod(0o700 if group is None else 0o710)
    for stale in directory.glob(_SOCKET + "*"):
        stale.unlink()
    return directory


def clear_remains(data: Path) -> None:
    """End and await the processes of a server whose owner was killed, then remove its pid file.

    A pid file proves nothing: its number may by now belong to a zombie or a stranger, and PostgreSQL would refuse to
    start. Without the file PostgreSQL cannot notice surviving processes, so it is removed only when there are none.
    """
    pid_file = data / "postmaster.pid"
    if pid_file.exists():
        recorded = pid_file.read_text().split("\n", 1)[0].strip()
        if recorded.isdigit() and int(recorded) in processes(data):
            os.kill(int(recorded), signal.SIGINT)  # fast shutdown; on Linux the owner's death has asked for it already
    if not wait_until(lambda: not processes(data), SHUTDOWN_SECONDS):
        raise EmbeddedPostgresError(f"An earlier PostgreSQL still works in {data}, as processes {processes(data)}.")
    pid_file.unlink(missing_ok=True)


def processes(data: Path) -> set[int]:
    """The live processes of the server in `data`. A zombie has no command line, so it does not count."""
    if not Path("/proc/self/cmdline").exists():
        command = ["/bin/ps", "-axo", "pid=,command="]
        listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - a fixed command
        return {int(line.split(None, 1)[0]) for line in listing.splitlines() if title(data) in line}
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if title(data).encode() in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it ended meanwhile, or is hidden from us and so not ours
    return found


def is_ready(data: Path, pid: int) -> bool:
    """Whether the server `pid` says, in the eighth line of its pid file, that it accepts connections."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def die_with_parent() -> Callable[[], None] | None:
    """What a child runs before its program, so that it shuts down fast when we are killed. Linux only, else None.

    `subprocess` runs it after the change of user, which would undo it.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl  # loaded here: little is safe between fork and exec
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGINT))
        if os.getppid() != parent:  # we were killed before the child could ask
            os._exit(1)

    return ask


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Look at `condition` every 10 ms until it holds; False when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
