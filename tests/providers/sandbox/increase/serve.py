"""The sandbox as a process of its own for tests of the bank: prints its port once it listens."""

from __future__ import annotations

import sys
from pathlib import Path

from providers.sandbox.main import SandboxSettings, serve

if __name__ == "__main__":
    serve(
        Path(sys.argv[1]),
        port=int(sys.argv[2]),
        settings=SandboxSettings(with_bitcoin=False, webhook_first_pause=0.05, increase_pause=float(sys.argv[3])),
        ready=lambda port: print(port, flush=True),  # noqa: T201
    )
