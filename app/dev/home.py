"""What a development instance keeps in its home: its secrets, its locks, and dev.json, by which it is found."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from app.domain.errors import RampwrightError

BITCOIN_USER = "rampwright"
HOLDER_NAME = "Rampwright development"  # whose accounts the far side's banks keep
IBAN = "DE91100000000123456789"
WORKER_NAME = "rampwright worker"  # the application_name of the worker's own connection
# How long the children of a supervisor that was killed may take to end.
_ORPHANS_SECONDS = 20.0
_YEARS = 100  # nobody brings a development instance new lists


class DevError(RampwrightError):
    """The development instance cannot be started or found; the message says why."""


class Instance(BaseModel):
    """dev.json: where everything is. `pids` are those of the moment; a child that died has another one now."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    api_url: str
    api_key: str
    sandbox_url: str
    stripe_api_base: str
    bitcoin_rpc_url: str
    kraken_api_base: str
    binance_api_base: str = ""
    increase_api_base: str
    sepa_folder: str
    operator_url: str
    database_url: str
    signer_socket: str = ""
    evm_rpc_url: str = ""  # empty where there is no anvil
    account_keys: dict[str, str] = {}
    pids: dict[str, int]

    @property
    def playground_url(self) -> str:
        """The playground, with the key in the fragment, which browsers keep to themselves."""
        return f"{self.api_url}/playground#key={self.api_key}"


class Found(BaseModel):
    """What the API and the worker need before they can start."""

    api_key: str
    webhook_secret: str


class Ready(BaseModel):
    """Everything answers. `funded`, `topped_up`: the wallet, and the partner, got their first money just now."""

    funded: bool
    topped_up: bool


class Unlocked(BaseModel):
    """What the signer says once it can sign."""

    account_keys: dict[str, str]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What this instance made for itself, once."""

    seal_keys: str
    intent_keys: str
    session_keys: str
    signer_passphrase: str
    stripe_secret_key: str
    stripe_publishable_key: str
    increase_api_key: str
    increase_webhook_secret: str
    sandbox_rpc_password: str


class Home:
    """The directory RAMPWRIGHT_HOME of a development instance."""

    def __init__(self, path: Path) -> None:
        """Prepare for `path`, touching nothing."""
        self.path = path.absolute()
        self._family: IO[bytes] | None = None

    @property
    def logs(self) -> Path:
        """Where the children's logs are."""
        return self.path / "logs"

    @property
    def family_fd(self) -> int:
        """The descriptor that every child inherits: as long as one lives, nobody else can have this home."""
        assert self._family is not None  # noqa: S101 - only asked for while claimed
        return self._family.fileno()

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Be the only owner; waits for the children of an owner that was killed. Raises DevError."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        with (self.path / "dev.lock").open("ab") as owner, (self.path / "dev.children.lock").open("ab") as family:
            if not _locked(owner, 0.0):
                raise DevError(f"`rampwright dev` is running already in {self.path}.")
            if not _locked(family, _ORPHANS_SECONDS):
                raise DevError(f"Processes of an earlier `rampwright dev` still run in {self.path}.")
            self._family = family
            yield

    def secrets(self) -> Secrets:
        """The secrets; those that are missing are made."""
        return Secrets(
            seal_keys=self.secret("seal_keys", lambda: base64.urlsafe_b64encode(os.urandom(32)).decode()),
            intent_keys=self.secret("intent_keys", lambda: secrets.token_hex(32)),
            session_keys=self.secret("session_keys", lambda: secrets.token_hex(32)),
            signer_passphrase=self.secret("signer_passphrase", lambda: secrets.token_urlsafe(32)),
            stripe_secret_key=self.secret("stripe_secret_key", lambda: f"sk_test_{secrets.token_hex(24)}"),
            stripe_publishable_key=self.secret("stripe_publishable_key", lambda: f"pk_test_{secrets.token_hex(24)}"),
            increase_api_key=self.secret("increase_api_key", lambda: f"sandbox_key_{secrets.token_hex(24)}"),
            increase_webhook_secret=self.secret("increase_webhook_secret", lambda: secrets.token_urlsafe(32)),
            sandbox_rpc_password=self.secret("sandbox_rpc_password", lambda: secrets.token_urlsafe(24)),
        )

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """A secret in a file of its own, mode 0600; made when it is not there."""
        path = self.path / "secrets" / name
        if not path.exists():
            self.keep_secret(name, make())
        return path.read_text().strip()

    def keep_secret(self, name: str, value: str) -> None:
        """Write a secret, in place of any older one."""
        (self.path / "secrets").mkdir(mode=0o700, exist_ok=True)
        _write_private(self.path / "secrets" / name, value + "\n")

    @property
    def plain_seed(self) -> Path:
        """Where earlier versions kept the wallet's seed, not encrypted. The signer takes it over, and it goes."""
        return self.path / "secrets" / "bitcoin_seed"

    def instance(self) -> Instance | None:
        """What dev.json says; None when there is none that can be read."""
        try:
            return Instance.model_validate_json((self.path / "dev.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def publish(self, instance: Instance) -> None:
        """Write dev.json, mode 0600, whole or not at all."""
        _write_private(self.path / "dev.json", json.dumps(instance.model_dump(), indent=2) + "\n")


def environment(instance: Instance, kept: Secrets) -> dict[str, str]:
    """The settings under which every program of the instance runs."""
    return {
        "RAMPWRIGHT_MODE": "test",
        "RAMPWRIGHT_ALLOW_LOOPBACK": "1",
        "RAMPWRIGHT_DATABASE_URL": instance.database_url,
        "RAMPWRIGHT_SANDBOX_URL": instance.sandbox_url,
        "RAMPWRIGHT_STRIPE_API_BASE": instance.stripe_api_base,
        "RAMPWRIGHT_STRIPE_SECRET_KEY": kept.stripe_secret_key,
        "RAMPWRIGHT_STRIPE_PUBLISHABLE_KEY": kept.stripe_publishable_key,
        "RAMPWRIGHT_PAYIN_METHODS": json.dumps(["card", "ach_debit", "sepa_debit", "bank_transfer"]),
        "RAMPWRIGHT_INCREASE_API_KEY": kept.increase_api_key,
        "RAMPWRIGHT_INCREASE_WEBHOOK_SECRETS": kept.increase_webhook_secret,
        "RAMPWRIGHT_INCREASE_API_BASE": instance.increase_api_base,
        "RAMPWRIGHT_SEPA_FOLDER": instance.sepa_folder,
        "RAMPWRIGHT_SEPA_HOLDER_NAME": HOLDER_NAME,
        "RAMPWRIGHT_SEPA_IBAN": IBAN,
        "RAMPWRIGHT_SEPA_BANK_NAME": "The far side's bank",
        "RAMPWRIGHT_SIGNER_SOCKET": instance.signer_socket,
        "RAMPWRIGHT_ACCOUNT_KEYS": json.dumps(instance.account_keys),
        "RAMPWRIGHT_BITCOIN_NETWORK": "regtest",
        "RAMPWRIGHT_BITCOIN_RPC_URL": instance.bitcoin_rpc_url,
        "RAMPWRIGHT_BITCOIN_RPC_USER": BITCOIN_USER,
        "RAMPWRIGHT_BITCOIN_RPC_PASSWORD": kept.sandbox_rpc_password,
        "RAMPWRIGHT_SCREENING": "ofac",  # a list of ours, in its form: see sanctions.xml
        "RAMPWRIGHT_SCREENING_HOURS": str(_YEARS * 365 * 24),
        "RAMPWRIGHT_SCREENING_DAYS": str(_YEARS * 365),
        "RAMPWRIGHT_EVM_CHAINS": json.dumps(_evm_chains(instance.evm_rpc_url)),
        "RAMPWRIGHT_EXPLORERS": json.dumps({"bitcoin": instance.sandbox_url + "/explorer/bitcoin/{tx_hash}"}),
        "RAMPWRIGHT_RATE_SOURCES": json.dumps(
            {"kraken": instance.kraken_api_base, "binance": instance.binance_api_base}
        ),
        "RAMPWRIGHT_RATE_STREAMS": json.dumps(
            {
                "kraken": instance.kraken_api_base.replace("http", "ws", 1) + "/v2",
                "binance": instance.binance_api_base.replace("http", "ws", 1),
            }
        ),
    }


def _evm_chains(url: str) -> dict[str, object]:
    """The far side's Ethereum, where there is one; small deposits are swept as well, so that sweeps are seen."""
    sweep_from = {"USDC.ethereum": 50 * 10**6, "ETH.ethereum": 10**17}
    return {"ethereum": {"chain": "anvil", "rpc_url": url, "sweep_from": sweep_from}} if url else {}


def _locked(file: IO[bytes], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _write_private(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    unfinished.rename(path)
