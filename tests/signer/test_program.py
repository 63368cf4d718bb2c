"""The program itself: `rampwright signer` and `rampwright wallet-key`, as an operator runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner

from app.cli import build
from app.dev.programs import command_line, search_path
from app.ports.errors import SigningPostponed
from app.run_as import RunAs
from app.signer import key_file
from app.signer.client import SignerClient
from app.signer.policy import write_policy
from tests.providers.bitcoin.samples import MNEMONIC
from tests.signer.vaults import BITCOIN, POLICY, SEED, agreed, coin, draft

PASSPHRASE = "the passphrase of a test"
# https://github.com/bitcoin/bips/blob/master/bip-0084.mediawiki#test-vectors
BIP84_ACCOUNT = (
    "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
)
AS_ROOT = os.geteuid() == 0
ACCOUNT = RunAs(60_940, 60_940)


@pytest.fixture
def home() -> Iterator[Path]:
    """A signer's folder with a key, a policy, and the keys of the seals, all of them its own.

    Not below pytest's own folder, which another account may not enter.
    """
    with TemporaryDirectory(prefix="rampwright-tests-") as place:
        Path(place).chmod(0o711)
        yield furnished(Path(place) / "signer")


def furnished(folder: Path) -> Path:
    """The folder, with all that the program needs."""
    folder.mkdir(mode=0o700)
    key_file.write_new(folder / "key.json", key_file.encrypt(SEED, PASSPHRASE, work=10))
    (folder / "policy.json").write_bytes(write_policy(POLICY))
    (folder / "intent_keys").write_text((b"k" * 32).hex())
    (folder / "passphrase").write_text(PASSPHRASE + "\n")
    (folder / "passphrase").chmod(0o600)
    if AS_ROOT:
        for path in (folder, *folder.iterdir()):
            os.chown(path, ACCOUNT.uid, ACCOUNT.gid)
    return folder


@contextmanager
def running(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program, once it can be called; killed at the end."""
    settings = {
        "RAMPWRIGHT_SIGNER_HOME": str(home),
        "RAMPWRIGHT_INTENT_KEYS_FILE": str(home / "intent_keys"),
        **({"RAMPWRIGHT_RUN_AS": str(ACCOUNT)} if AS_ROOT else {}),
    }
    with (home.parent / "log").open("ab") as log:
        process = subprocess.Popen(
            command_line("signer", "--passphrase-file", str(home / "passphrase")),
            env={**os.environ, **search_path(), **settings},
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 60
    while "signer.serving" not in (home.parent / "log").read_text():
        assert process.poll() is None, (home.parent / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        (home.parent / "log").write_text("")


_LOOK = """
import os, sys
uid = int(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
for path in sys.argv[2:]:
    try:
        open(path, "rb").read(1)
    except OSError as error:
        print(type(error).__name__)
    else:
        print("read")
"""


def look(uid: int, *paths: str) -> list[str]:
    """What becomes of opening files as this user."""
    command = [sys.executable, "-c", _LOOK, str(uid), *paths]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


async def test_fault_f_152_the_program_killed_and_started_again_keeps_its_limits_and_shows_nothing(home: Path) -> None:
    with running(home) as process:
        client = SignerClient(home / "signer.sock")
        for number in (1, 2):
            await client.sign_draft("bitcoin", draft([agreed(f"or_{number}", 99_000)], [coin(number)]))
        status = Path(f"/proc/{process.pid}/status").read_text()
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        uid = int(status.split("Uid:")[1].split()[0])
        assert uid == (ACCOUNT.uid if AS_ROOT else os.geteuid())
        assert limits.split("Max core file size")[1].split()[:2] == ["0", "0"]
        # Not even another process of the same user looks into this one.
        assert look(uid, f"/proc/{process.pid}/mem", f"/proc/{process.pid}/environ") == ["PermissionError"] * 2
        process.send_signal(signal.SIGKILL)
        process.wait()
        await client.aclose()
    with running(home) as process:
        client = SignerClient(home / "signer.sock")
        with pytest.raises(SigningPostponed) as late:
            await client.sign_draft("bitcoin", draft([agreed("or_3", 99_000)], [coin(3)]))
        assert late.value.code == "limit_hour"
        await client.aclose()
        process.terminate()
        assert process.wait(20) == 0
    assert PASSPHRASE not in (home.parent / "log").read_text()


def command(home: Path, *words: str, said: str = "") -> tuple[int, str]:
    """Run a command on a folder; its exit code, and all that it says."""
    ran = CliRunner().invoke(build(list(words)), list(words), input=said, env={"RAMPWRIGHT_SIGNER_HOME": str(home)})
    return ran.exit_code, ran.output + ran.stderr


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a key, for the main network, and a passphrase beside it."""
    monkeypatch.setattr(key_file.encrypt, "__kwdefaults__", {"work": 10})
    folder = tmp_path / "fresh"
    folder.mkdir(mode=0o700)
    (folder / "policy.json").write_bytes(write_policy({"bitcoin": replace(BITCOIN, chain="main", cold=frozenset())}))
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    (tmp_path / "passphrase").chmod(0o400)
    return folder


def test_a_mnemonic_is_brought_in_over_standard_input_and_only_its_public_key_is_shown(fresh: Path) -> None:
    passphrase = ("--passphrase-file", str(fresh.parent / "passphrase"))
    code, said = command(fresh, "wallet-key", "import", *passphrase, said=MNEMONIC + "\n")
    assert code == 0, said
    assert "abandon" not in said
    assert "abandon" not in (fresh / "key.json").read_text()
    code, said = command(fresh, "wallet-key", "public", *passphrase)
    assert (code, said.split()) == (0, ["bitcoin", BIP84_ACCOUNT])
    code, said = command(fresh, "wallet-key", "import", *passphrase, said="11" * 32)
    assert (code, "already" in said) == (1, True)


@pytest.mark.parametrize("words", ["", "zebra " * 12, "11" * 31, "11" * 65, "not hex"])
def test_what_is_no_key_is_refused_and_not_repeated(fresh: Path, words: str) -> None:
    code, said = command(
        fresh, "wallet-key", "import", "--passphrase-file", str(fresh.parent / "passphrase"), said=words
    )
    assert code == 1
    assert not words or words.strip() not in said
    assert not (fresh / "key.json").exists()


def test_two_new_wallets_are_not_alike(fresh: Path) -> None:
    passphrase = ("--passphrase-file", str(fresh.parent / "passphrase"))
    seen = set()
    for _ in range(2):
        assert command(fresh, "wallet-key", "create", *passphrase)[0] == 0
        seen.add(command(fresh, "wallet-key", "public", *passphrase)[1])
        (fresh / "key.json").unlink()
    assert len(seen) == 2


def test_a_passphrase_comes_from_nowhere_else(fresh: Path) -> None:
    code, said = command(fresh, "wallet-key", "create", said=PASSPHRASE)
    assert (code, "--passphrase-fd" in said) == (1, True)
    (fresh.parent / "passphrase").chmod(0o640)
    code, said = command(fresh, "wallet-key", "create", "--passphrase-file", str(fresh.parent / "passphrase"))
    assert (code, "others may read" in said) == (1, True)
    read, write = os.pipe()
    os.write(write, PASSPHRASE.encode())
    os.close(write)
    assert command(fresh, "wallet-key", "create", "--passphrase-fd", str(read))[0] == 0
    assert len(key_file.decrypt((fresh / "key.json").read_bytes(), PASSPHRASE)) == 64


def test_nothing_can_be_forgotten_that_was_never_signed(fresh: Path) -> None:
    code, said = command(fresh, "wallet-key", "forget", "or_1")
    assert (code, "nothing was signed" in said) == (1, True)
