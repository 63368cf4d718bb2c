"""What a transaction of ours looks like: its outputs, its change, its fee, and the proof that the signer kept to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.ports.chain import Address, ChainOutput, CoinInput, CoinsShort, FeeTooHigh, Recipient, SignedTransaction
from providers.bitcoin.layout import read_transaction
from providers.bitcoin.scripts import DUST_RATE, MAX_VSIZE, dust_limit, vsize_of
from providers.bitcoin.signer import SEQUENCE, SIGHASH_ALL, VERSION, Draft

# Change below twice the dust limit costs more to spend later than it is worth.
_CHANGE_DUST_MULTIPLE = 2
_TXID_LENGTH = 64
_WITNESS_ITEMS = 2  # signature, key


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """Within what we pay for a place in a block: satoshi per virtual byte, and satoshi per transaction at most."""

    floor: int = 1
    ceiling: int = 300
    fallback: int = 5  # when the node has no estimate
    target_blocks: int = 3
    max_fee: int = 5_000_000

    def __post_init__(self) -> None:
        if not 1 <= self.floor <= self.fallback <= self.ceiling or self.target_blocks < 1 or self.max_fee < 1:
            raise ValueError("fee policy is not in order: 1 <= floor <= fallback <= ceiling")

    def clamp(self, rate: int) -> int:
        """The rate, within floor and ceiling."""
        return max(self.floor, min(self.ceiling, rate))


@dataclass(frozen=True, slots=True)
class Plan:
    """A draft with what it costs: fee and change in satoshi, the largest size in virtual bytes it can have.

    `returned` are the outputs that the change comes back in.
    """

    draft: Draft
    fee: int
    change: int
    max_vsize: int
    returned: tuple[Recipient, ...] = ()


def plan_transaction(
    coins: Sequence[CoinInput],
    recipients: Sequence[Recipient],
    change: Address,
    *,
    fee_rate: int,
    fees: FeePolicy,
    least_fee: int = 0,
    spread: Sequence[Address] = (),
    dust_rate: int = DUST_RATE,
) -> Plan:
    """Lay out a transaction; the same arguments in any order give the same draft.

    It pays `fee_rate` satoshi per virtual byte and `least_fee` at least. The rest is shared evenly among `change` and
    the addresses of `spread`, among fewer of them when a share would be dust. Raises CoinsShort when the coins do not
    suffice, FeeTooHigh when rate or fee is above the policy's, and ValueError when an output would be dust or of an
    unknown kind, or a coin is named twice. Outputs are sorted by amount and script so that nobody sees which is change.
    """
    _check_arguments(coins, recipients, fee_rate=fee_rate, fees=fees, dust_rate=dust_rate)
    left = sum(coin.amount for coin in coins) - sum(recipient.amount for recipient in recipients)
    scripts = [recipient.script for recipient in recipients]
    returned = _change(
        left, len(coins), scripts, [change, *spread], fee_rate=fee_rate, least_fee=least_fee, dust_rate=dust_rate
    )
    vsize = vsize_of(len(coins), [*scripts, *(output.script for output in returned)])
    back = sum(output.amount for output in returned)
    fee, least = left - back, max(least_fee, fee_rate * vsize)
    if fee < least or not (recipients or returned):
        raise CoinsShort(f"the coins do not suffice: {max(least - fee, 1)} satoshi are missing")
    if fee > fees.max_fee:
        raise FeeTooHigh(f"the fee of {fee} satoshi is above the limit of {fees.max_fee}")
    if vsize > MAX_VSIZE:
        raise ValueError(f"a transaction of {vsize} virtual bytes is too large to be relayed")
    draft = Draft(
        tuple(sorted(coins, key=lambda coin: (coin.txid, coin.vout))),
        tuple(sorted([*recipients, *returned], key=lambda output: (output.amount, output.script))),
        (change, *spread)[: len(returned)],
    )
    return Plan(draft, fee, back, vsize, returned)


def _change(
    left: int,
    inputs: int,
    scripts: Sequence[str],
    addresses: Sequence[Address],
    *,
    fee_rate: int,
    least_fee: int,
    dust_rate: int,
) -> tuple[Recipient, ...]:
    """What comes back of `left` to as many of the addresses as get more than dust; the first gets what is odd."""
    for count in range(len(addresses), 0, -1):
        targets = [address.script for address in addresses[:count]]
        fee = max(least_fee, fee_rate * vsize_of(inputs, [*scripts, *targets]))
        share, odd = divmod(left - fee, count)
        if share >= _CHANGE_DUST_MULTIPLE * max(dust_limit(script, dust_rate) for script in targets):
            return tuple(Recipient(script, share + (odd if not place else 0)) for place, script in enumerate(targets))
    return ()


def _check_arguments(
    coins: Sequence[CoinInput], recipients: Sequence[Recipient], *, fee_rate: int, fees: FeePolicy, dust_rate: int
) -> None:
    if not coins:
        raise ValueError("a transaction needs coins")
    if fee_rate < fees.floor:
        raise ValueError(f"a fee rate of {fee_rate} is below {fees.floor} satoshi per byte")
    if fee_rate > fees.ceiling:
        raise FeeTooHigh(f"a fee rate of {fee_rate} is above {fees.ceiling} satoshi per byte")
    if len({(coin.txid, coin.vout) for coin in coins}) != len(coins):
        raise ValueError("a coin is named twice")
    for coin in coins:
        if len(bytes.fromhex(coin.txid)) * 2 != _TXID_LENGTH or coin.txid != coin.txid.lower() or coin.vout < 0:
            raise ValueError("a coin has no proper txid and output number")
        if coin.amount <= 0:
            raise ValueError("a coin has no amount")
    for recipient in recipients:
        if recipient.amount < dust_limit(recipient.script, dust_rate):
            raise ValueError(f"an output of {recipient.amount} satoshi is dust")


def check_signed(plan: Plan, raw: bytes) -> SignedTransaction:
    """Hold the signer's bytes against the plan: nothing is stored or sent that is not exactly what was meant.

    Raises RuntimeError when they differ. Whether the signatures are valid is for the network to say.
    """
    layout = read_transaction(raw)
    inputs = tuple((spent.txid, spent.vout, spent.script, spent.sequence) for spent in layout.inputs)
    wanted_inputs = tuple((coin.txid, coin.vout, b"", SEQUENCE) for coin in plan.draft.inputs)
    wanted_outputs = tuple((output.script, output.amount) for output in plan.draft.outputs)
    if (layout.version, inputs, layout.outputs, layout.locktime) != (VERSION, wanted_inputs, wanted_outputs, 0):
        raise RuntimeError("the signer returned another transaction than it was given")
    if any(len(spent.witness) != _WITNESS_ITEMS or spent.witness[0][-1:] != SIGHASH_ALL for spent in layout.inputs):
        raise RuntimeError("the signer left an input unsigned, or signed less than the whole transaction")
    if layout.vsize > plan.max_vsize:
        raise RuntimeError("the signed transaction is larger than it can be")
    returned = {(output.script, output.amount) for output in plan.returned}
    change = tuple(ChainOutput(vout, *output) for vout, output in enumerate(layout.outputs) if output in returned)
    return SignedTransaction(layout.txid, raw, plan.fee, layout.vsize, plan.change, change)
