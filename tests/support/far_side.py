"""The sandbox as a process of its own, one for each test process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

_SERVE = """
import sys
from pathlib import Path
from providers.sandbox.main import SandboxSettings, serve
serve(Path(sys.argv[1]),
      settings=SandboxSettings(
          webhook_first_pause=0.05, mining_interval=3600.0, increase_pause=3600.0, sepa_pause=3600.0
      ),
      ready=lambda port: print(port, flush=True))
"""


class FarSide:
    """A running sandbox. It mines, and its banks book, only when told to."""

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="rampwright-sandbox-")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(Path(self._home.name) / "far")], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def stop(self) -> None:
        """End the process and remove its truth."""
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._home.cleanup()
