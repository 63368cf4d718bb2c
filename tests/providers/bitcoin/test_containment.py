"""bitcoinlib writes nothing outside its own temporary folder, and loads even where every warning is an error."""

import os
import subprocess
import sys
from pathlib import Path

import tests

ROOT = Path(__file__).parents[3]

USE = """
import os, sys
from pathlib import Path
from providers.bitcoin.containment import DATA_FOLDER
assert "bitcoinlib" not in sys.modules
from providers.bitcoin.wallet import Wallet
from providers.bitcoin.networks import REGTEST
from app.ports.chain import Branch
Wallet(bytes(64), REGTEST).address(Branch.RECEIVE, 0)
from bitcoinlib import main
assert Path(main.BCL_DATA_DIR) == DATA_FOLDER == Path(os.environ["BCL_DATA_DIR"])
assert not main.ENABLE_BITCOINLIB_LOGGING
assert not main.logger.handlers
names = sorted(str(path.relative_to(DATA_FOLDER)) for path in DATA_FOLDER.rglob("*"))
assert not [name for name in names if name.endswith((".log", ".sqlite")) and name != "install.log"], names
assert DATA_FOLDER.stat().st_mode & 0o077 == 0
print(DATA_FOLDER)
"""


def run(script: str, home: Path, temporary: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if name != "BCL_DATA_DIR"},
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(
        command, env=environment, cwd=temporary, capture_output=True, text=True, timeout=60, check=False
    )


def test_home_stays_untouched_and_nothing_stays_behind(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    temporary.mkdir()
    folders = set()
    for _ in range(2):  # the library keeps its configuration only for the first process in a folder
        done = run(USE, home, temporary)
        assert (done.returncode, done.stderr) == (0, "")
        folders.add(done.stdout)
    assert len(folders) == 2
    assert not home.exists()
    assert list(temporary.iterdir()) == []


def test_the_library_alone_would_write_to_the_home_folder(tmp_path: Path) -> None:
    """Why there is a containment: without it this is what happens."""
    done = run("import warnings; warnings.simplefilter('ignore'); import bitcoinlib", tmp_path / "home", tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "home" / ".bitcoinlib" / "config.ini").exists()


def test_our_tests_are_not_the_librarys() -> None:
    """bitcoinlib installs a package `tests` of its own beside itself."""
    assert tests.__file__ is not None
    assert Path(tests.__file__).parent == ROOT / "tests"
