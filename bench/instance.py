"""An instance to measure: durable PostgreSQL, the far side, and an API process whose processor time can be read."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.db.columns import new_id
from app.db.database import Database
from app.db.migrate import migrate
from app.db.partners import insert_key, insert_partner
from app.embedded import EmbeddedPostgres
from app.services.keys import new_key
from app.settings import Settings
from app.wiring import assembly
from app.wiring.secrets import write_secret


@dataclass(frozen=True, slots=True)
class Instance:
    """What a measurement needs."""

    home: Path
    database_url: str
    far_url: str
    key: str
    key_hash: bytes
    partner_id: str
    environment: dict[str, str]

    def settings(self) -> Settings:
        """The instance's settings, as its processes read them."""
        os.environ.update(self.environment)
        return Settings()


@contextmanager
def process(*words: str, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A child whose first line says what it has to say; ended at the end."""
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    assert child.stdout is not None
    try:
        yield child, child.stdout.readline().strip()
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(20)
        child.stdout.close()


@contextmanager
def open_instance() -> Iterator[Instance]:
    """Start the database and the far side, and make one partner."""
    with tempfile.TemporaryDirectory(prefix="rampwright-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with EmbeddedPostgres(home / "home") as server:
            database_url = server.url
            with process("bench.far_side", str(home / "far"), environment={}) as (_, port):
                far_url = f"http://127.0.0.1:{port}"
                instance = asyncio.run(_prepare(home, database_url, far_url))
                with process("bench.signer", str(home / "home" / "secrets"), environment={}):
                    yield instance


async def _prepare(home: Path, database_url: str, far_url: str) -> Instance:
    made, partner_id = new_key("test"), new_id("pt")
    db = Database(database_url, pool_size=2)
    await migrate(db)
    async with db.transaction() as tx:
        await insert_partner(tx, partner_id, "Bench")
        await insert_key(
            tx, key_id=new_id("key"), partner_id=partner_id, key_hash=made.hash, hint=made.hint, mode="test",
            scopes=["*"], expires_at=None,
        )  # fmt: skip
    await db.close()
    write_secret(home / "home" / "secrets" / "intent_keys", secrets.token_hex(32))
    stripe_key = f"sk_test_{secrets.token_hex(16)}"
    environment = {
        "RAMPWRIGHT_HOME": str(home / "home"),
        "RAMPWRIGHT_DATABASE_URL": database_url,
        "RAMPWRIGHT_SIGNER_SOCKET": str(home / "home" / "secrets" / "signer.sock"),
        "RAMPWRIGHT_SANDBOX_URL": far_url,
        "RAMPWRIGHT_RATE_SOURCES": f'{{"kraken": "{far_url}/kraken"}}',
        "RAMPWRIGHT_FIAT": '["EUR"]',
        "RAMPWRIGHT_STRIPE_SECRET_KEY": stripe_key,
        "RAMPWRIGHT_STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "RAMPWRIGHT_STRIPE_API_BASE": f"{far_url}/stripe",
        "RAMPWRIGHT_BITCOIN_RPC_URL": f"{far_url}/bitcoin",
        "RAMPWRIGHT_BITCOIN_RPC_USER": "sandbox",
        "RAMPWRIGHT_BITCOIN_RPC_PASSWORD": "sandbox",
        "RAMPWRIGHT_QUOTE_SECONDS": "3600",
    }
    return Instance(home, database_url, far_url, made.key, made.hash, partner_id, environment)


WEBHOOK_SECRET = "whsec_bench_secret_of_no_worth"  # noqa: S105


@asynccontextmanager
async def opened(instance: Instance) -> AsyncIterator[assembly.Parts]:
    """The instance's parts in this process."""
    async with assembly.parts(instance.settings()) as parts:
        yield parts
