"""The key file: encrypted, versioned, never overwritten, and silent about what is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.signer.key_file import KeyFileError, decrypt, encrypt, read, write_new

SEED = bytes(range(64))
PASSPHRASE = "correct horse battery staple"
FAST = 10


def test_what_is_encrypted_is_read_back_with_the_passphrase_and_no_other() -> None:
    text = encrypt(SEED, PASSPHRASE, work=FAST)
    assert decrypt(text, PASSPHRASE) == SEED
    for wrong in ("", "correct horse battery stapl", PASSPHRASE + " "):
        with pytest.raises(KeyFileError, match="passphrase does not open"):
            decrypt(text, wrong)


def test_nothing_of_the_seed_is_in_the_file_and_no_two_files_are_alike() -> None:
    one, two = encrypt(SEED, PASSPHRASE, work=FAST), encrypt(SEED, PASSPHRASE, work=FAST)
    assert one != two
    for form in (SEED, SEED.hex().encode(), SEED[:16], SEED.hex()[:32].encode(), PASSPHRASE.encode()):
        assert form not in one
    said = json.loads(one)
    assert (said["version"], said["kdf"], said["cipher"]) == (1, "scrypt", "aes-256-gcm")


def test_a_new_file_takes_half_a_second_of_guessing() -> None:
    assert json.loads(encrypt(SEED, PASSPHRASE))["work"] == 17


@pytest.mark.parametrize("name", ["salt", "nonce", "sealed", "work"])
def test_a_file_that_was_changed_does_not_open(name: str) -> None:
    said = json.loads(encrypt(SEED, PASSPHRASE, work=FAST))
    said[name] = 11 if name == "work" else ("B" if said[name][0] == "A" else "A") + said[name][1:]
    with pytest.raises(KeyFileError, match="does not open"):
        decrypt(json.dumps(said).encode(), PASSPHRASE)


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"kdf": "pbkdf2"}, {"work": 9}, {"work": 25}, {"sealed": "!"}, {"salt": None}, {"extra": 1}],
    ids=str,
)
def test_a_file_of_another_kind_is_refused(change: dict[str, object]) -> None:
    said = json.loads(encrypt(SEED, PASSPHRASE, work=FAST)) | change
    with pytest.raises(KeyFileError, match="not a key file of version 1"):
        decrypt(json.dumps(said).encode(), PASSPHRASE)


@pytest.mark.parametrize("size", [0, 16, 31, 65])
def test_a_seed_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 to 64"):
        encrypt(bytes(size), PASSPHRASE, work=FAST)


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    write_new(path, b"first")
    with pytest.raises(KeyFileError, match="already"):
        write_new(path, b"second")
    assert read(path) == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key.json"]


def test_what_is_not_there_is_told_without_a_trace(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        read(tmp_path / "none")
