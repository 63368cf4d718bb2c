"""Health as anybody may see it."""

from __future__ import annotations

from typing import Literal

from app.schemas.base import Resource


class HealthOut(Resource):
    """Whether this process can serve."""

    status: Literal["ok", "unavailable"]
