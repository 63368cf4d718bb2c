"""`rampwright wallet-key`: the wallet's seed in its encrypted file; for the signer's account, on its machine."""

from __future__ import annotations

import secrets
import time
from typing import Annotated

import typer

from app.cli.output import AsJson, fail, out, print_json, told
from app.cli.passphrases import PassphraseFd, PassphraseFile, read_passphrase, read_secret_words
from app.settings import ProcessSettings, SignerSettings
from app.signer import key_file
from app.signer.journal import Journal
from app.signer.places import Folder
from app.signer.policy import read_policy
from app.signer.program import keys_of
from providers.bitcoin.wallet import seed_of

_SEED_BYTES = 64


def register(app: typer.Typer) -> None:
    """Add `rampwright wallet-key`."""
    group = typer.Typer(help="The wallet's key: made, brought in, shown in public.", no_args_is_help=True)
    group.command("create")(create)
    group.command("import")(import_)
    group.command("public")(public)
    group.command("forget")(forget)
    app.add_typer(group, name="wallet-key")


def create(passphrase_fd: PassphraseFd = None, passphrase_file: PassphraseFile = None) -> None:
    """Make a new wallet. Its seed is in the key file and nowhere else: keep a copy of that file, and the passphrase."""
    with told():
        _write(secrets.token_bytes(_SEED_BYTES), read_passphrase(passphrase_fd, passphrase_file, new=True))


def import_(passphrase_fd: PassphraseFd = None, passphrase_file: PassphraseFile = None) -> None:
    """Bring a wallet in: its BIP-39 mnemonic, or its seed in hex, is asked for, or read from standard input."""
    with told():
        words = read_secret_words("BIP-39 mnemonic, or seed in hex")
        try:
            seed = seed_of(words) if " " in words else bytes.fromhex(words)
        except ValueError:
            fail("this is neither a BIP-39 mnemonic nor a seed in hex")
        if not 32 <= len(seed) <= 64:
            fail("a seed has 32 to 64 bytes")
        _write(seed, read_passphrase(passphrase_fd, passphrase_file, new=True))


def public(passphrase_fd: PassphraseFd = None, passphrase_file: PassphraseFile = None, as_json: AsJson = False) -> None:
    """Show the extended public keys: with them every address can be watched, and nothing can be signed."""
    with told():
        folder = _folder()
        text = key_file.read(folder.key_file)
        seed = key_file.decrypt(text, read_passphrase(passphrase_fd, passphrase_file))
        keys = keys_of(seed, read_policy(folder.policy_file)).public()
    if as_json:
        print_json(keys)
        return
    for network, key in keys.items():
        out.print(f"{network:<10} {key}")


def forget(subject: Annotated[str, typer.Argument(help="or_... or po_...")]) -> None:
    """Let an order or payout be signed for anew: only when what was signed for it can never be mined any more."""
    with told():
        with Journal(_folder().journal, clock=time.time) as journal:
            count = journal.forget(subject)
        if not count:
            fail(f"nothing was signed for {subject}")
    out.print(f"{count} signatures for {subject} are forgotten")


def _folder() -> Folder:
    process, settings = ProcessSettings(), SignerSettings()
    return Folder(settings.signer_home or process.home / "signer")


def _write(seed: bytes, passphrase: str) -> None:
    folder = _folder()
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_file.write_new(folder.key_file, key_file.encrypt(seed, passphrase))
    out.print(f"the wallet's key is in {folder.key_file}")
