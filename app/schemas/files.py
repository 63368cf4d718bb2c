"""Files as partners see them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.schemas.base import Moment, Resource


class FileOut(Resource):
    """An uploaded file."""

    id: str = Field(examples=["fi_01JD0000000000000000000000"])
    object: Literal["file"] = "file"
    status: Literal["uploading", "ready"]
    content_type: Literal["text/csv", "application/x-ndjson"]
    size: int = Field(description="In bytes", examples=[1048576])
    sha256: str | None = Field(description="Of the whole content, in hexadecimal")
    created_at: Moment
