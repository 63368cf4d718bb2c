"""A signer for tests: the program's own parts on the test's own event loop, behind a real socket."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from app.domain.intent import IntentKeys
from app.settings import Settings
from app.signer.places import Folder, open_socket
from app.signer.policy import DEVELOPMENT, Policy
from app.signer.program import keys_of, open_vault
from app.signer.server import Server

# BIP-173's P2WSH example, on regtest: the operator's vault.
COLD_ADDRESS = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"
WITH_VAULT: Policy = {**DEVELOPMENT, "bitcoin": replace(DEVELOPMENT["bitcoin"], cold=frozenset({COLD_ADDRESS}))}


def with_signer(settings: Settings, path: Path) -> Settings:
    """The same settings for an instance whose signer listens at a path."""
    return settings.model_copy(update={"signer": settings.signer.model_copy(update={"signer_socket": path})})


@asynccontextmanager
async def running_signer(
    folder: Path, intent_keys: IntentKeys, *, policy: Policy = WITH_VAULT, seed: bytes | None = None
) -> AsyncIterator[Path]:
    """A signer with a new wallet, or that of a seed; the path of its socket, which is short as sockets' must be."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = keys_of(seed or secrets.token_bytes(32), policy)
    with tempfile.TemporaryDirectory(prefix="rampwright-signer-") as above:
        path = Path(above) / "signer.sock"
        with open_vault(Folder(folder), keys, policy, intent_keys) as vault:
            server = Server(vault, open_socket(path))
            await server.start()
            try:
                yield path
            finally:
                await server.stop()
