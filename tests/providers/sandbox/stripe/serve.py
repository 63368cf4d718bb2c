"""The sandbox as a process of its own for tests: prints its port once it listens."""

from __future__ import annotations

import sys
from pathlib import Path

from providers.sandbox.main import SandboxSettings, serve

if __name__ == "__main__":
    with_bitcoin = "--bitcoin" in sys.argv
    serve(
        Path(sys.argv[1]),
        port=int(sys.argv[2]),
        settings=SandboxSettings(with_bitcoin=with_bitcoin, mining_interval=0.2, webhook_first_pause=0.1),
        ready=lambda port: print(port, flush=True),  # noqa: T201
    )
