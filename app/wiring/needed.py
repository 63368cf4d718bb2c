"""What a setting that must be there is read with."""

from __future__ import annotations


class NotConfigured(RuntimeError):
    """A setting that this process needs is missing."""


def needed(value: str | None, name: str) -> str:
    """A setting that must be there; raises NotConfigured."""
    if value is None:
        raise NotConfigured(f"RAMPWRIGHT_{name} is not set")
    return value
