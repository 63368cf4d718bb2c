"""What blocks and receipts tell us, and what in them we believe.

A transfer is believed when it is the value of a transaction whose receipt has status 1, or when such a receipt tells of
it by a log of a contract on our list (a token's `Transfer`, the disperse contract's `Paid`). Logs of other contracts,
logs that the node calls removed, and coins that other contracts pass on within a transaction are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.ports.account_chain import AccountBlock, CallReceipt
from app.ports.chain import BlockId, ChainOutput
from providers.evm.answers import (
    Unusable,
    as_data,
    as_flag,
    as_hash,
    as_list,
    as_object,
    as_quantity,
    as_script,
    as_word,
)
from providers.evm.contracts import disperse_script
from providers.evm.encoding import ADDRESS_SIZE, WORD, keccak
from providers.evm.networks import EvmNetwork

TRANSFER_TOPIC: Final = keccak(b"Transfer(address,address,uint256)").hex()
PAID_TOPIC: Final = keccak(b"Paid(address,address,uint256)").hex()
_TOPICS: Final = 3  # the event itself, from, to


@dataclass(frozen=True, slots=True)
class Header:
    """A block without what is in it. `at` is in seconds since 1970."""

    id: BlockId
    parent: str
    at: int


def header_of(answer: object) -> Header | None:
    """A block's header; None when there is no such block. Raises Unusable."""
    if answer is None:
        return None
    block = as_object(answer)
    return Header(
        BlockId(as_quantity(block.get("number")), as_hash(block.get("hash"))),
        as_hash(block.get("parentHash")),
        as_quantity(block.get("timestamp")),
    )


def block_of(network: EvmNetwork, block_id: BlockId, block: object, receipts: object) -> AccountBlock:
    """A block from itself with whole transactions and all its receipts; raises Unusable."""
    calls = as_list(as_object(block).get("transactions"))
    results = as_list(receipts)
    if len(calls) != len(results):
        raise Unusable("a block has other receipts than transactions")
    return AccountBlock(
        block_id,
        tuple(
            receipt_of(network, block_id, as_object(call), as_object(result))
            for call, result in zip(calls, results, strict=True)
        ),
    )


def receipt_of(
    network: EvmNetwork, block_id: BlockId, call: dict[str, object], result: dict[str, object]
) -> CallReceipt:
    """A mined transaction from itself and its receipt; raises Unusable when they do not belong together."""
    txid = as_hash(call.get("hash"))
    if as_hash(result.get("transactionHash")) != txid or as_hash(result.get("blockHash")) != block_id.hash:
        raise Unusable("a receipt is of another transaction or block")
    ok, gas_used = as_flag(result.get("status")), as_quantity(result.get("gasUsed"))
    # What a rollup charges for its place on the chain beneath it (OP stack, `l1Fee`).
    beneath = result.get("l1Fee")
    fee = gas_used * as_quantity(result.get("effectiveGasPrice")) + (0 if beneath is None else as_quantity(beneath))
    return CallReceipt(
        txid=txid,
        sender=as_script(call.get("from")),
        nonce=as_quantity(call.get("nonce")),
        ok=ok,
        gas_used=gas_used,
        fee=fee,
        outputs=tuple(_outputs(network, call, result)) if ok else (),
    )


def _outputs(network: EvmNetwork, call: dict[str, object], result: dict[str, object]) -> Iterator[ChainOutput]:
    """What a transaction that was not reverted moved, in assets that we know."""
    value, target = as_quantity(call.get("value")), call.get("to")
    # The disperse contract passes on all that it is sent, and says to whom: its logs stand for this value.
    if value and target is not None and (script := as_script(target)) != disperse_script():
        yield ChainOutput(0, script, value, sender=as_script(call.get("from")))
    for place, item in enumerate(as_list(result.get("logs")), start=1):
        output = _moved(network, place, as_object(item))
        if output is not None:
            yield output


def _moved(network: EvmNetwork, place: int, log: dict[str, object]) -> ChainOutput | None:
    """The transfer that a log tells of; None for other contracts, other events, what was removed, and nothing."""
    contract = as_script(log.get("address"))
    token = network.by_contract.get(contract)
    wanted = TRANSFER_TOPIC if token else PAID_TOPIC if contract == disperse_script() else None
    if wanted is None or log.get("removed"):
        return None
    topics = [as_hash(topic) for topic in as_list(log.get("topics"))]
    if len(topics) != _TOPICS or topics[0] != wanted or len(as_data(log.get("data"))) != WORD:
        return None
    sender, recipient = (topic[-2 * ADDRESS_SIZE :] for topic in topics[1:])
    amount = as_word(log.get("data"))
    asset = token.asset if token else None
    return ChainOutput(place, recipient, amount, asset, sender) if amount else None
