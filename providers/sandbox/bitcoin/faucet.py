"""Coins for everyone: payments from the first coinbases, which lie on a script that anyone may spend."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from providers.sandbox.bitcoin.errors import INSUFFICIENT_FUNDS, RpcError
from providers.sandbox.bitcoin.mempool import Mempool
from providers.sandbox.bitcoin.policy import MATURITY, MIN_FEE_RATE, dust_limit
from providers.sandbox.bitcoin.serialise import Outpoint, Transaction, TxIn, TxOut, build_transaction
from providers.sandbox.bitcoin.view import ChainView, Coin

MATURE_BLOCKS = 150  # whose coinbases are the faucet: all of regtest's first era, 50 BTC each
PREPARED_HEIGHT = MATURE_BLOCKS + MATURITY
MAX_OUTPUTS = 500  # in one payment: about 16,000 virtual bytes
_OP_TRUE = b"\x51"
SCRIPT = b"\x00\x20" + hashlib.sha256(_OP_TRUE).digest()  # P2WSH: the node needs neither a key nor code to sign
_FEE_RATE = 2 * MIN_FEE_RATE
_REPLACEABLE = 0xFFFFFFFD


def batches(outputs: Sequence[TxOut]) -> Iterator[Sequence[TxOut]]:
    """Cut a list of outputs into what one payment may hold."""
    for start in range(0, len(outputs), MAX_OUTPUTS):
        yield outputs[start : start + MAX_OUTPUTS]


def payment(view: ChainView, mempool: Mempool, outputs: Sequence[TxOut]) -> Transaction:
    """Build a payment from the faucet, change back to it; raises RpcError (-6) when its coins do not suffice."""
    wanted = sum(output.value for output in outputs)
    inputs: list[TxIn] = []
    available = 0
    for (txid, vout), coin in _spendable(view, mempool):
        inputs.append(TxIn(txid, vout, b"", _REPLACEABLE))
        available += coin.value
        if available <= wanted:
            continue
        draft = build_transaction(inputs, [*outputs, TxOut(0, SCRIPT)], [_OP_TRUE])
        change = available - wanted - _FEE_RATE * draft.vsize // 1_000
        if change >= dust_limit(SCRIPT):
            return build_transaction(inputs, [*outputs, TxOut(change, SCRIPT)], [_OP_TRUE])
    raise RpcError(INSUFFICIENT_FUNDS, f"The faucet holds {available} satoshi that can be spent, not {wanted}")


def _spendable(view: ChainView, mempool: Mempool) -> Iterator[tuple[Outpoint, Coin]]:
    """The faucet's free coins: ripe ones of the chain, largest first; when they run out, unconfirmed change."""
    ripe = [
        (outpoint, coin)
        for outpoint, coin in view.coins.of(SCRIPT)
        if outpoint not in mempool.spender and not _is_young(coin, next_height=len(view.active))
    ]
    yield from sorted(ripe, key=lambda each: -each[1].value)
    for txid, entry in list(mempool.entries.items()):
        for vout, output in enumerate(entry.transaction.outputs):
            if output.script == SCRIPT and (txid, vout) not in mempool.spender:
                yield (txid, vout), Coin(output.value, output.script, None, coinbase=False)


def _is_young(coin: Coin, *, next_height: int) -> bool:
    return coin.coinbase and coin.height is not None and next_height - coin.height < MATURITY
