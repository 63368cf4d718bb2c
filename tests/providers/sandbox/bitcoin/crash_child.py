"""A program to be killed: works on a chain without pause and says which blocks it acknowledged."""

from __future__ import annotations

import sys
from pathlib import Path

from providers.sandbox.bitcoin import faucet
from providers.sandbox.bitcoin.node import Node


def main(home: Path, checkpoint_every: int) -> None:
    """Mine, pay and reorganise until somebody puts an end to it; one line for each acknowledged block."""
    node = Node.open(home, checkpoint_every=checkpoint_every)
    turn = 0
    while True:
        turn += 1
        node.pay([(faucet.SCRIPT, 10_000 + turn)])
        hashes = node.reorg(2) if turn % 10 == 0 else node.mine(1 + turn % 3)
        for block_hash in hashes:
            sys.stdout.write(f"{block_hash} {node.view.block(block_hash).height}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
