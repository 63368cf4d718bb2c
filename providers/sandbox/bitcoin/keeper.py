"""Keeps a kernel in step with the block log, with a checkpoint on disk that may be lost at any time.

Replaying a chain into the kernel costs time that grows with its square (a block costs 0.2 ms at height 1,000 and
1.2 ms at 5,000, most likely Core's self-checks on regtest). A clean close every so often leaves databases behind
that the next start reads in tens of milliseconds; only what came after them is replayed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from providers.sandbox.bitcoin.kernel import Kernel, KernelFailed
from providers.sandbox.bitcoin.serialise import Block
from providers.sandbox.bitcoin.view import ChainView


class KernelKeeper:
    """The kernel that is open now, and what happens when it is not there, not right or not well."""

    def __init__(self, home: Path, view: ChainView, *, checkpoint_every: int) -> None:
        self._directory = home / "kernel"
        self._opening = home / "kernel.opening"
        self._view = view
        self._every = checkpoint_every
        self._uncheckpointed = 0
        # Damage may kill the process inside the library. Whoever died while opening the checkpoint leaves the mark.
        if self._opening.exists():
            shutil.rmtree(self._directory, ignore_errors=True)
        self._opening.touch()
        self.kernel = self._from_checkpoint()
        self._opening.unlink()
        self.checkpoint_if_due()  # else a program that is always killed would replay as much each time

    def offer(self, block: Block) -> str | None:
        """Have a block validated (see `Kernel.offer`); a kernel that fails is rebuilt and asked again."""
        self._uncheckpointed += 1
        try:
            return self.kernel.offer(block.raw)
        except KernelFailed:
            self.rebuild()
            return self.kernel.offer(block.raw)

    def checkpoint_if_due(self) -> None:
        """Flush the kernel once enough blocks have gone through it. To be called with the log synced."""
        if self._uncheckpointed >= self._every:
            self.kernel.close()
            self.kernel = self._from_checkpoint()

    def rebuild(self) -> None:
        """Begin again with an empty kernel; raises KernelFailed when even that does not lead where the log leads."""
        self.kernel.close()
        self.kernel = self._from_nothing()

    def close(self) -> None:
        """Leave a checkpoint of everything behind."""
        self.kernel.close()

    def _from_checkpoint(self) -> Kernel:
        try:
            kernel = Kernel(self._directory)
        except KernelFailed:
            return self._from_nothing()
        try:
            self._catch_up(kernel)
        except KernelFailed:
            kernel.close()
            return self._from_nothing()
        return kernel

    def _from_nothing(self) -> Kernel:
        shutil.rmtree(self._directory, ignore_errors=True)
        kernel = Kernel(self._directory)
        self._catch_up(kernel)
        return kernel

    def _catch_up(self, kernel: Kernel) -> None:
        """Feed the blocks that the kernel lacks, in their order of arrival, which decides between equal branches."""
        lacking = [block for block in self._view.known.values() if not kernel.knows(block.hash)]
        for block in lacking:
            kernel.offer(block.raw)
        self._uncheckpointed = len(lacking)
        if kernel.tip != self._view.best().hash:
            raise KernelFailed("the kernel follows another chain than the log")
