"""What our transactions say: target, value and data, made from the transfers alone by whoever signs them.

The rail makes them a second time from the same draft and compares, so that neither side believes the other. All that we
send consists of words of 32 bytes and lists of such words, which is little of what Solidity's ABI can express.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.ports.account_chain import MOST_TRANSFERS, Transfer
from app.ports.chain import Address
from providers.evm.contracts import disperse_script
from providers.evm.encoding import ADDRESS_SIZE, WORD, keccak
from providers.evm.networks import EvmNetwork, Token
from providers.evm.signer import CallDraft, CallKind

LARGEST: Final = 2**256 - 1
AUTHORIZATION: Final = b"address,address,uint256,uint256,uint256,bytes32"
AUTHORIZATION_TYPE: Final = keccak(
    b"TransferWithAuthorization("
    b"address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)


def selector(signature: bytes) -> bytes:
    """The first four bytes of a call's data: which function it calls."""
    return keccak(signature)[:4]


TRANSFER: Final = selector(b"transfer(address,uint256)")
TRANSFER_FROM: Final = selector(b"transferFrom(address,address,uint256)")
APPROVE: Final = selector(b"approve(address,uint256)")
TRANSFER_AUTHORIZED: Final = selector(b"transferWithAuthorization(" + AUTHORIZATION + b",uint8,bytes32,bytes32)")
PAY_NATIVE: Final = selector(b"payNative(address[],uint256[])")
PAY_TOKEN: Final = selector(b"payToken(address,address[],uint256[])")


@dataclass(frozen=True, slots=True)
class Call:
    """Whom a transaction calls (a script), with how much of the native coin, and saying what."""

    target: str
    value: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Authorization:
    """That a deposit address lets its tokens be moved (EIP-3009). It is good until it is used."""

    token: Token
    holder: str
    recipient: str
    units: int
    nonce: bytes

    def words(self) -> bytes:
        """Its fields, as the call and the signature have them: from, to, value, valid after, valid before, nonce."""
        return _words(self.holder, self.recipient, self.units, 0, LARGEST, int.from_bytes(self.nonce, "big"))

    def digest(self, chain_id: int) -> bytes:
        """What the holder signs (EIP-712)."""
        return keccak(b"\x19\x01" + self.token.domain(chain_id) + keccak(AUTHORIZATION_TYPE + self.words()))


def call_of(network: EvmNetwork, draft: CallDraft, sender: Address) -> Call:
    """The call that a draft stands for, without the signature of an authorisation, which comes after its data.

    `sender` is the address at the draft's place. Raises ValueError for drafts that do not stand for one.
    """
    if (draft.network, draft.chain_id) != (network.name, network.chain_id):
        raise ValueError("the draft is for another chain")
    match draft.kind:
        case CallKind.PAY:
            return pay(network, draft.transfers)
        case CallKind.COLLECT:
            authorization = authorization_of(network, draft, sender)
            if authorization is None:
                return pay(network, draft.transfers[:1])
            return Call(authorization.token.contract, 0, TRANSFER_AUTHORIZED + authorization.words())
        case CallKind.APPROVE:
            return _approve(network, draft)
        case CallKind.CANCEL:
            return Call(sender.script, 0, b"")


def authorization_of(network: EvmNetwork, draft: CallDraft, source: Address) -> Authorization | None:
    """What has to be authorised for a collection; None when the source sends its own coin and signs the call itself."""
    if len(draft.transfers) != 1:
        raise ValueError("a collection has one transfer")
    (transfer,) = draft.transfers
    token = network.by_asset.get(transfer.asset)
    if token is None:
        return None
    # One for each nonce of the hot wallet: a replacement carries the same one, so that it is used once in any case.
    nonce = keccak(_words(source.script, draft.chain_id, draft.nonce))
    return Authorization(token, source.script, transfer.recipient, transfer.units, nonce)


def pay(network: EvmNetwork, transfers: Sequence[Transfer]) -> Call:
    """One transfer plainly, several in one asset through the disperse contract; raises ValueError for anything else."""
    if not 1 <= len(transfers) <= MOST_TRANSFERS or len({transfer.asset for transfer in transfers}) != 1:
        raise ValueError(f"one call makes 1 to {MOST_TRANSFERS} transfers, all in one asset")
    if any(not 0 < transfer.units <= LARGEST for transfer in transfers):
        raise ValueError("a transfer moves something")
    asset, recipients = transfers[0].asset, [transfer.recipient for transfer in transfers]
    amounts = [transfer.units for transfer in transfers]
    if asset == network.native:
        if len(transfers) == 1:
            return Call(_script(recipients[0]), amounts[0], b"")
        return Call(disperse_script(), sum(amounts), PAY_NATIVE + _lists((), recipients, amounts))
    token = token_of(network, transfers[0])
    if len(transfers) == 1:
        return Call(token.contract, 0, TRANSFER + _words(recipients[0], amounts[0]))
    return Call(disperse_script(), 0, PAY_TOKEN + _lists((token.contract,), recipients, amounts))


def token_of(network: EvmNetwork, transfer: Transfer) -> Token:
    """The token that is moved; raises ValueError for an asset that is not of this network."""
    try:
        return network.by_asset[transfer.asset]
    except KeyError:
        raise ValueError(f"{transfer.asset.id} is not on this chain") from None


def view(signature: bytes, *arguments: str | int) -> bytes:
    """The data of a question to a contract: its function as `name(types)` and arguments of one word each."""
    return selector(signature) + _words(*arguments)


def _approve(network: EvmNetwork, draft: CallDraft) -> Call:
    token = None if draft.asset is None else network.by_asset.get(draft.asset)
    if token is None or draft.transfers:
        raise ValueError("an approval names a token of this chain, and moves nothing")
    # Without end: the contract moves only what its caller owns, and it is the hot wallet that calls it.
    return Call(token.contract, 0, APPROVE + _words(disperse_script(), LARGEST))


def _lists(head: Sequence[str], recipients: Sequence[str], amounts: Sequence[int]) -> bytes:
    """Some addresses and two lists: where each list begins stands in front, its length before its words."""
    first = (len(head) + 2) * WORD
    second = first + (len(recipients) + 1) * WORD
    return _words(*head, first, second, len(recipients), *recipients, len(amounts), *amounts)


def _words(*values: str | int) -> bytes:
    """Addresses and numbers, each in a word of its own."""
    return b"".join(
        bytes.fromhex(_script(value)).rjust(WORD, b"\0") if isinstance(value, str) else value.to_bytes(WORD, "big")
        for value in values
    )


def _script(text: str) -> str:
    if len(text) != 2 * ADDRESS_SIZE or text != text.lower() or len(bytes.fromhex(text)) != ADDRESS_SIZE:
        raise ValueError("a script is 40 lower-case hex digits")
    return text
