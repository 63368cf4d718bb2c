"""Idempotency keys as partners see them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from app.schemas.base import Resource


class IdempotencyKeyOut(Resource):
    """A key that was used, and what was answered under it."""

    object: Literal["idempotency_key"] = "idempotency_key"
    key: str = Field(examples=["9f86d081-order-42"])
    status: Literal["in_progress", "completed"]
    response_status: int | None = Field(examples=[201])
    response: dict[str, JsonValue] | None = Field(description="The answer's body; null once it has been pruned")
    resource_id: str | None = Field(examples=["or_01JD0000000000000000000000"])
