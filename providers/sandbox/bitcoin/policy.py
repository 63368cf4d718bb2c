"""Which transactions a node relays: Core's rules beyond consensus, in Core's order and with Core's reasons."""

from __future__ import annotations

from collections.abc import Sequence

from providers.sandbox.bitcoin.address import script_type
from providers.sandbox.bitcoin.errors import REJECTED, RpcError
from providers.sandbox.bitcoin.serialise import Transaction, TxOut
from providers.sandbox.bitcoin.view import ChainView, Coin

MAX_MONEY = 21_000_000 * 100_000_000  # satoshi
MAX_WEIGHT = 400_000
MIN_SIZE = 65  # bytes without witness; smaller ones could pass for inner nodes of a block's hash tree
MATURITY = 100  # blocks until a coinbase may be spent
MIN_FEE_RATE = 1_000  # satoshi per 1,000 virtual bytes
_DUST_RATE = 3  # satoshi per byte
_OUTPUT_OVERHEAD, _SPEND_SEGWIT, _SPEND_LEGACY = 9, 67, 148  # bytes
_LOCKTIME_IS_TIME = 500_000_000
_FINAL = 0xFFFFFFFF
_BIP68_DISABLED, _BIP68_IS_TIME, _BIP68_MASK, _BIP68_SECONDS = 1 << 31, 1 << 22, 0xFFFF, 512
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0  # of secp256k1


def require(condition: bool, reason: str, code: int = REJECTED) -> None:
    """Refuse with Core's reason unless the condition holds."""
    if not condition:
        raise RpcError(code, reason)


def minimum_fee(transaction: Transaction) -> int:
    """The least fee in satoshi with which a node relays this transaction."""
    return MIN_FEE_RATE * transaction.vsize // 1_000


def dust_limit(script: bytes) -> int:
    """The smallest amount in satoshi that an output with this script may hold."""
    kind = script_type(script)
    if kind == "nulldata":
        return 0
    spend = _SPEND_SEGWIT if kind.startswith("witness") else _SPEND_LEGACY
    return _DUST_RATE * (_OUTPUT_OVERHEAD + len(script) + spend)


def check_form(transaction: Transaction) -> None:
    """What can be said about a transaction by itself."""
    outputs = transaction.outputs
    require(bool(outputs), "bad-txns-vout-empty")
    require(all(output.value >= 0 for output in outputs), "bad-txns-vout-negative")
    require(all(output.value <= MAX_MONEY for output in outputs), "bad-txns-vout-toolarge")
    require(sum(output.value for output in outputs) <= MAX_MONEY, "bad-txns-txouttotal-toolarge")
    require(len(set(transaction.spends)) == len(transaction.spends), "bad-txns-inputs-duplicate")
    require(not transaction.is_coinbase, "coinbase")
    require(1 <= transaction.version <= 3, "version")
    require(transaction.weight <= MAX_WEIGHT, "tx-size")
    size_without_witness = (transaction.weight - len(transaction.raw)) // 3
    require(size_without_witness >= MIN_SIZE, "tx-size-small")
    for output in outputs:
        require(script_type(output.script) != "nonstandard", "scriptpubkey")
        require(output.value >= dust_limit(output.script), "dust")


def check_final(transaction: Transaction, view: ChainView) -> None:
    """The transaction's lock time has passed for the next block."""
    now = view.median_time(view.tip) if transaction.locktime >= _LOCKTIME_IS_TIME else len(view.active)
    all_final = all(each.sequence == _FINAL for each in transaction.inputs)
    require(transaction.locktime < now or all_final, "non-final")


def check_coins(transaction: Transaction, coins: Sequence[Coin], view: ChainView) -> None:
    """The coins are ripe: a coinbase after 100 blocks, the others after their relative lock time (BIP-68)."""
    next_height = len(view.active)
    for each, coin in zip(transaction.inputs, coins, strict=True):
        made = next_height if coin.height is None else coin.height
        require(not coin.coinbase or next_height - made >= MATURITY, "bad-txns-premature-spend-of-coinbase")
        if transaction.version < 2 or each.sequence & _BIP68_DISABLED:
            continue
        wait = each.sequence & _BIP68_MASK
        if each.sequence & _BIP68_IS_TIME:
            before = view.block(view.active[max(made - 1, 0)])
            passed = view.median_time(before) + wait * _BIP68_SECONDS <= view.median_time(view.tip)
        else:
            passed = made + wait <= next_height
        require(passed, "non-BIP68-final")


def check_signatures(transaction: Transaction, coins: Sequence[Coin]) -> None:
    """Signatures of plain segwit inputs are in their low form (BIP-146), which consensus does not ask for."""
    for coin, witness in zip(coins, transaction.witnesses, strict=True):
        if script_type(coin.script) == "witness_v0_keyhash":
            signature = witness[0]  # DER: 30 len 02 len r 02 len s, then the sighash byte
            s = int.from_bytes(signature[6 + signature[3] : -1])
            reason = "Non-canonical signature: S value is unnecessarily high"
            require(s <= _HALF_ORDER, f"mempool-script-verify-flag-failed ({reason})")


def spent_outputs(coins: Sequence[Coin]) -> list[TxOut]:
    """The coins as the outputs that they are."""
    return [TxOut(coin.value, coin.script) for coin in coins]
