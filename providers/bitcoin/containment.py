"""Keeps bitcoinlib's files out of the home folder: it writes configuration, logs and databases when it is imported.

bitcoinlib 0.7.10 reads `config.ini` in `BCL_DATA_DIR` and only then copies its own, with logging on, over it. The
folder must therefore be a new one for every process; it is removed when the process ends.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_CONFIG = "[logs]\nenable_bitcoinlib_logging = False\n\n[common]\nservice_caching_enabled = False\n"


def _contain() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="rampwright-bitcoinlib-"))
    (folder / "config.ini").write_text(_CONFIG, encoding="utf-8")
    os.environ["BCL_DATA_DIR"] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


DATA_FOLDER = _contain()
