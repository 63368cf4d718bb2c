"""The signer for a measurement, with a new wallet; says where its socket is."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from pathlib import Path

from app.domain.intent import IntentKeys
from app.signer.hardening import harden
from app.signer.places import Folder, open_socket
from app.signer.policy import DEVELOPMENT
from app.signer.program import keys_of, open_vault, serve


def main(folder: Path) -> None:
    """Sign until a signal comes. The folder has the keys of the seals."""
    harden()
    os.umask(0o077)
    listener = open_socket(folder / "signer.sock")
    keys = keys_of(secrets.token_bytes(64), DEVELOPMENT)
    intent_keys = IntentKeys.read((folder / "intent_keys").read_text())
    with open_vault(Folder(folder), keys, DEVELOPMENT, intent_keys) as vault:
        print(folder / "signer.sock", flush=True)
        asyncio.run(serve(vault, listener))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
