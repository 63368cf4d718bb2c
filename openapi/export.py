"""Writes openapi.json from the routes; with --check it only compares, and fails when they differ."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from pathlib import Path

from app.api.reference import document
from app.main import PUBLIC

TARGET = Path(__file__).with_name("openapi.json")


def main() -> int:
    """Write or compare; 1 when the committed document is not what the routes say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    wanted = json.dumps(document(PUBLIC), indent=2, ensure_ascii=False) + "\n"
    if not parser.parse_args().check:
        TARGET.write_text(wanted)
        return 0
    found = TARGET.read_text() if TARGET.exists() else ""
    lines = difflib.unified_diff(
        found.splitlines(), wanted.splitlines(), str(TARGET.name), "the routes", lineterm="", n=1
    )
    for line in lines:
        sys.stdout.write(line + "\n")
    if found != wanted:
        sys.stderr.write("openapi.json is not what the routes say: run `python openapi/export.py`\n")
    return int(found != wanted)


if __name__ == "__main__":
    sys.exit(main())
