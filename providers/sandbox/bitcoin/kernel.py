"""Bitcoin Core's consensus code (libbitcoinkernel through `pbk`), behind the few typed calls that the node makes.

The library has no types and aborts the whole process on some wrong arguments; both stay inside this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pbk
from pbk.capi import KernelOpaquePtr
from pbk.capi.bindings import btck_logging_disable
from pbk.script import PrecomputedTransactionData

from providers.sandbox.bitcoin.serialise import MalformedBytes, TxOut, double_sha256, shown, stored

btck_logging_disable()  # else the library keeps its log in memory, waiting for a reader


class KernelFailed(Exception):
    """The kernel could not do its work, whatever the block: its databases are missing, damaged or out of step."""


class Kernel:
    """Core's view of the chain: which blocks are valid, and which chain is the active one.

    Its databases in `directory` are flushed only by `close`; after a crash it comes back as of the last one.
    """

    def __init__(self, directory: Path) -> None:
        self._verdicts: dict[str, str | None] = {}
        self._manager = _open_manager(directory, self._verdicts)
        self._chain = self._manager.get_active_chain()

    @property
    def height(self) -> int:
        """The height of the active chain's tip."""
        return int(self._chain.height)

    @property
    def tip(self) -> str:
        """The hash of the active chain's tip."""
        return self.hash_at(self.height)

    def hash_at(self, height: int) -> str:
        """The active chain's block at a height from 0 to `height`."""
        return str(self._chain.block_tree_entries[height].block_hash)

    def knows(self, block_hash: str) -> bool:
        """Whether it ever took in this block."""
        return pbk.BlockHash(stored(block_hash)) in self._manager.block_tree_entries

    def offer(self, raw: bytes) -> str | None:
        """Have a block validated. None when it is not refused, else Core's kind of reason; raises KernelFailed.

        A block on a side branch is validated fully only once its branch would become the active one.
        """
        self._verdicts.clear()
        failure: Exception | None = None
        try:
            self._manager.process_block(_from_bytes(pbk.Block, raw))
        except (pbk.KernelException, RuntimeError) as error:
            failure = error
        refusal = self._verdicts.get(shown(double_sha256(raw[:80])))
        if refusal is None and failure is not None:
            raise KernelFailed("a block could not be processed") from failure
        return refusal

    def close(self) -> None:
        """Flush the databases to the disk and release them."""
        manager = self._manager
        del self._chain, self._manager  # a call on what is released would crash the process; like this it raises
        manager.__exit__(None, None, None)


def failing_input(raw: bytes, spent: Sequence[TxOut]) -> int | None:
    """Run Core's script interpreter with consensus rules: the first input whose script fails, or None.

    `spent` holds what each input spends, in order. Raises MalformedBytes when Core cannot decode `raw`.
    """
    try:
        transaction = _from_bytes(pbk.Transaction, raw)
    except RuntimeError as error:
        raise MalformedBytes("Core cannot decode this transaction") from error
    if len(transaction.inputs) != len(spent):
        raise ValueError("one spent output per input")  # the library would abort the process
    scripts = [_from_bytes(pbk.ScriptPubkey, output.script) for output in spent]
    outputs = [pbk.TransactionOutput(script, each.value) for script, each in zip(scripts, spent, strict=True)]
    precomputed = PrecomputedTransactionData(transaction, outputs)
    flags = pbk.ScriptVerificationFlags.ALL
    for index, (script, output) in enumerate(zip(scripts, spent, strict=True)):
        if not script.verify(output.value, transaction, precomputed, index, flags):
            return index
    return None


def _open_manager(directory: Path, verdicts: dict[str, str | None]) -> pbk.ChainstateManager:
    def block_checked(_user_data: object, block: pbk.Block, state: pbk.BlockValidationState) -> None:
        # An exception in here would vanish inside ctypes, and `state` dies when this returns: only take notes.
        invalid = state.validation_mode == pbk.ValidationMode.INVALID
        verdicts[str(block.block_hash)] = state.block_validation_result.name.lower() if invalid else None

    try:
        directory.mkdir(parents=True, exist_ok=True)
        callbacks = pbk.ValidationInterfaceCallbacks(block_checked=block_checked)
        context = pbk.make_context(pbk.ChainType.REGTEST, callbacks)
        options = pbk.ChainstateManagerOptions(context, str(directory.absolute()), str(directory.absolute() / "blocks"))
        options.set_worker_threads_num(0)
        return pbk.ChainstateManager(options)
    except (RuntimeError, OSError) as error:
        raise KernelFailed("the databases cannot be opened") from error


def _from_bytes(kind: type[KernelOpaquePtr], raw: bytes) -> KernelOpaquePtr:
    """Make a kernel object from bytes; raises RuntimeError when Core cannot decode them.

    The library's own constructors copy byte by byte through Python, which takes milliseconds for a full block.
    """
    made: KernelOpaquePtr = object.__new__(kind)
    KernelOpaquePtr.__init__(made, raw, len(raw))
    return made
