"""Brings the nodes: `python -m providers.sandbox.nodes.install [--optional] anvil litecoind`; does nothing twice.

Anvil is a program inside an npm package, held by hash in `package-lock.json`; beside it comes the Solidity compiler, by
which the tests hold our committed contracts against their sources. litecoind is a Debian package: installed
by root, or with sudo where that asks for no password, else only unpacked into our own folder with its libraries.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from providers.sandbox.nodes.places import (
    ANVIL_PACKAGE,
    FOLDER,
    LIBRARIES,
    LITECOIND,
    NodeMissing,
    anvil_advice,
    anvil_path,
    litecoind_advice,
    litecoind_program,
)

_HERE: Final = Path(__file__).parent
_MANIFESTS: Final = ("package.json", "package-lock.json")
_DEBIAN_STATUS: Final = "/var/lib/dpkg/status"
_LAST_LINES: Final = 8


def install_anvil() -> None:
    """Have npm fetch what the lock file holds; raises NodeMissing."""
    own = {ANVIL_PACKAGE} if os.environ.get("ANVIL") else set()
    if all(_installed_version(name) == version for name, version in _locked().items() if name not in own):
        anvil_path()
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NodeMissing(
            f"npm, which brings anvil, is not on PATH (Debian and Ubuntu: apt install npm). {anvil_advice()}"
        )
    _say("Installing anvil ...")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in _MANIFESTS:
        shutil.copy(_HERE / name, FOLDER)
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(FOLDER)], anvil_advice())
    anvil_path()


def install_litecoind() -> None:
    """Install the distribution's package, or unpack it where we may not install; raises NodeMissing."""
    try:
        litecoind_program()
    except NodeMissing:
        if os.environ.get("LITECOIND") or shutil.which("apt-get") is None:
            raise
    else:
        return
    _say("Installing litecoind ...")
    superuser = _superuser()
    if superuser is None:
        _unpack_litecoind()
    else:
        apt = [*superuser, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        _run([*apt, "update"], litecoind_advice())
        _run([*apt, "install", "--yes", "--no-install-recommends", "litecoind"], litecoind_advice())
    litecoind_program()


def _locked() -> dict[str, str]:
    """The versions that the lock file holds, by package."""
    packages = json.loads((_HERE / "package-lock.json").read_text())["packages"]
    names = [*packages[""]["dependencies"], *packages[""]["optionalDependencies"]]
    return {name: str(packages[f"node_modules/{name}"]["version"]) for name in names}


def _installed_version(package: str) -> str | None:
    manifest = FOLDER / "node_modules" / package / "package.json"
    return str(json.loads(manifest.read_text())["version"]) if manifest.is_file() else None


def _superuser() -> list[str] | None:
    """What to put in front of a command so that root runs it; None when we are not root and cannot be unasked."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    asked = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False)  # noqa: S603 - a fixed command
    return [sudo, "-n"] if asked.returncode == 0 else None


def _unpack_litecoind() -> None:
    """Download the package and the libraries that this system lacks, and unpack them into a folder of our own."""
    home = FOLDER / "apt"
    for name in ("lists/partial", "cache/archives/partial", "debs"):
        (home / name).mkdir(parents=True, exist_ok=True)
    # The lists of packages are kept apart too: those of the system may be missing, and only root renews them.
    options = {"Dir::State": home, "Dir::State::lists": home / "lists", "Dir::Cache": home / "cache"}
    own = [
        part
        for name, value in {**options, "Dir::State::status": _DEBIAN_STATUS}.items()
        for part in ("-o", f"{name}={value}")
    ]
    _run(["apt-get", "-qq", *own, "update"], litecoind_advice())
    kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    depends = ["apt-cache", *own, "depends", "--recurse", *(f"--no-{kind}" for kind in kinds), "litecoind"]
    listed = _run(depends, litecoind_advice()).splitlines()
    wanted = [name for name in dict.fromkeys(listed) if name and not name.startswith((" ", "<")) and not _has(name)]
    _run(["apt-get", "-qq", *own, "download", *wanted], litecoind_advice(), folder=home / "debs")
    partial = FOLDER / "root.partial"
    shutil.rmtree(partial, ignore_errors=True)
    for package in sorted((home / "debs").glob("*.deb")):
        _run(["dpkg", "-x", str(package), str(partial)], litecoind_advice())
    if not (partial / LITECOIND).is_file():
        raise NodeMissing(f"The package has no {LITECOIND}. {litecoind_advice()}")
    partial.rename(LIBRARIES)
    shutil.rmtree(home, ignore_errors=True)


def _has(package: str) -> bool:
    """Whether the system has a package already."""
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout == "installed"  # noqa: S603 - no shell


def _run(command: Sequence[str], advice: str, *, folder: Path | None = None) -> str:
    """What a command prints; raises NodeMissing with its last words and the advice when it fails."""
    ran = subprocess.run(  # noqa: S603 - the commands are built here, without a shell
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        said = "\n".join((ran.stderr + ran.stdout).strip().splitlines()[-_LAST_LINES:])
        raise NodeMissing(f"`{' '.join(command)}` failed:\n{said}\n{advice}")
    return ran.stdout


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


_INSTALLERS: Final = {"anvil": install_anvil, "litecoind": install_litecoind}


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring every node that is named; 1 when one could not be had, unless it is optional."""
    parser = argparse.ArgumentParser(description="Install the nodes that development and tests use.")
    parser.add_argument("--optional", action="store_true", help="say what is missing, and go on without it")
    parser.add_argument("nodes", nargs="+", choices=sorted(_INSTALLERS))
    chosen = parser.parse_args(arguments)
    missing = False
    for name in chosen.nodes:
        try:
            _INSTALLERS[name]()
        except NodeMissing as error:
            missing = True
            _say(f"{error}\nGoing on without {name}." if chosen.optional else str(error))
    return int(missing and not chosen.optional)


if __name__ == "__main__":
    sys.exit(main())
