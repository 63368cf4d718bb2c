"""Where a passphrase comes from: a descriptor, a file, or whoever sits there. Never an argument, never a variable."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from app.signer.key_file import KeyFileError

PassphraseFd = Annotated[int | None, typer.Option(help="Read the passphrase from this open descriptor.")]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="Read the passphrase from this file, which only its owner may read.")
]
_MOST: Final = 1000
_OTHERS: Final = 0o077


def read_passphrase(fd: int | None, file: Path | None, *, new: bool = False) -> str:
    """The passphrase: from `fd`, else from `file`, else asked for, twice when it is `new`; raises KeyFileError."""
    if fd is not None:
        with open(fd) as opened:
            return _one_line(opened.read(_MOST))
    if file is not None:
        if file.stat().st_mode & _OTHERS:
            raise KeyFileError(f"others may read {file}: its mode should be 0600 or 0400")
        return _one_line(file.read_text()[:_MOST])
    if not sys.stdin.isatty():
        raise KeyFileError("say where the passphrase comes from: --passphrase-fd or --passphrase-file")
    return str(typer.prompt("Passphrase of the wallet's key", hide_input=True, confirmation_prompt=new, err=True))


def read_secret_words(what: str) -> str:
    """A seed or mnemonic: from standard input when that is a pipe, else asked for without being shown."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, err=True))
    return sys.stdin.read(_MOST).strip()


def _one_line(text: str) -> str:
    line = text.strip(os.linesep)
    if not line or os.linesep in line:
        raise KeyFileError("a passphrase is one line")
    return line
