"""Installing and running real nodes: what is pinned, what is said when one is missing, and that nothing stays."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from providers.sandbox.nodes import install, places
from providers.sandbox.nodes.anvil import CHAIN_ID, running_anvil
from providers.sandbox.nodes.core import running_core, running_litecoind
from providers.sandbox.nodes.places import NodeMissing, Program
from providers.sandbox.nodes.processes import NodeFailed, running

FOLDER = Path(places.__file__).parent


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_lock_holds_everything_by_hash_and_names_no_host() -> None:
    text = (FOLDER / "package-lock.json").read_text()
    manifest = json.loads((FOLDER / "package.json").read_text())
    asked = manifest["dependencies"] | manifest["optionalDependencies"]
    packages = json.loads(text)["packages"]
    locked = {name.removeprefix("node_modules/"): one for name, one in packages.items() if name}
    assert asked == {places.ANVIL_PACKAGE: "1.7.1", "solc": "0.8.37"}
    assert asked.items() <= {name: one["version"] for name, one in locked.items()}.items()
    assert all(re.fullmatch(r"sha512-[\w+/]{86}==", one["integrity"]) for one in locked.values())
    assert "://" not in text
    assert "resolved" not in text


async def test_anvil_runs_on_a_chain_of_its_own_and_leaves_nothing() -> None:
    async with running_anvil() as one, running_anvil(chain_id=7) as other:
        assert [int(str(await node.ask("eth_chainId")), 16) for node in (one, other)] == [CHAIN_ID, 7]
        await one.ask("evm_mine")
        assert [await node.ask("eth_blockNumber") for node in (one, other)] == ["0x1", "0x0"]
        home = Path(os.readlink(f"/proc/{one.pid}/cwd"))
    assert [alive(one.pid), alive(other.pid), home.exists()] == [False, False, False]


async def test_a_core_node_runs_on_a_chain_of_its_own_and_leaves_nothing() -> None:
    async with running_core() as core:
        assert core.hrp + "1q" in str(await core.node.ask("decodescript", "0014" + "ab" * 20))
        assert await core.node.ask("getblockcount") == 0
        home = Path(os.readlink(f"/proc/{core.node.pid}/cwd"))
        with pytest.raises(NodeFailed, match="Method not found"):
            await core.node.ask("no_such_method")
    assert [alive(core.node.pid), home.exists()] == [False, False]


async def test_litecoins_extension_blocks_stay_away() -> None:
    """They would put a transaction into every block of which our adapter knows nothing."""
    async with running_litecoind() as litecoin:
        info = await litecoin.node.ask("getblockchaininfo")
    assert isinstance(info, dict)
    assert info["softforks"]["mweb"]["bip9"]["status"] == "defined"


async def test_a_program_that_ends_at_once_is_no_node(tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho no such chain >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(NodeFailed, match="no such chain"):
        async with running(Program(program), lambda port, folder: [], ready="getblockcount"):
            pass


@pytest.mark.parametrize("variable", ["ANVIL", "LITECOIND", "BITCOIND"])
def test_a_variable_that_names_no_program_is_refused(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "/nowhere/node")
    ask = {"ANVIL": places.anvil_path, "LITECOIND": places.litecoind_program, "BITCOIND": places.bitcoind_program}
    with pytest.raises(NodeMissing, match=variable):
        ask[variable]()
    if variable != "BITCOIND":
        assert install.main([variable.lower()]) == 1
        assert install.main(["--optional", variable.lower()]) == 0


def test_a_named_program_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "node"
    program.write_text("")
    program.chmod(0o755)
    for variable in ("ANVIL", "LITECOIND", "BITCOIND"):
        monkeypatch.setenv(variable, str(program))
    assert places.anvil_path() == program
    assert places.litecoind_program() == places.bitcoind_program() == Program(program)


def test_without_npm_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ANVIL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(install, "FOLDER", tmp_path / "nodes")
    assert install.main(["anvil"]) == 1
    assert "npm" in capsys.readouterr().err
    assert not (tmp_path / "nodes").exists()


def test_a_command_that_fails_says_how_and_what_to_do_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho the registry is away >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.delenv("ANVIL", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(install, "FOLDER", tmp_path / "nodes")
    with pytest.raises(NodeMissing, match=r"the registry is away(?s:.)*ANVIL="):
        install.install_anvil()


def test_what_is_there_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without npm and apt: a second `make test` needs no network."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install.main(["anvil", "litecoind"]) == 0
