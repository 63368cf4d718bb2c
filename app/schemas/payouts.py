"""Payouts as partners ask for them and see them, in answers and in events alike."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from app.schemas.base import (
    AmountText,
    AssetCode,
    Label,
    ListOut,
    Metadata,
    Moment,
    MoneyOut,
    Network,
    NetworkName,
    PlainText,
    Request,
    Resource,
)

Reference = Annotated[PlainText, StringConstraints(min_length=1, max_length=140)]


class MoneyIn(Request):
    """An amount of one asset; `network` for coins."""

    asset: AssetCode
    network: NetworkName | None = Field(default=None, examples=["bitcoin"])
    amount: AmountText


class PayoutIn(Request):
    """Money to send from the balance to an external account."""

    amount: MoneyIn
    external_account_id: Annotated[str, StringConstraints(max_length=64)] = Field(
        examples=["xa_01JD0000000000000000000000"]
    )
    reference: Reference | None = Field(
        default=None, description="What the receiver of a bank payout reads on the statement", examples=["Invoice 42"]
    )
    method: Literal["ach", "rtp", "wire"] | None = Field(
        default=None, description="How a US bank account is paid; `ach` unless said otherwise", examples=["ach"]
    )
    external_id: Label | None = Field(default=None, examples=["pay-42"])
    metadata: Metadata = Field(default_factory=dict)


class ApprovalIn(Request):
    """An approval, of just what was shown when `hash` is given."""

    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None,
        description="`approval.hash` as it was shown: the approval is of that amount and destination alone",
    )


class RejectionIn(Request):
    """A rejection, and why."""

    reason: Label | None = Field(default=None, examples=["Unknown receiver"])


class ApprovalOut(Resource):
    """What an approval would be of: a digest of amounts and destinations."""

    required: bool
    hash: str | None
    approved_by: str | None = Field(description="The id of the key that approved", examples=[None])


class ReturnedOut(Resource):
    """A payout that came back, in the scheme's own code."""

    code: str = Field(examples=["returned_r01"])
    scheme_code: str = Field(examples=["R01"])
    message: str
    at: str | None


class PayoutOut(Resource):
    """A payout as it stands."""

    id: str = Field(examples=["po_01JD0000000000000000000000"])
    object: Literal["payout"] = "payout"
    sequence: int
    kind: Literal["payout", "sale", "refund"] = Field(
        description="Your own payout, what a sell order brought, or coins of an order that go back"
    )
    status: str = Field(examples=["queued"])
    amount: MoneyOut
    method: str = Field(examples=["ach"])
    provider: str = Field(examples=["increase"])
    external_account_id: str | None = Field(examples=["xa_01JD0000000000000000000000"])
    external_id: str | None
    order_id: str | None
    batch_id: str | None
    reference: str | None
    address: str | None = Field(description="Where coins go", examples=[None])
    tx_hash: str | None = Field(examples=[None])
    provider_reference: str | None = Field(description="The bank's own id", examples=[None])
    approval: ApprovalOut | None = Field(description="Only while an approval is needed, or was given")
    hold: dict[str, JsonValue] | None
    failure: dict[str, JsonValue] | None
    returned: ReturnedOut | None
    allowed_actions: list[str]
    metadata: dict[str, JsonValue]
    submitted_at: Moment | None
    settled_at: Moment | None
    created_at: Moment
    updated_at: Moment
    livemode: bool


class PayoutList(ListOut[PayoutOut]):
    """A page of payouts, newest first."""


class PayoutCheckOut(Resource):
    """What would become of a payout: nothing was done."""

    object: Literal["payout_validation"] = "payout_validation"
    valid: bool
    errors: list[dict[str, str]]
    approval_required: bool
    method: str | None
    available: MoneyOut
    network: Network = None


class MoveOut(Resource):
    """One transition, with what caused it."""

    sequence: int
    source: str
    trigger: str
    target: str
    status: str
    actor: str | None
    reason: str | None
    at: Moment


class MoveList(ListOut[MoveOut]):
    """Every transition, in order."""
