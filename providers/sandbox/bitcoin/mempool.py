"""Transactions that wait for a block: Core's acceptance and replacement rules, and what blocks do to the pool."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from providers.sandbox.bitcoin import policy
from providers.sandbox.bitcoin.errors import ALREADY_IN_CHAIN, DECODE_FAILED, MISSING_OR_SPENT, RpcError
from providers.sandbox.bitcoin.kernel import failing_input
from providers.sandbox.bitcoin.policy import require
from providers.sandbox.bitcoin.serialise import Block, MalformedBytes, Outpoint, Transaction, parse_transaction
from providers.sandbox.bitcoin.view import ChainView, Coin

CHAIN_LIMIT = 25  # unconfirmed transactions in one family
MAX_REPLACED = 100
REPLACEABLE_BELOW = 0xFFFFFFFE  # a sequence number that announces replacement (BIP-125)


@dataclass(frozen=True, slots=True)
class Entry:
    """A waiting transaction: its fee in satoshi, when it came (seconds since 1970), and the height then."""

    transaction: Transaction
    fee: int
    time: int
    height: int


@dataclass(frozen=True, slots=True)
class Acceptable:
    """A transaction that may enter: its fee, and whom it replaces."""

    transaction: Transaction
    fee: int
    replaced: frozenset[str]


def decode(raw: bytes) -> Transaction:
    """Read a transaction; raises RpcError (-22)."""
    try:
        return parse_transaction(raw)
    except MalformedBytes as error:
        message = f"TX decode failed: {error}. Make sure the tx has at least one input."
        raise RpcError(DECODE_FAILED, message) from None


class Mempool:
    """The waiting transactions, parents before children."""

    def __init__(self, view: ChainView) -> None:
        self.entries: dict[str, Entry] = {}
        self.spender: dict[Outpoint, str] = {}
        self._view = view

    def coin(self, outpoint: Outpoint) -> Coin | None:
        """An output of the chain or of a waiting transaction, spent by another waiting one or not."""
        found = self._view.coins.get(outpoint)
        if found is None and outpoint[0] in self.entries:
            outputs = self.entries[outpoint[0]].transaction.outputs
            if outpoint[1] < len(outputs):
                output = outputs[outpoint[1]]
                return Coin(output.value, output.script, None, coinbase=False)
        return found

    def parents(self, transaction: Transaction) -> set[str]:
        """The waiting transactions whose outputs it spends."""
        return {txid for txid, _ in transaction.spends if txid in self.entries}

    def children(self, txid: str) -> set[str]:
        """The waiting transactions that spend its outputs."""
        outputs = range(len(self.entries[txid].transaction.outputs))
        return {self.spender[txid, vout] for vout in outputs if (txid, vout) in self.spender}

    def ancestors(self, transaction: Transaction) -> set[str]:
        """All waiting transactions that it stands upon."""
        found: set[str] = set()
        open_ends = self.parents(transaction)
        while open_ends:
            txid = open_ends.pop()
            found.add(txid)
            open_ends |= self.parents(self.entries[txid].transaction) - found
        return found

    def family(self, txid: str) -> set[str]:
        """A waiting transaction and all that stand upon it."""
        found: set[str] = set()
        open_ends = {txid}
        while open_ends:
            each = open_ends.pop()
            found.add(each)
            open_ends |= self.children(each) - found
        return found

    def check(self, transaction: Transaction) -> Acceptable:
        """Judge a transaction as Core would; raises RpcError with Core's number and reason."""
        view, txid = self._view, transaction.txid
        require(txid not in self.entries, "txn-already-in-mempool")
        in_chain = any(view.coins.get((txid, vout)) for vout in range(len(transaction.outputs)))
        require(not in_chain, "Transaction outputs already in utxo set", ALREADY_IN_CHAIN)
        policy.check_form(transaction)
        policy.check_final(transaction, view)
        found = [self.coin(outpoint) for outpoint in transaction.spends]
        coins = [coin for coin in found if coin is not None]
        require(len(coins) == len(found), "bad-txns-inputs-missingorspent", MISSING_OR_SPENT)
        policy.check_coins(transaction, coins, view)
        fee = sum(coin.value for coin in coins) - sum(output.value for output in transaction.outputs)
        require(fee >= 0, "bad-txns-in-belowout")
        least = policy.minimum_fee(transaction)
        require(fee >= least, f"min relay fee not met, {fee} < {least}")
        replaced = self._check_relatives(transaction, fee)
        self._check_scripts(transaction, coins)
        return Acceptable(transaction, fee, replaced)

    def add(self, accepted: Acceptable) -> None:
        """Let it wait, in the place of those it replaces."""
        for txid in accepted.replaced:
            self._forget(txid)
        transaction = accepted.transaction
        height = len(self._view.active) - 1
        self.entries[transaction.txid] = Entry(transaction, accepted.fee, int(time.time()), height)
        for outpoint in transaction.spends:
            self.spender[outpoint] = transaction.txid

    def drop(self, txid: str) -> None:
        """Forget a transaction and all that stand upon it; no matter if it is not there."""
        if txid in self.entries:
            for each in self.family(txid):
                self._forget(each)

    def block_connected(self, block: Block) -> None:
        """Take out what the block confirms, and what it makes impossible."""
        for transaction in block.transactions:
            if transaction.txid in self.entries:
                self._forget(transaction.txid)
            for outpoint in transaction.spends:
                if outpoint in self.spender:
                    self.drop(self.spender[outpoint])

    def refill(self, returned: Iterable[Transaction]) -> None:
        """After blocks were taken off: judge their transactions and the waiting ones again, and keep what is sound."""
        waiting = [entry.transaction for entry in self.entries.values()]
        self.entries.clear()
        self.spender.clear()
        for transaction in (*returned, *waiting):
            try:
                self.add(self.check(transaction))
            except RpcError:
                continue  # it went into the new chain, or lost what it spent

    def _forget(self, txid: str) -> None:
        for outpoint in self.entries.pop(txid).transaction.spends:
            del self.spender[outpoint]

    def _check_relatives(self, transaction: Transaction, fee: int) -> frozenset[str]:
        """Limits of unconfirmed families, and the replacement rules when it spends what others spend already."""
        rivals = {self.spender[outpoint] for outpoint in transaction.spends if outpoint in self.spender}
        ancestors = self.ancestors(transaction)
        require(not ancestors & rivals, "bad-txns-spends-conflicting-tx")
        fits = len(ancestors) < CHAIN_LIMIT and all(len(self.family(txid)) < CHAIN_LIMIT for txid in ancestors)
        require(fits, f"too-long-mempool-chain, too many unconfirmed ancestors [limit: {CHAIN_LIMIT}]")
        replaced = frozenset[str]().union(*(self.family(txid) for txid in rivals))
        if rivals:
            self._check_replacement(transaction, fee, rivals, replaced)
        return replaced

    def _check_replacement(
        self, transaction: Transaction, fee: int, rivals: set[str], replaced: frozenset[str]
    ) -> None:
        """Rules 2 to 5 of BIP-125 and Core's rule on rates; as in Core since v28 any transaction may be replaced."""
        refused = f"insufficient fee, rejecting replacement {transaction.txid}"
        known_parents = set().union(*(self.parents(self.entries[txid].transaction) for txid in rivals))
        require(self.parents(transaction) <= known_parents, "replacement-adds-unconfirmed")
        require(len(replaced) <= MAX_REPLACED, f"too many potential replacements {transaction.txid}")
        for rival in (self.entries[txid] for txid in rivals):
            higher = fee * rival.transaction.vsize > rival.fee * transaction.vsize
            require(higher, f"{refused}; new feerate is not above the old one")
        paid = sum(self.entries[txid].fee for txid in replaced)
        require(fee >= paid, f"{refused}, less fees than conflicting txs; {fee} < {paid} satoshi")
        least = policy.minimum_fee(transaction)
        require(fee - paid >= least, f"{refused}, not enough additional fees to relay; {fee - paid} < {least} satoshi")

    def _check_scripts(self, transaction: Transaction, coins: list[Coin]) -> None:
        try:
            failing = failing_input(transaction.raw, policy.spent_outputs(coins))
        except MalformedBytes:
            raise RpcError(DECODE_FAILED, "TX decode failed") from None
        require(failing is None, f"mempool-script-verify-flag-failed (input {failing} of {transaction.txid})")
        policy.check_signatures(transaction, coins)
