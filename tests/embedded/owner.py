"""An owner of a PostgreSQL in a process of its own, which prints what it started and then waits to be killed.

Arguments: the home, then optionally `--nobody` (become that user first) and `--detached` (leave out the request to end
with the owner, as on a platform that has no such request).
"""

from __future__ import annotations

import json
import os
import pwd
import sys
import time
from pathlib import Path

import app.embedded
from app.embedded import EmbeddedPostgres


def main() -> None:
    """Start, report one line of JSON, wait."""
    if "--nobody" in sys.argv:
        account = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    if "--detached" in sys.argv:
        vars(app.embedded)["die_with_parent"] = lambda: None
    postgres = EmbeddedPostgres(Path(sys.argv[1]))
    url = postgres.start()
    sys.stdout.write(json.dumps({"url": url, "pid": postgres.pid}) + "\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    main()
