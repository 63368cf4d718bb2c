"""Wiring of screening: how a list is read."""

from __future__ import annotations

from app.ports.screening import ListFormat
from providers.ofac.sdn import SdnAdvanced


def list_format() -> ListFormat:
    """The list that can be imported; there is one so far."""
    return SdnAdvanced()
