"""Running a development instance: start everything, keep it running, and take it down in order."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.dev import anvil
from app.dev.accounts import DATABASE_GROUP, Accounts, sepa_folder, signer_folder, signer_socket
from app.dev.children import Child, Say, keep_postgres
from app.dev.home import DevError, Found, Home, Instance, Ready, Unlocked, environment
from app.embedded import EmbeddedPostgres

LOOPBACK = "127.0.0.1"
_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Listeners:
    """Every port of the instance, open as long as it runs."""

    api: socket.socket
    operator: socket.socket
    sandbox: socket.socket


def run(home: Home, *, host: str, port: int, database_url: str | None, say: Say, began: float) -> None:
    """Run until SIGINT or SIGTERM. `began` is the monotonic clock's.

    Raises DevError, or EmbeddedPostgresError.
    """
    with home.claimed(), _listeners(host, port) as listeners:
        asyncio.run(Supervisor(home, listeners, database_url, say, began).run())


@contextmanager
def _listeners(host: str, port: int) -> Iterator[Listeners]:
    try:
        public = socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        raise DevError(
            f"Port {port} of {host}: {error.strerror}. RAMPWRIGHT_PORT names another; 0 picks one."
        ) from error
    with (
        public as api,
        socket.create_server((LOOPBACK, 0)) as operator,
        socket.create_server((LOOPBACK, 0), backlog=_BACKLOG) as sandbox,
    ):
        yield Listeners(api, operator, sandbox)


class Supervisor:
    """A development instance while it runs; to be made inside the event loop's own thread, the main one."""

    def __init__(self, home: Home, listeners: Listeners, database_url: str | None, say: Say, began: float) -> None:
        """Nothing is started yet. Without `database_url` a database of our own is."""
        self._home = home
        self._kept = home.secrets()
        self._say = say
        self._began = began
        self._accounts = Accounts.ours()
        group = None if self._accounts.api is None else DATABASE_GROUP
        self._postgres = None if database_url else EmbeddedPostgres(home.path, group=group)
        self._signer_folder = signer_folder(home.path, self._accounts)
        path, self._signer_listener = signer_socket(self._signer_folder, self._accounts)
        url = anvil.free_url() if anvil.is_installed() else ""
        folders = {"sepa_folder": str(sepa_folder(home.path, self._accounts)), "signer_socket": str(path)}
        folders["evm_rpc_url"] = url
        self._instance = _places(listeners, database_url or "").model_copy(update=folders)
        self._found: Found | None = None
        self._listeners = listeners
        self._children: dict[str, Child] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._settled = False  # the API and the worker have been told their settings
        self._is_ready = False

    async def run(self) -> None:
        """Start everything at once, each waiting for what it needs; stop everything at a signal."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        listeners = self._listeners
        try:
            self._start_signer()
            public = {"--listen-fd": listeners.api, "--operator-fd": listeners.operator}
            self._start("api", "--supervised", sockets=public)
            self._start("sandbox", sockets={"--listen-fd": listeners.sandbox})
            if self._instance.evm_rpc_url:
                self._start("anvil", self._instance.evm_rpc_url.rpartition(":")[2])
            self._start("worker", "--supervised")
            self._start("caretaker", talks=True)
            await asyncio.sleep(0.01)  # let them be started before the database, which blocks
            self._start_postgres()
            self._children["caretaker"].give(self._instance.model_dump_json())
            await stop.wait()
        finally:
            self._say("[dim]stopping ...[/]")
            await self._stop()

    def _start(self, *command: str, sockets: dict[str, socket.socket] | None = None, talks: bool = False) -> None:
        child = Child(
            command,
            environment=environment(self._instance, self._kept) | {"RAMPWRIGHT_HOME": str(self._home.path)},
            logs=self._home.logs,
            say=self._say,
            listeners=sockets,
            inherited=[self._home.family_fd],
            heard=self._hear if talks else None,
        )
        child.on_start = self._publish
        self._children[child.name] = child
        self._tasks.append(asyncio.create_task(child.keep()))

    def _start_signer(self) -> None:
        """Start the only process that is told the passphrase; it is told nothing else, and tells what is public."""
        account = self._accounts.signer
        told = {
            "RAMPWRIGHT_HOME": str(self._home.path),
            "RAMPWRIGHT_SIGNER_HOME": str(self._signer_folder),
            **({} if account is None else {"RAMPWRIGHT_RUN_AS": str(account)}),
        }
        child = Child(
            ("signer", "--supervised"),
            environment=told,
            logs=self._home.logs,
            say=self._say,
            listeners={"--listen-fd": self._signer_listener},
            inherited=[self._home.family_fd],
            secretive=True,
            heard=self._unlocked,
        )
        child.on_start = self._publish
        self._children[child.name] = child
        plain = self._home.plain_seed
        seed = plain.read_text().strip() if plain.exists() else ""
        child.give(json.dumps({"passphrase": self._kept.signer_passphrase, "seed": seed}))
        self._tasks.append(asyncio.create_task(child.keep()))

    def _unlocked(self, line: bytes) -> None:
        """The signer speaks: it has its key, encrypted, and whatever lay there in plain is not needed any more."""
        keys = Unlocked.model_validate_json(line).account_keys
        self._home.plain_seed.unlink(missing_ok=True)
        self._instance = self._instance.model_copy(update={"account_keys": keys})
        self._settle()

    def _start_postgres(self) -> None:
        if self._postgres is not None:
            self._instance = self._instance.model_copy(update={"database_url": self._postgres.start()})
            self._tasks.append(asyncio.create_task(keep_postgres(self._postgres, self._say, self._publish)))

    def _hear(self, line: bytes) -> None:
        """The caretaker speaks; one that was started again says it all again."""
        said = json.loads(line)
        if "funded" in said:
            self._ready(Ready(**said))
        else:
            self._found = Found(**said)
            self._settle()

    def _settle(self) -> None:
        """Tell the API and the worker their settings, once, when the caretaker and the signer have said all."""
        found = self._found
        if self._settled or found is None or not self._instance.account_keys:
            return
        self._settled = True
        self._instance = self._instance.model_copy(update={"api_key": found.api_key})
        settings = environment(self._instance, self._kept)
        settings["RAMPWRIGHT_STRIPE_WEBHOOK_SECRETS"] = found.webhook_secret
        for name, account in (("worker", self._accounts.worker), ("api", self._accounts.api)):
            becoming = {} if account is None else {"RAMPWRIGHT_RUN_AS": str(account)}
            self._children[name].give(json.dumps(settings | becoming))

    def _ready(self, ready: Ready) -> None:
        if self._is_ready:
            return
        self._is_ready = True
        self._publish()
        if ready.funded:
            self._say("the hot wallet was given its first coins by the far side's faucet")
        if ready.topped_up:
            self._say("the partner's balance was topped up: 10 000.00 USD, 10 000.00 EUR and 1 BTC")
        for name, value in _shown(self._instance, self._home):
            self._say(f"  [bold]{name:<10}[/] {value}")
        seconds = time.monotonic() - self._began
        self._say(f"[green]ready[/] after {seconds:.1f} s; `make demo` in a second shell; Ctrl-C stops it all")

    def _publish(self) -> None:
        """Write dev.json as of now, once everything works."""
        if not self._is_ready:
            return
        pids = {name: child.pid for name, child in self._children.items()}
        pids["postgres"] = self._postgres.pid if self._postgres else None
        known = {name: pid for name, pid in pids.items() if pid is not None}
        self._instance = self._instance.model_copy(update={"pids": known})
        self._home.publish(self._instance)

    async def _stop(self) -> None:
        """End every child, those that use others first."""
        for names in (("caretaker", "api", "worker"), ("sandbox", "signer", "anvil")):
            await asyncio.gather(*(self._children[name].stop() for name in names if name in self._children))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._postgres is not None:
            self._postgres.stop()
        self._signer_listener.close()


def _places(listeners: Listeners, database_url: str) -> Instance:
    api, operator, sandbox = (
        f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        for listener in (listeners.api, listeners.operator, listeners.sandbox)
    )
    return Instance(
        api_url=api,
        api_key="",
        sandbox_url=sandbox,
        stripe_api_base=f"{sandbox}/stripe",
        bitcoin_rpc_url=f"{sandbox}/bitcoin",
        kraken_api_base=f"{sandbox}/kraken",
        binance_api_base=f"{sandbox}/binance",
        increase_api_base=f"{sandbox}/increase",
        sepa_folder="",
        operator_url=operator,
        database_url=database_url,
        pids={},
    )


def _shown(instance: Instance, home: Home) -> list[tuple[str, str]]:
    ethereum = [("Ethereum", instance.evm_rpc_url)] if instance.evm_rpc_url else []
    return [
        ("API", instance.api_url),
        ("test key", instance.api_key),
        ("playground", instance.playground_url),
        ("metrics", f"{instance.operator_url}/metrics"),
        ("far side", instance.sandbox_url),
        *ethereum,
        ("database", instance.database_url),
        ("logs", str(home.logs)),
    ]
