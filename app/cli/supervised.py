"""Starting under a supervisor: first load everything, then be told the settings."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

Supervised = Annotated[bool, typer.Option(hidden=True, help="Take settings from a line of JSON on standard input.")]


def read_settings() -> None:
    """Wait for the settings: one JSON object of environment variables, in which there may be secrets."""
    os.environ.update(json.loads(sys.stdin.readline()))
