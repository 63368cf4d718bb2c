"""Payout batches as partners ask for them and see them, in answers and in events alike."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue, PlainValidator, StringConstraints
from pydantic_core import PydanticCustomError

from app.schemas.base import Label, ListOut, Metadata, Moment, MoneyOut, Request, Resource
from app.schemas.external_accounts import ExternalAccountIn
from app.schemas.payouts import ApprovalOut, MoneyIn, Reference, ReturnedOut

MOST_ITEMS: Final = 10_000
ResourceId = Annotated[str, StringConstraints(max_length=64)]


class BatchItemIn(Request):
    """One payment of a batch: to an account of yours, or to one that is named in full."""

    amount: MoneyIn
    external_account_id: ResourceId | None = Field(default=None, examples=["xa_01JD0000000000000000000000"])
    external_account: ExternalAccountIn | None = Field(
        default=None, description="As for POST /v1/external_accounts; the same place is stored once"
    )
    reference: Reference | None = Field(default=None, examples=["Payroll 2026-11"])
    method: Literal["ach", "rtp", "wire"] | None = Field(
        default=None, description="How a US bank account is paid; `ach` unless said otherwise", examples=[None]
    )
    external_id: Label | None = Field(default=None, examples=["pay-42"], description="Yours, of the payout it becomes")


def _as_they_came(value: object) -> list[object]:
    """Items are read one by one later: one bad item is nothing that is wrong with the others."""
    if not isinstance(value, list):
        raise PydanticCustomError("list_type", "items are a list")
    return value


Items = Annotated[
    list[object],
    PlainValidator(_as_they_came, json_schema_input_type=list[BatchItemIn]),
    Field(min_length=1, max_length=MOST_ITEMS),
]


class PayoutBatchIn(Request):
    """Many payouts, as a list of up to 10,000 items or as a file of up to 1,000,000."""

    mode: Literal["all_or_nothing", "best_effort"] = Field(description="What one bad item means for the others")
    items: Items | None = Field(default=None, description="1 to 10,000 payments")
    file_id: ResourceId | None = Field(default=None, examples=["fi_01JD0000000000000000000000"])
    external_id: Label | None = Field(default=None, examples=["payroll-2026-11"])
    metadata: Metadata = Field(default_factory=dict)


def _absent(value: object) -> bool:
    return value is None


class ItemErrorOut(Resource):
    """What is wrong with an item, and where: a pointer into the item, or line and column of a file."""

    code: str = Field(examples=["invalid_format"])
    pointer: str | None = Field(default=None, exclude_if=_absent, examples=["/amount/amount"])
    line: int | None = Field(default=None, exclude_if=_absent)
    column: str | None = Field(default=None, exclude_if=_absent, examples=[None])


class BatchCountsOut(Resource):
    """How far a batch is. What is not counted as invalid, settled or failed is still on its way."""

    total: int
    invalid: int = Field(description="With errors: never paid")
    started: int = Field(description="Of which payouts were made")
    settled: int = Field(description="Paid; some may have been returned since")
    failed: int


class BatchTotalOut(Resource):
    """What a batch pays out of one asset."""

    amount: MoneyOut
    items: int


class BatchFailureOut(Resource):
    """Why nothing of a batch is paid."""

    code: str = Field(examples=["insufficient_balance"])
    message: str
    line: int | None = Field(default=None, description="Where in the file", examples=[None])


class PayoutBatchOut(Resource):
    """A batch as it stands."""

    id: str = Field(examples=["pb_01JD0000000000000000000000"])
    object: Literal["payout_batch"] = "payout_batch"
    sequence: int
    mode: Literal["all_or_nothing", "best_effort"]
    status: str = Field(examples=["processing"])
    external_id: str | None
    file_id: str | None
    items: BatchCountsOut
    totals: list[BatchTotalOut]
    approval: ApprovalOut | None = Field(description="Only while an approval is needed, or was given")
    failure: BatchFailureOut | None
    allowed_actions: list[str]
    metadata: dict[str, JsonValue]
    created_at: Moment
    updated_at: Moment
    livemode: bool


class PayoutBatchList(ListOut[PayoutBatchOut]):
    """A page of batches, newest first."""


class BatchItemOut(Resource):
    """An item and what became of it. Results have the same fields, in the same order."""

    position: int = Field(description="From 1, as it came", examples=[1])
    object: Literal["payout_item"] = "payout_item"
    line: int | None = Field(default=None, exclude_if=_absent, description="Where its row begins in the file")
    amount: MoneyOut | None = Field(description="Null when it could not be read")
    external_account_id: str | None
    method: str | None
    reference: str | None
    external_id: str | None
    status: str = Field(examples=["settled"], description="The payout's, or `invalid`, `pending`, `canceled`")
    errors: list[ItemErrorOut]
    warnings: list[str] = Field(examples=[["duplicate_item"]])
    payout_id: str | None
    provider_reference: str | None
    tx_hash: str | None
    failure: dict[str, JsonValue] | None
    returned: ReturnedOut | None


class BatchItemList(ListOut[BatchItemOut]):
    """A page of items, in order."""


class CheckedItemOut(Resource):
    """What is wrong with an item, or strange about it."""

    position: int
    errors: list[ItemErrorOut]
    warnings: list[str]


class CheckedTotalOut(BatchTotalOut):
    """What would be paid out of one asset, and what there is of it."""

    available: MoneyOut
    sufficient: bool


class BatchCheckOut(Resource):
    """What would become of a batch: nothing was done."""

    object: Literal["payout_batch_validation"] = "payout_batch_validation"
    valid: bool = Field(description="Whether it would be accepted now")
    total: int
    invalid: int
    totals: list[CheckedTotalOut]
    sufficient: bool = Field(description="Whether the balance suffices for every asset")
    approval_required: bool
    items: list[CheckedItemOut] = Field(description="The first 1,000 items that have errors or warnings")
    failure: BatchFailureOut | None = Field(description="What is wrong with a file as a whole")
