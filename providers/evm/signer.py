"""The seam between what an EVM network's rail wants signed and whoever holds the keys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from app.domain.assets import native_asset
from app.domain.money import Asset
from app.ports.account_chain import FeeOffer, Transfer
from app.ports.chain import Branch

HOT: Final = (Branch.CHANGE, 0)  # the place of the one address that we pay from


class CallKind(StrEnum):
    """What a call is for: paying others, filling a nonce with nothing, moving a deposit to the hot wallet, or letting
    the disperse contract move a token of the hot wallet's for calls of the hot wallet's own."""

    PAY = "pay"
    CANCEL = "cancel"
    COLLECT = "collect"
    APPROVE = "approve"


@dataclass(frozen=True, slots=True)
class CallDraft:
    """A call to be signed (EIP-1559). The signer makes its target, value and data from the transfers by itself.

    PAY goes from the hot wallet (index 0 of CHANGE) to others; COLLECT has one transfer, from a deposit address
    (RECEIVE) to the hot wallet; CANCEL has none. APPROVE has none either, names the token as `asset`, and moves nothing
    by itself.
    """

    network: str  # in the catalogue
    chain_id: int
    kind: CallKind
    branch: Branch
    index: int
    transfers: tuple[Transfer, ...]
    nonce: int
    gas_limit: int
    fees: FeeOffer
    asset: Asset | None = None


def sender_place(draft: CallDraft) -> tuple[Branch, int]:
    """The place of the address whose transaction it is, and whose nonce: the draft's own, but for tokens collected.

    Those are moved by an authorisation of the deposit address, which the hot wallet sends.
    """
    if draft.kind is CallKind.COLLECT and any(each.asset != native_asset(draft.network) for each in draft.transfers):
        return HOT
    return draft.branch, draft.index


class CallSigner(Protocol):
    """Whoever holds the keys."""

    async def sign_call(self, draft: CallDraft) -> bytes:
        """The draft as a serialised, signed transaction.

        Raises SigningRefused for what the signer's own policy forbids, ProviderUnavailable when it may be asked again.
        """
        ...
