"""Accounts of their own for API, worker and signer, where root starts them; one for all where anybody else does."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.dev.accounts import Accounts, signer_folder, signer_socket
from app.dev.programs import search_path
from app.run_as import RunAs, RunAsError, become
from app.signer import key_file

NOBODY = RunAs(65_534, 65_534)
PASSPHRASE = "a passphrase"

# Everything is imported first: an ordinary user may not be able to read the interpreter's own files.
_AS_ORDINARY_USER = """
import sys
from pathlib import Path
from app.cli import signer as program
from app.dev.accounts import Accounts, sepa_folder, signer_folder, signer_socket
from app.run_as import RunAs, become
from app.signer.places import Folder

home, account = Path(sys.argv[1]), sys.argv[2]
become(RunAs.parse(account) if account else None)
accounts = Accounts.ours()
assert accounts == Accounts(None, None, None)
folder = signer_folder(home, accounts)
path, listener = signer_socket(folder, accounts)
listener.close()
sepa_folder(home, accounts)
told_to = program.Told.model_validate_json(sys.stdin.readline())
print(program.seed_in(Folder(folder), told_to).hex())
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home in a directory that every account can enter (pytest's own it cannot)."""
    above = Path(tempfile.mkdtemp(prefix="rampwright-test-"))
    above.chmod(0o755)
    (above / "home").mkdir(mode=0o700)
    yield above / "home"
    shutil.rmtree(above)


def test_an_ordinary_users_key_is_encrypted_and_only_who_is_told_the_passphrase_opens_it(home: Path) -> None:
    if os.geteuid() == 0:
        os.chown(home, NOBODY.uid, NOBODY.gid)
    account = str(NOBODY) if os.geteuid() == 0 else ""
    ran = subprocess.run(
        [sys.executable, "-c", _AS_ORDINARY_USER, str(home), account],
        input=f'{{"passphrase": "{PASSPHRASE}", "seed": ""}}\n',
        env={**os.environ, **search_path()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seed, path = bytes.fromhex(ran.stdout.strip()), home / "signer" / "key.json"
    facts, text = path.stat(), path.read_bytes()
    assert facts.st_uid == (NOBODY.uid if os.geteuid() == 0 else os.geteuid())
    assert stat.S_IMODE(facts.st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert seed not in text
    assert seed.hex().encode() not in text
    assert key_file.decrypt(text, PASSPHRASE) == seed
    with pytest.raises(key_file.KeyFileError):
        key_file.decrypt(text, "another")


@pytest.mark.parametrize(
    "text", ["", "1", "a:b", "0:1", "1:0", "1:1:0", "-1:1", "1:1:", "1:1:1:1", "1:1:x", f"{2**31}:1"]
)
def test_an_account_that_is_none_or_root_is_refused(text: str) -> None:
    with pytest.raises(RunAsError):
        RunAs.parse(text)


@pytest.mark.parametrize("text", ["60931:60931", "60931:60931:60930", "1:2:3,4"])
def test_an_account_is_read_as_it_is_written(text: str) -> None:
    assert str(RunAs.parse(text)) == text


def test_nobody_becomes_somebody_else_but_root() -> None:
    become(None)
    if os.geteuid() != 0:
        with pytest.raises(RunAsError, match="only root"):
            become(NOBODY)


def test_a_long_home_has_a_short_socket(home: Path) -> None:
    deep = home / ("a" * 60) / ("b c" * 17)
    deep.mkdir(parents=True)
    accounts = Accounts()
    path, listener = signer_socket(signer_folder(deep, accounts), accounts)
    try:
        assert len(os.fsencode(path)) < 100
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with pytest.raises(OSError, match="already"):
            signer_socket(signer_folder(deep, accounts), accounts)
    finally:
        listener.close()
        shutil.rmtree(path.parent)
