"""Refusals as partners see them: RFC 9457 problem details."""

from __future__ import annotations

from pydantic import Field, JsonValue

from app.schemas.base import Resource


class ProblemError(Resource):
    """One thing that is wrong. What was sent is never repeated."""

    pointer: str = Field(
        description="A JSON pointer into the body; `/query/…` for a query parameter", examples=["/source/amount"]
    )
    code: str = Field(examples=["invalid_format"])


class Problem(Resource):
    """Why a request was refused."""

    type: str = Field(examples=["https://docs.rampwright.org/problems/validation_failed"])
    title: str = Field(examples=["The request is not valid"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["The amount must be above zero."])
    instance: str = Field(examples=["urn:rampwright:request:req_01JD0000000000000000000000"])
    code: str = Field(examples=["validation_failed"])
    request_id: str = Field(examples=["req_01JD0000000000000000000000"])
    retryable: bool = Field(description="Whether the same request may succeed later")
    retry_after: int | None = Field(default=None, description="Seconds to wait before that")
    errors: list[ProblemError] = Field(default_factory=list)
    state: dict[str, JsonValue] | None = Field(
        default=None, description="Where the object stands, and what would be possible there"
    )
