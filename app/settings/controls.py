"""Settings of the checks: sanctions lists, and reconciliation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.settings.section import Section


class ScreeningSettings(Section):
    """Which sanctions list addresses are checked against, and how old it may be. Live mode wants an answer."""

    screening: Literal["ofac", "off"] | None = None
    screening_hours: int = Field(default=24, ge=1)  # since the file was last imported
    screening_days: int = Field(default=45, ge=1)  # since its publisher issued it


class ReconciliationSettings(Section):
    """From which hour of the day, in UTC, every source is held against the ledger."""

    reconcile_hour: int = Field(default=3, ge=0, le=23)
