"""How Core shows blocks, transactions and coins as JSON. Amounts become numbers with eight decimals, never floats."""

from __future__ import annotations

from functools import lru_cache

import orjson

from providers.sandbox.bitcoin.address import address_of, script_type
from providers.sandbox.bitcoin.mempool import REPLACEABLE_BELOW, Mempool
from providers.sandbox.bitcoin.mining import COIN
from providers.sandbox.bitcoin.serialise import HEADER_SIZE, Block, Outpoint, Transaction, shown
from providers.sandbox.bitcoin.view import ChainView, Coin

DIFFICULTY = 4.656542373906925e-10  # of regtest's easiest target
BITS = "207fffff"
_WORK_PER_BLOCK = 2  # the hashes that the easiest target asks for


def amount(satoshi: int) -> orjson.Fragment:
    """Satoshi as a number of BTC."""
    whole, rest = divmod(satoshi, COIN)
    return orjson.Fragment(f"{whole}.{rest:08d}")


@lru_cache(maxsize=16_384)
def script(data: bytes) -> dict[str, str]:
    """An output script. Shared between answers: not to be changed."""
    shown_script = {"hex": data.hex(), "type": script_type(data)}
    address = address_of(data)
    return shown_script if address is None else {**shown_script, "address": address}


def transaction(each: Transaction) -> dict[str, object]:
    """A transaction by itself."""
    return {
        "txid": each.txid,
        "hash": each.wtxid,
        "version": each.version,
        "size": len(each.raw),
        "vsize": each.vsize,
        "weight": each.weight,
        "locktime": each.locktime,
        "vin": _inputs(each),
        "vout": [
            {"value": amount(output.value), "n": vout, "scriptPubKey": script(output.script)}
            for vout, output in enumerate(each.outputs)
        ],
        "hex": each.raw.hex(),
    }


def _inputs(each: Transaction) -> list[dict[str, object]]:
    shown_inputs: list[dict[str, object]] = []
    for spent, witness in zip(each.inputs, each.witnesses, strict=True):
        shown_input: dict[str, object]
        if each.is_coinbase:
            shown_input = {"coinbase": spent.script.hex()}
        else:
            script_sig = {"asm": "", "hex": spent.script.hex()}
            shown_input = {"txid": spent.txid, "vout": spent.vout, "scriptSig": script_sig}
        if witness:
            shown_input["txinwitness"] = [item.hex() for item in witness]
        shown_input["sequence"] = spent.sequence
        shown_inputs.append(shown_input)
    return shown_inputs


def header(view: ChainView, block: Block) -> dict[str, object]:
    """A block without its transactions."""
    confirmations = view.confirmations(block)
    answer: dict[str, object] = {
        "hash": block.hash,
        "confirmations": confirmations,
        "height": block.height,
        "version": int.from_bytes(block.raw[:4], "little"),
        "versionHex": block.raw[3::-1].hex(),
        "merkleroot": shown(block.raw[36:68]),
        "time": block.time,
        "mediantime": view.median_time(block),
        "nonce": int.from_bytes(block.raw[76:HEADER_SIZE], "little"),
        "bits": BITS,
        "difficulty": DIFFICULTY,
        "chainwork": chainwork(block),
        "nTx": len(block.transactions),
    }
    if block.height > 0:
        answer["previousblockhash"] = block.previous
    if confirmations > 1:
        answer["nextblockhash"] = view.active[block.height + 1]
    return answer


def chainwork(block: Block) -> str:
    """The work of a block and all before it."""
    return f"{_WORK_PER_BLOCK * (block.height + 1):064x}"


def block(view: ChainView, each: Block, *, with_transactions: bool) -> dict[str, object]:
    """A block with its transactions, whole or by their ids."""
    transactions: list[object] = [transaction(one) if with_transactions else one.txid for one in each.transactions]
    return {**header(view, each), "size": len(each.raw), "tx": transactions}


def coin(view: ChainView, each: Coin) -> dict[str, object]:
    """An unspent output, as `gettxout` shows it."""
    return {
        "bestblock": view.tip.hash,
        "confirmations": 0 if each.height is None else len(view.active) - each.height,
        "value": amount(each.value),
        "scriptPubKey": script(each.script),
        "coinbase": each.coinbase,
    }


def unspent(view: ChainView, outpoint: Outpoint, each: Coin, descriptor: str) -> dict[str, object]:
    """An unspent output of the chain, as `scantxoutset` shows it."""
    height = each.height or 0
    return {
        "txid": outpoint[0],
        "vout": outpoint[1],
        "scriptPubKey": each.script.hex(),
        "desc": descriptor,
        "amount": amount(each.value),
        "coinbase": each.coinbase,
        "height": height,
        "blockhash": view.active[height],
        "confirmations": len(view.active) - height,
    }


def mempool_entry(mempool: Mempool, txid: str) -> dict[str, object]:
    """A waiting transaction with its relatives."""
    entry = mempool.entries[txid]
    each = entry.transaction
    ancestors = mempool.ancestors(each)
    family = [each, *(mempool.entries[other].transaction for other in ancestors)]
    return {
        "vsize": each.vsize,
        "weight": each.weight,
        "time": entry.time,
        "height": entry.height,
        "descendantcount": len(mempool.family(txid)),
        "ancestorcount": len(family),
        "wtxid": each.wtxid,
        "fees": {"base": amount(entry.fee), "modified": amount(entry.fee)},
        "depends": sorted(mempool.parents(each)),
        "spentby": sorted(mempool.children(txid)),
        "bip125-replaceable": any(spent.sequence < REPLACEABLE_BELOW for member in family for spent in member.inputs),
    }
