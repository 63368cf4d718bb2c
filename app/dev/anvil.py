"""The far side's Ethereum node: whether there is one, where it listens, and how a process becomes it.

Without anvil an instance does without Ethereum: `make run` installs it where that can be.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from providers.sandbox.nodes.anvil import anvil_arguments
from providers.sandbox.nodes.places import NodeMissing, anvil_path


def is_installed() -> bool:
    """Whether there is an anvil."""
    try:
        anvil_path()
    except NodeMissing:
        return False
    return True


def free_url() -> str:
    """Where a node can listen: a port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def become_anvil(port: int, home: Path) -> None:
    """Turn this process into the node; its chain is kept in the home, and what is two blocks deep is final."""
    folder = home / "anvil"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    program = str(anvil_path())
    kept = ["--slots-in-an-epoch=1", f"--state={folder / 'state.json'}", "--state-interval=2"]
    os.execv(program, [program, *anvil_arguments(port), *kept])  # noqa: S606 - a path of ours, and no shell
