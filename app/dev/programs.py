"""Running another command of ours as a process of its own: the very code that we are, wherever we were started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_CODE = Path(__file__).parents[2]


def command_line(*arguments: str) -> list[str]:
    """`rampwright` with these arguments. The working directory is not searched: it may hold another `app`."""
    return [sys.executable, "-P", "-m", "app", *arguments]


def search_path() -> dict[str, str]:
    """The environment variable by which the command finds our code, whether it is installed or not."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(_CODE), os.environ.get("PYTHONPATH"))))}
