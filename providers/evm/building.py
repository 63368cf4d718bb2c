"""What is asked of the signer, within our own limits, and the proof that it kept to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from app.ports.account_chain import SignedCall
from app.ports.chain import Address, FeeTooHigh
from providers.evm.calls import TRANSFER_AUTHORIZED, Authorization, Call, authorization_of, call_of
from providers.evm.encoding import WORD
from providers.evm.layout import CallLayout, read_call, recovered
from providers.evm.networks import EvmNetwork
from providers.evm.signer import CallDraft, CallKind

_SIGNATURE: Final = 3 * WORD  # v, r, s
_V: Final = 27


@dataclass(frozen=True, slots=True)
class GasPolicy:
    """What the adapter signs for at most, whoever asks: wei per unit of gas, and wei for one call altogether."""

    most_price: int = 500 * 10**9
    most_fee: int = 10**18

    def check(self, draft: CallDraft) -> None:
        """Raise FeeTooHigh for a draft above the limits, ValueError for fees that cannot be."""
        fees, gas = draft.fees, draft.gas_limit
        if not 0 <= fees.max_priority_fee <= fees.max_fee or fees.max_fee < 1 or gas < 1 or draft.nonce < 0:
            raise ValueError("the fees, the gas or the nonce of the call are not in order")
        if fees.max_fee > self.most_price:
            raise FeeTooHigh(f"{fees.max_fee} wei for a unit of gas is above the limit of {self.most_price}")
        if gas * fees.max_fee > self.most_fee:
            raise FeeTooHigh(f"a fee of {gas * fees.max_fee} wei is above the limit of {self.most_fee}")


def check_signed(network: EvmNetwork, draft: CallDraft, raw: bytes, *, source: Address, sender: Address) -> SignedCall:
    """Hold the signer's bytes against the draft: nothing is stored or sent that is not exactly what was meant.

    `source` is the address at the draft's place, `sender` the one whose transaction it is: another one only when the
    hot wallet collects by authorisation. Raises RuntimeError when anything differs, signatures included.
    """
    try:
        layout = read_call(raw)
        _check(network, draft, layout, source=source, sender=sender)
    except ValueError as error:
        raise RuntimeError(f"the signer returned another call than it was given: {error}") from None
    return SignedCall(layout.txid, raw, layout.sender, draft.nonce, draft.gas_limit, draft.fees)


def _check(network: EvmNetwork, draft: CallDraft, layout: CallLayout, *, source: Address, sender: Address) -> None:
    """Raise ValueError where the transaction is not the draft's."""
    call = call_of(network, draft, source)
    if draft.kind is CallKind.COLLECT and (wanted := authorization_of(network, draft, source)) is not None:
        call = replace(call, data=layout.data)
        _check_authorization(wanted, draft, layout.data)
    fees = (layout.max_fee, layout.max_priority_fee)
    if Call(layout.target, layout.value, layout.data) != call:
        raise ValueError("it does something else")
    if (layout.chain_id, layout.nonce, layout.gas_limit) != (draft.chain_id, draft.nonce, draft.gas_limit):
        raise ValueError("it is for another chain, nonce or amount of gas")
    if fees != (draft.fees.max_fee, draft.fees.max_priority_fee):
        raise ValueError("it offers other fees")
    if layout.sender != sender.script:
        raise ValueError("somebody else has signed it")


def _check_authorization(wanted: Authorization, draft: CallDraft, data: bytes) -> None:
    """Raise ValueError unless the data is this authorisation with its holder's signature."""
    body, signature = data[:-_SIGNATURE], data[-_SIGNATURE:]
    if body != TRANSFER_AUTHORIZED + wanted.words():
        raise ValueError("it authorises something else")
    v, r, s = (int.from_bytes(signature[at : at + WORD], "big") for at in range(0, _SIGNATURE, WORD))
    if recovered(wanted.digest(draft.chain_id), v - _V, r, s) != wanted.holder:
        raise ValueError("somebody else has signed the authorisation")
