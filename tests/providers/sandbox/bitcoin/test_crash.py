"""SIGKILL at any moment, and a checkpoint that is missing, stale, foreign or broken: the log always wins."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.sandbox.bitcoin.errors import RpcError
from providers.sandbox.bitcoin.kernel import Kernel
from providers.sandbox.bitcoin.node import Node

ROOT = Path(__file__).parents[4]
CHECKPOINT_EVERY = 25


def acknowledged_until_killed(home: Path, seconds: float) -> dict[str, int]:
    """Let the child work for a while from its first answer on, kill it, and return what it had acknowledged."""
    command = [sys.executable, "-m", "tests.providers.sandbox.bitcoin.crash_child", str(home), str(CHECKPOINT_EVERY)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(seconds)
        child.kill()
        rest = child.stdout.read()
    whole = (first + rest).rpartition("\n")[0]  # the last line may be cut
    return {line.split()[0]: int(line.split()[1]) for line in whole.splitlines()}


def test_no_acknowledged_block_is_lost(home: Path) -> None:
    chance = random.Random(7)
    acknowledged: dict[str, int] = {}
    for _ in range(3):
        acknowledged |= acknowledged_until_killed(home, chance.uniform(0.05, 0.3))
        flushed = Kernel(home / "kernel")
        checkpoint = flushed.height
        flushed.close()
        node = Node.open(home, checkpoint_every=CHECKPOINT_EVERY)
        assert [each for each in acknowledged if each not in node.view.known] == []
        assert node.view.tip.height >= max(acknowledged.values())
        # The kernel really comes back at its checkpoint: at most a run of blocks and one command were missing.
        assert node.view.tip.height - CHECKPOINT_EVERY - 3 <= checkpoint <= node.view.tip.height
        node.close()
    assert len(acknowledged) > 40


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A chain of 300 blocks that was closed cleanly."""
    home = tmp_path_factory.mktemp("template") / "far-side"
    node = Node.open(home)
    node.fund([("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", 10_000)])
    node.mine(300 - node.view.tip.height)
    active = list(node.view.active)
    node.close()
    return home, active


def overwrite(pattern: str) -> Callable[[Path], None]:
    """Break files of the checkpoint."""

    def damage(home: Path) -> None:
        broken = list((home / "kernel").glob(pattern))
        assert broken
        for path in broken:
            path.write_bytes(bytes(255 - byte for byte in path.read_bytes()[:50_000]))

    return damage


def replace_by_another_chain(home: Path) -> None:
    other = Node.open(home / "other")
    other.mine(70)
    other.close()
    shutil.rmtree(home / "kernel")
    (home / "other" / "kernel").rename(home / "kernel")


def remove(home: Path) -> None:
    shutil.rmtree(home / "kernel")


BROKEN_FILES = ("blocks/blk*", "blocks/rev*", "blocks/index/MANIFEST*", "blocks/index/*.log", "chainstate/CURRENT")


@pytest.mark.parametrize(
    "damage",
    [remove, replace_by_another_chain, *(overwrite(pattern) for pattern in BROKEN_FILES)],
    ids=["removed", "another chain", *BROKEN_FILES],
)
def test_a_damaged_checkpoint_is_made_anew(
    home: Path, template: tuple[Path, list[str]], damage: Callable[[Path], None]
) -> None:
    shutil.copytree(template[0], home)
    damage(home)
    node = Node.open(home)
    assert node.view.active == template[1]
    node.mine(1)
    node.close()
    again = Kernel(home / "kernel")
    assert again.height == 301
    again.close()


def test_a_long_replay_is_checkpointed_at_once(home: Path, template: tuple[Path, list[str]]) -> None:
    shutil.copytree(template[0], home, ignore=shutil.ignore_patterns("kernel"))
    node = Node.open(home, checkpoint_every=200)
    shutil.copytree(home / "kernel", home / "as-after-a-kill")
    node.close()
    flushed = Kernel(home / "as-after-a-kill")
    assert flushed.height == 300
    flushed.close()


def test_damage_that_shows_only_during_a_reorg_is_repaired_then(home: Path, template: tuple[Path, list[str]]) -> None:
    """Core checks the newest blocks when it opens; older ones are read when they are disconnected."""
    shutil.copytree(template[0], home)
    undo = home / "kernel" / "blocks" / "rev00000.dat"
    used = undo.read_bytes().rstrip(b"\x00")
    undo.write_bytes(bytes(len(used) * 9 // 10) + undo.read_bytes()[len(used) * 9 // 10 :])
    node = Node.open(home)
    node.reorg(140)
    assert node.view.tip.height == 301
    assert node.view.active[:161] == template[1][:161]
    assert node.view.active[161] != template[1][161]
    node.close()


def test_whoever_died_while_opening_the_checkpoint_does_not_try_it_again(
    home: Path, template: tuple[Path, list[str]]
) -> None:
    shutil.copytree(template[0], home)
    (home / "kernel.opening").touch()
    left = home / "kernel" / "left-over"
    left.touch()
    node = Node.open(home)
    assert node.view.active == template[1]
    assert not left.exists()
    assert not (home / "kernel.opening").exists()
    node.close()


def test_a_torn_end_of_the_log_costs_only_what_was_not_acknowledged(
    home: Path, template: tuple[Path, list[str]]
) -> None:
    """Here the checkpoint is ahead of the log: the block that is missing there was never answered."""
    shutil.copytree(template[0], home)
    log = home / "blocks.log"
    log.write_bytes(log.read_bytes()[:-5])
    node = Node.open(home)
    assert node.view.active == template[1][:-1]
    node.mine(2)
    node.close()


def test_a_log_that_cannot_be_written_stops_the_miner_and_nothing_else(node: Node, home: Path) -> None:
    active = list(node.view.active)
    node.log.close()  # as it does itself when a write fails
    for act in (lambda: node.mine(1), lambda: node.reorg(1), lambda: node.invalidate(active[-1])):
        with pytest.raises(RpcError):
            act()
    assert node.view.active == active
    assert len(node.pay([("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", 10_000)])) == 1
    node.close()
    again = Node.open(home)
    assert again.view.active == active
    again.close()
