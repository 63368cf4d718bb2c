"""Where the signer is found: its folder, and its socket. Nothing here can sign, and everybody may load it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the signer keeps its things. Nobody else can read it."""

    path: Path

    @property
    def key_file(self) -> Path:
        """The encrypted seed."""
        return self.path / "key.json"

    @property
    def policy_file(self) -> Path:
        """What may be signed."""
        return self.path / "policy.json"

    @property
    def journal(self) -> Path:
        """What was signed."""
        return self.path / "journal.sqlite"

    @property
    def stop_file(self) -> Path:
        """While it is there nothing is signed."""
        return self.path / "stop"


def open_socket(path: Path) -> socket.socket:
    """Listen at a path, where nothing of an earlier run is left; its owner and group may call.

    Raises OSError when something else listens there.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(path)
        listener.bind(str(path))
        path.chmod(0o660)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def _clear(path: Path) -> None:
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(f"a signer listens at {path} already")
