"""Asking Bitcoin Core's own code whether a transaction may spend what it spends."""

from collections.abc import Sequence

import pbk
from pbk.script import PrecomputedTransactionData

from app.ports.chain import CoinInput
from providers.bitcoin.layout import read_transaction
from providers.bitcoin.wallet import Wallet


def accepts(wallet: Wallet, raw: bytes, coins: Sequence[CoinInput]) -> bool:
    """Whether every input's signature holds against the script and amount of the coin that it spends."""
    by_outpoint = {(coin.txid, coin.vout): coin for coin in coins}
    spent = [by_outpoint[each.txid, each.vout] for each in read_transaction(raw).inputs]
    transaction = pbk.Transaction(raw)
    # Core ends the whole process when the two lengths differ.
    assert len(transaction.inputs) == len(spent) == len(coins)
    scripts = [pbk.ScriptPubkey(bytes.fromhex(wallet.address(coin.branch, coin.index).script)) for coin in spent]
    outputs = [pbk.TransactionOutput(script, coin.amount) for script, coin in zip(scripts, spent, strict=True)]
    context = PrecomputedTransactionData(transaction, outputs)
    flags = pbk.ScriptVerificationFlags.ALL
    return all(
        bool(script.verify(coin.amount, transaction, context, number, flags))
        for number, (script, coin) in enumerate(zip(scripts, spent, strict=True))
    )
