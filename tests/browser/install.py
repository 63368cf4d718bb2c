"""Brings what the browser's tests use: `python -m tests.browser.install`; does nothing twice.

Chromium and a font with Arabic letters are Debian packages, installed by root or with a sudo that asks for no password.
axe-core, which looks for what keeps people from using a page, is an npm package held by hash in `package-lock.json`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

FOLDER: Final = Path(sys.prefix) / "browser"
AXE: Final = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
_HERE: Final = Path(__file__).parent
_MANIFESTS: Final = ("package.json", "package-lock.json")
# The same browser twice; the one that draws no windows takes a third of the time for the same work.
_PROGRAMS: Final = ("chromium-headless-shell", "chromium")
_PACKAGES: Final = ("chromium-headless-shell", "fonts-noto-core")
_ARABIC: Final = ":lang=ar"
_WAIT: Final = "DPkg::Lock::Timeout=300"  # seconds; another installation may be going on
_LAST_LINES: Final = 8


class BrowserMissing(RuntimeError):
    """Something that the browser's tests need is not here; the message says what to do."""


def chromium_path() -> Path:
    """The browser: what CHROMIUM names, else the system's; raises BrowserMissing."""
    told = os.environ.get("CHROMIUM")
    if told:
        if shutil.which(told) is None:
            raise BrowserMissing(f"CHROMIUM names no program: {told}")
        return Path(told).absolute()
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if found is None:
        raise BrowserMissing(f"There is no Chromium. {_advice()}")
    return Path(found)


def axe_source() -> str:
    """The script of axe-core; raises BrowserMissing."""
    if not AXE.is_file():
        raise BrowserMissing("axe-core is not installed. With npm on PATH: python -m tests.browser.install")
    return AXE.read_text()


def install() -> None:
    """Have everything here; raises BrowserMissing."""
    if not _has_packages():
        _install_packages()
    chromium_path()
    if _installed_axe() != _locked_axe():
        _install_axe()
    axe_source()


def _has_packages() -> bool:
    """Whether there is a browser, and a font for Arabic, wherever they come from."""
    try:
        chromium_path()
    except BrowserMissing:
        if os.environ.get("CHROMIUM"):
            raise
        return False
    listing = shutil.which("fc-list")
    return listing is not None and bool(_run([listing, _ARABIC]).strip())


def _install_packages() -> None:
    root = _as_root()
    if shutil.which("apt-get") is None or root is None:
        raise BrowserMissing(f"The browser's tests need Chromium and a font with Arabic letters. {_advice()}")
    _say(f"Installing {' and '.join(_PACKAGES)} ...")
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", _WAIT]
    _run([*apt, "update"])
    _run([*apt, "install", "--yes", "--no-install-recommends", *_PACKAGES, "fontconfig"])


def _install_axe() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise BrowserMissing("npm, which brings axe-core, is not on PATH. On Debian and Ubuntu: apt install npm")
    _say("Installing axe-core ...")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in _MANIFESTS:
        shutil.copy(_HERE / name, FOLDER)
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(FOLDER)])


def _locked_axe() -> str:
    packages = json.loads((_HERE / "package-lock.json").read_text())["packages"]
    return str(packages["node_modules/axe-core"]["version"])


def _installed_axe() -> str | None:
    manifest = AXE.parent / "package.json"
    return str(json.loads(manifest.read_text())["version"]) if AXE.is_file() else None


def _as_root() -> list[str] | None:
    """What to put in front of a command so that root runs it; None when we are not root and cannot be unasked."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode != 0:
        return None
    return [sudo, "-n"]


def _advice() -> str:
    return (
        f"On Debian: apt install {' '.join(_PACKAGES)}; elsewhere name a Chromium of yours: "
        "CHROMIUM=/path/to/chromium, and have a font for Arabic that fc-list :lang=ar shows"
    )


def _run(command: Sequence[str]) -> str:
    """What a command prints; raises BrowserMissing with its last words and the advice when it fails."""
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        said = "\n".join((ran.stderr + ran.stdout).strip().splitlines()[-_LAST_LINES:])
        raise BrowserMissing(f"`{' '.join(command)}` failed:\n{said}\n{_advice()}")
    return ran.stdout


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> int:
    """Bring everything; 1 when something could not be had."""
    try:
        install()
    except BrowserMissing as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
