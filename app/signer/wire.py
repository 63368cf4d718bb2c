"""What is said over the signer's socket: one request, one answer, each a JSON document with its length in front.

request   {"op": "public"} | {"op": "sign_draft", "network", "draft"} | {"op": "sign_call", "draft"}
answer    {"public": {...}} | {"raw": hex} | {"refused": {"rule", "message", "subjects", "coins"}}
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from app.domain.assets import asset_by_id
from app.domain.intent import SEAL_SIZE, Intent
from app.ports.account_chain import FeeOffer, Transfer
from app.ports.chain import Address, Branch, CoinInput, Recipient
from app.signer.refusals import Refused, Rule
from providers.bitcoin.signer import Draft
from providers.evm.signer import CallDraft, CallKind

MOST_BYTES: Final = 2_000_000  # a transaction of the largest size that is relayed, with room to spare
_LENGTH: Final = 4
_MOST_ITEMS: Final = 5_000

_Hex = Annotated[str, Field(max_length=200, pattern=r"^([0-9a-f]{2})*$")]
_Word = Annotated[str, Field(min_length=1, max_length=100)]
_Whole = Annotated[int, Field(ge=0, lt=1 << 63)]
_Units = Annotated[str, Field(pattern=r"^[0-9]{1,78}$")]  # wei do not fit the integers of JSON parsers
_Intent = tuple[_Word, _Word, _Hex]


class MalformedError(ValueError):
    """A frame that is too long, cut short, or not what was agreed."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Draft(_Said):
    inputs: list[tuple[_Hex, _Whole, _Whole, Branch, _Whole]] = Field(max_length=_MOST_ITEMS)
    outputs: list[tuple[_Hex, _Whole, _Intent | None]] = Field(max_length=_MOST_ITEMS)
    change: list[tuple[_Word, _Hex, Branch, _Whole]] = Field(max_length=_MOST_ITEMS)


class _Call(_Said):
    network: _Word
    chain_id: _Whole
    kind: CallKind
    branch: Branch
    index: _Whole
    transfers: list[tuple[_Word, _Hex, _Units, _Intent | None]] = Field(max_length=_MOST_ITEMS)
    nonce: _Whole
    gas_limit: _Whole
    max_fee: _Units
    max_priority_fee: _Units
    asset: _Word | None  # of an approval


class Public(_Said):
    """Asking for the extended public keys."""

    op: Literal["public"]


class SignDraft(_Said):
    """Asking for a signed Bitcoin transaction."""

    op: Literal["sign_draft"]
    network: _Word
    draft: _Draft


class SignCall(_Said):
    """Asking for a signed EVM call."""

    op: Literal["sign_call"]
    draft: _Call


Request = Public | SignDraft | SignCall
_REQUEST: Final[TypeAdapter[Request]] = TypeAdapter(Annotated[Request, Field(discriminator="op")])


class _Refusal(_Said):
    rule: Rule
    message: str
    subjects: list[str]
    coins: list[tuple[str, int]]


class Answer(_Said):
    """What the signer says: exactly one of these."""

    public: dict[str, str] | None = None
    raw: str | None = None
    refused: _Refusal | None = None


def read_request(frame: bytes) -> Request:
    """The request in a frame; raises MalformedError."""
    try:
        return _REQUEST.validate_json(frame)
    except ValidationError:
        raise MalformedError("the request is not one of the protocol") from None


def read_answer(frame: bytes) -> Answer:
    """The answer in a frame; raises MalformedError."""
    try:
        return Answer.model_validate_json(frame)
    except ValidationError:
        raise MalformedError("the answer is not one of the protocol") from None


def ask_public() -> bytes:
    """The request for the extended public keys."""
    return orjson.dumps({"op": "public"})


def ask_draft(network: str, draft: Draft) -> bytes:
    """The request to sign a Bitcoin transaction."""
    said = {
        "inputs": [(coin.txid, coin.vout, coin.amount, coin.branch.value, coin.index) for coin in draft.inputs],
        "outputs": [(output.script, output.amount, _said_intent(output.intent)) for output in draft.outputs],
        "change": [(each.text, each.script, each.branch.value, each.index) for each in draft.change],
    }
    return orjson.dumps({"op": "sign_draft", "network": network, "draft": said})


def ask_call(draft: CallDraft) -> bytes:
    """The request to sign an EVM call."""
    said = {
        "network": draft.network,
        "chain_id": draft.chain_id,
        "kind": draft.kind.value,
        "branch": draft.branch.value,
        "index": draft.index,
        "transfers": [
            (each.asset.id, each.recipient, str(each.units), _said_intent(each.intent)) for each in draft.transfers
        ],
        "nonce": draft.nonce,
        "gas_limit": draft.gas_limit,
        "max_fee": str(draft.fees.max_fee),
        "max_priority_fee": str(draft.fees.max_priority_fee),
        "asset": None if draft.asset is None else draft.asset.id,
    }
    return orjson.dumps({"op": "sign_call", "draft": said})


def draft_of(said: SignDraft) -> Draft:
    """The Bitcoin transaction that a request is about."""
    return Draft(
        tuple(CoinInput(*coin) for coin in said.draft.inputs),
        tuple(Recipient(script, amount, _intent(intent)) for script, amount, intent in said.draft.outputs),
        tuple(Address(*address) for address in said.draft.change),
    )


def call_of(said: SignCall) -> CallDraft:
    """The EVM call that a request is about; raises MalformedError for an asset that is not in the catalogue."""
    draft = said.draft
    try:
        transfers = tuple(
            Transfer(asset_by_id(asset), recipient, int(units), _intent(intent))
            for asset, recipient, units, intent in draft.transfers
        )
        asset = None if draft.asset is None else asset_by_id(draft.asset)
    except KeyError:
        raise MalformedError("no such asset") from None
    return CallDraft(
        network=draft.network,
        chain_id=draft.chain_id,
        kind=draft.kind,
        branch=draft.branch,
        index=draft.index,
        transfers=transfers,
        nonce=draft.nonce,
        gas_limit=draft.gas_limit,
        fees=FeeOffer(int(draft.max_fee), int(draft.max_priority_fee)),
        asset=asset,
    )


def answer_public(keys: Mapping[str, str]) -> bytes:
    """The answer with the extended public keys."""
    return orjson.dumps({"public": dict(keys)})


def answer_raw(raw: bytes) -> bytes:
    """The answer with a signed transaction."""
    return orjson.dumps({"raw": raw.hex()})


def answer_refused(refused: Refused) -> bytes:
    """The answer that says why not."""
    said = {
        "rule": refused.rule.value,
        "message": str(refused),
        "subjects": refused.subjects,
        "coins": refused.coins,
    }
    return orjson.dumps({"refused": said})


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame; None at the end. Raises MalformedError for one that is too long or cut short."""
    try:
        size = int.from_bytes(await reader.readexactly(_LENGTH))
        if not 0 < size <= MOST_BYTES:
            raise MalformedError(f"a frame of {size} bytes")
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        if error.partial or error.expected != _LENGTH:
            raise MalformedError("a frame was cut short") from None
        return None


def framed(document: bytes) -> bytes:
    """A document with its length in front; raises MalformedError for one that is too long."""
    if len(document) > MOST_BYTES:
        raise MalformedError(f"a document of {len(document)} bytes")
    return len(document).to_bytes(_LENGTH) + document


def _said_intent(intent: Intent | None) -> Sequence[str] | None:
    return None if intent is None else (intent.subject, intent.asset, intent.seal.hex())


def _intent(said: _Intent | None) -> Intent | None:
    if said is None:
        return None
    subject, asset, seal = said
    return Intent(subject, asset, bytes.fromhex(seal)[:SEAL_SIZE])
