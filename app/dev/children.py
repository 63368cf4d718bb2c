"""Child processes that are run again whenever they end, and that do not outlive us."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from app.dev.programs import command_line, search_path
from app.embedded import EmbeddedPostgres
from app.embedded_cluster import die_with_parent
from app.embedded_programs import EmbeddedPostgresError

Say = Callable[[str], None]

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_STEADY_SECONDS = 10.0  # a child that ran this long gets the first pause again
_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.1


class Child:
    """One program of ours as a child process.

    It inherits `listeners`, which stay open here: its ports are never anybody else's, and who connects while it is
    being restarted waits. It loads at once and then reads one line from its standard input, which may be given later.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        logs: Path,
        say: Say,
        listeners: Mapping[str, socket.socket] | None = None,
        inherited: Sequence[int] = (),
        secretive: bool = False,
        heard: Callable[[bytes], None] | None = None,
    ) -> None:
        """`listeners` by the option that tells the child the descriptor; `inherited` are further descriptors.

        A `secretive` one is told no setting but those in `environment`: others may be secrets that it does not need.

        `heard` is called with every line that the child prints; otherwise they go to its log.
        """
        self.name = command[0]
        self._command = command_line(*command)
        for option, listener in (listeners or {}).items():
            self._command += [option, str(listener.fileno())]
        self._descriptors = (*inherited, *(listener.fileno() for listener in (listeners or {}).values()))
        ours = {name: value for name, value in os.environ.items() if not (secretive and name.startswith("RAMPWRIGHT_"))}
        self._environment = {**ours, **search_path(), **environment}
        self._log = logs / f"{self.name}.log"
        self._say = say
        self._heard = heard
        self._line: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._process: Process | None = None
        self._stopping = False
        self.on_start: Callable[[], None] = lambda: None

    @property
    def pid(self) -> int | None:
        """The process id of the running child, else None."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    def give(self, line: str) -> None:
        """What the child, and every later one in its place, reads as its one line of standard input."""
        self._line.set_result(line.encode() + b"\n")

    async def keep(self) -> None:
        """Run the child, and run it again with growing pauses whenever it ends, until `stop`."""
        loop, pause = asyncio.get_running_loop(), _FIRST_PAUSE_SECONDS
        while not self._stopping:
            began = loop.time()
            process = self._process = await self._start()
            self.on_start()
            talk = asyncio.gather(self._give(process), self._listen(process))
            status = await process.wait()
            talk.cancel()
            with suppress(asyncio.CancelledError):
                await talk
            if self._stopping:
                return
            if loop.time() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            self._say(f"[yellow]{self.name} ended ({_how(status)}) and is started again[/]; see {self._log}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def stop(self) -> None:
        """End the child in order, by force when it takes too long."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _give(self, process: Process) -> None:
        line = await asyncio.shield(self._line)
        if process.stdin is not None:
            with suppress(ConnectionError):  # it has ended meanwhile
                process.stdin.write(line)
                await process.stdin.drain()

    async def _listen(self, process: Process) -> None:
        while process.stdout is not None and self._heard is not None and (line := await process.stdout.readline()):
            self._heard(line)

    async def _start(self) -> Process:
        self._log.touch(mode=0o600)
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=log if self._heard is None else asyncio.subprocess.PIPE,
                stderr=log,
                pass_fds=self._descriptors,
                start_new_session=True,  # Ctrl-C is for the supervisor, who stops the children in order
                preexec_fn=die_with_parent(),
            )


async def keep_postgres(postgres: EmbeddedPostgres, say: Say, on_start: Callable[[], None]) -> None:
    """Start the database again whenever it ends. It blocks meanwhile: a child belongs to the thread that starts it."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if postgres.pid is not None:
            continue
        say("[yellow]postgres ended and is started again[/]")
        try:
            postgres.start()
        except EmbeddedPostgresError as error:
            say(f"[red]{error}[/]")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        else:
            pause = _FIRST_PAUSE_SECONDS
            on_start()


def _how(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit code {status}"
