"""What the signing library does to the process that imports it."""

from __future__ import annotations

import subprocess
import sys


def test_a_hostile_text_does_not_end_the_process() -> None:
    """The library raises the limit of recursion so far that the stack overflows first."""
    program = """
import json, sys
before = sys.getrecursionlimit()
import providers.evm.wallet
assert sys.getrecursionlimit() == before
try:
    json.loads("[" * 100_000)
except RecursionError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr
