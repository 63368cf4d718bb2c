"""What a transaction would do, and whether that is allowed: the rules that need no memory.

Every output must be one of three things: change that the signer has derived itself, a recipient whose intent was
sealed for exactly this amount and script, or an address of the operator's own. Anything else is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.intent import Intent, IntentKeys
from app.ports.chain import Address, Branch, Recipient
from app.signer.policy import NetworkPolicy
from app.signer.refusals import Refused, Rule
from providers.bitcoin.signer import Draft
from providers.evm.signer import CallDraft, CallKind

# Change further out than this would be hard to find again from the seed alone (BIP-44 looks 20 addresses ahead).
MOST_CHANGE_INDEX: Final = 10_000

Derive = Callable[[Branch, int], Address]


@dataclass(frozen=True, slots=True)
class Paid:
    """Somebody who would be paid: by an intent, or at a cold address."""

    script: str
    units: int
    asset: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A transaction that the rules allow: whom it pays, what it can cost, and what of it counts against the limits."""

    paid: tuple[Paid, ...]
    fee: int
    counted: Mapping[str, int]

    @property
    def subjects(self) -> tuple[str, ...]:
        """The orders and payouts that it pays."""
        return tuple(one.subject for one in self.paid if one.subject is not None)


def judge_draft(
    draft: Draft,
    *,
    network: str,
    asset: str,
    policy: NetworkPolicy,
    keys: IntentKeys,
    derive: Derive,
    cold: frozenset[str],
) -> Judged:
    """Judge a Bitcoin transaction; `asset` is the network's own coin, `cold` the scripts of the cold addresses.

    Raises Refused.
    """
    change = {_derived(address, derive) for address in draft.change}
    outputs = [output for output in draft.outputs if output.script not in change]
    paid = tuple(_recipient(output, network, asset, keys, cold) for output in outputs)
    fee = sum(coin.amount for coin in draft.inputs) - sum(output.amount for output in draft.outputs)
    amounts = [coin.amount for coin in draft.inputs] + [output.amount for output in draft.outputs]
    if not draft.inputs or not draft.outputs or min(amounts) <= 0 or fee < 0:
        raise Refused(Rule.MALFORMED, "the transaction has no inputs or outputs, or pays more than it has")
    if len({(coin.txid, coin.vout) for coin in draft.inputs}) != len(draft.inputs):
        raise Refused(Rule.MALFORMED, "a coin is spent twice")
    return _judged(paid, fee, asset, policy)


def judge_call(
    draft: CallDraft, *, asset: str, policy: NetworkPolicy, keys: IntentKeys, hot: Address, cold: frozenset[str]
) -> Judged:
    """Judge an EVM call; `asset` is the network's own coin, `hot` the address that pays. Raises Refused."""
    if str(draft.chain_id) != policy.chain:
        raise Refused(Rule.NETWORK_UNKNOWN, f"chain {draft.chain_id} is not the one that the policy names")
    pays = draft.kind in (CallKind.PAY, CallKind.APPROVE)
    from_hot = (draft.branch, draft.index) == (hot.branch, hot.index)
    if (pays and not from_hot) or (draft.kind is CallKind.COLLECT and draft.branch is not Branch.RECEIVE):
        raise Refused(Rule.MALFORMED, "this kind of call does not come from this address")
    amounts = [draft.gas_limit, draft.fees.max_fee, *(transfer.units for transfer in draft.transfers)]
    if (draft.kind in (CallKind.CANCEL, CallKind.APPROVE)) != (not draft.transfers) or min(amounts) <= 0:
        raise Refused(Rule.MALFORMED, "this kind of call does not have these transfers")
    for asset_id in [transfer.asset.id for transfer in draft.transfers] + ([draft.asset.id] if draft.asset else []):
        if asset_id not in policy.limits:
            raise Refused(Rule.ASSET_UNKNOWN, f"{asset_id} is not in the policy")
    paid: list[Paid] = []
    for transfer in draft.transfers:
        output = Recipient(transfer.recipient, transfer.units, transfer.intent)
        if draft.kind is CallKind.COLLECT:
            if output.script != hot.script:
                raise Refused(Rule.CHANGE_FOREIGN, "a deposit is collected by the hot wallet and nobody else")
            continue
        paid.append(_recipient(output, draft.network, transfer.asset.id, keys, cold))
    return _judged(tuple(paid), draft.gas_limit * draft.fees.max_fee, asset, policy)


def _derived(address: Address, derive: Derive) -> str:
    """The script of a change address, derived here; refuses one that is not ours or not where change is kept."""
    if address.branch is not Branch.CHANGE or not 0 <= address.index < MOST_CHANGE_INDEX:
        raise Refused(Rule.CHANGE_FOREIGN, "change is kept on the change branch, among its first addresses")
    if derive(address.branch, address.index).script != address.script:
        raise Refused(Rule.CHANGE_FOREIGN, "the change address is not one of ours")
    return address.script


def _recipient(output: Recipient, network: str, asset: str, keys: IntentKeys, cold: frozenset[str]) -> Paid:
    if output.intent is not None:
        _verify(output.intent, output, network, asset, keys)
        return Paid(output.script, output.amount, asset, output.intent.subject)
    if output.script in cold:
        return Paid(output.script, output.amount, asset)
    raise Refused(Rule.INTENT_MISSING, "an output is neither change, nor agreed to, nor a cold address")


def _verify(intent: Intent, output: Recipient, network: str, asset: str, keys: IntentKeys) -> None:
    sealed = keys.verify(intent, network=network, script=output.script, units=output.amount)
    if intent.asset != asset or not sealed:
        message = f"{intent.subject} was not agreed to for this amount, asset and place"
        raise Refused(Rule.INTENT_INVALID, message, subjects=[intent.subject])


def _judged(paid: Sequence[Paid], fee: int, asset: str, policy: NetworkPolicy) -> Judged:
    judged = Judged(tuple(paid), fee, _counted(paid, fee, asset))
    subjects = judged.subjects
    if len(set(subjects)) != len(subjects):
        raise Refused(Rule.INTENT_TWICE, "an order or payout is paid twice", subjects=_repeated(subjects))
    if fee > policy.most_fee:
        raise Refused(Rule.FEE_TOO_HIGH, f"a fee of {fee} is above {policy.most_fee}")
    for name in {asset, *(one.asset for one in paid)}:
        if name not in policy.limits:
            raise Refused(Rule.ASSET_UNKNOWN, f"{name} is not in the policy", subjects=subjects)
    large = [one for one in paid if one.subject is not None and one.units > policy.limits[one.asset].per_send]
    if large:
        named = [one.subject for one in large if one.subject is not None]
        raise Refused(Rule.SEND_TOO_LARGE, "more than may leave in one send", subjects=named)
    return judged


def _counted(paid: Sequence[Paid], fee: int, asset: str) -> dict[str, int]:
    """What counts against the limits: all that others get, and the fee. What goes to cold addresses stays ours."""
    counted = {asset: fee}
    for one in paid:
        if one.subject is not None:
            counted[one.asset] = counted.get(one.asset, 0) + one.units
    return counted


def _repeated(subjects: Sequence[str]) -> list[str]:
    return sorted({subject for subject in subjects if subjects.count(subject) > 1})
