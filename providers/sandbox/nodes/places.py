"""Where the nodes' programs are: in the folder `nodes` of our virtual environment, in the system, or where told."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FOLDER: Final = Path(sys.prefix) / "nodes"
LIBRARIES: Final = FOLDER / "root"  # what was unpacked without root, laid out like a file system
ANVIL_PACKAGE: Final = "@foundry-rs/anvil-linux-amd64"
_ANVIL: Final = FOLDER / "node_modules" / ANVIL_PACKAGE / "bin" / "anvil"
# Not the script in /usr/bin: it writes into the home folder.
LITECOIND: Final = Path("usr/lib/litecoin/litecoind")
_ON_LINUX_AMD64: Final = sys.platform == "linux" and platform.machine() == "x86_64"


class NodeMissing(RuntimeError):
    """A node's program is not here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A node's program, and the environment variables that it needs to find its libraries."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def anvil_path() -> Path:
    """Anvil's program: what ANVIL names, else what was installed; raises NodeMissing."""
    told = _told("ANVIL")
    if told is not None:
        return told
    if not _ANVIL.is_file():
        raise NodeMissing(anvil_advice())
    return _ANVIL


def litecoind_program() -> Program:
    """What LITECOIND names, else the system's litecoind, else the one unpacked without root; raises NodeMissing."""
    told = _told("LITECOIND")
    if told is not None:
        return Program(told)
    if (installed := Path("/") / LITECOIND).is_file():
        return Program(installed)
    if (unpacked := LIBRARIES / LITECOIND).is_file():
        folders = sorted({str(found.parent) for found in LIBRARIES.rglob("*.so.*")})
        return Program(unpacked, {"LD_LIBRARY_PATH": os.pathsep.join(folders)})
    raise NodeMissing(litecoind_advice())


def bitcoind_program() -> Program | None:
    """What BITCOIND names; None when it names nothing, NodeMissing when it names no file."""
    told = _told("BITCOIND")
    return None if told is None else Program(told)


def anvil_advice() -> str:
    """What to do when there is no anvil."""
    if not _ON_LINUX_AMD64:
        return (
            "Anvil's package is for Linux on x86-64 only. Install Foundry, and name its program: ANVIL=/path/to/anvil"
        )
    return "Anvil is not installed. With npm on PATH: make test, or name a program: ANVIL=/path/to/anvil"


def litecoind_advice() -> str:
    """What to do when there is no litecoind."""
    return "There is no litecoind. On Debian and Ubuntu: apt install litecoind; elsewhere: LITECOIND=/path/to/litecoind"


def _told(variable: str) -> Path | None:
    """The file that an environment variable names; raises NodeMissing when there is none."""
    name = os.environ.get(variable)
    if not name:
        return None
    if not os.access(name, os.X_OK) or not Path(name).is_file():
        raise NodeMissing(f"{variable} names no program: {name}")
    return Path(name).absolute()
