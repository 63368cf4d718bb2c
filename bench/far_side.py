"""The sandbox for a measurement; says its port. Mines only when told to."""

from __future__ import annotations

import sys
from pathlib import Path

from providers.sandbox.main import SandboxSettings, serve

if __name__ == "__main__":
    serve(
        Path(sys.argv[1]),
        settings=SandboxSettings(mining_interval=3600.0),
        ready=lambda port: print(port, flush=True),
    )
