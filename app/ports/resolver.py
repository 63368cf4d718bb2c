"""Names: what we ask of the domain name system."""

from __future__ import annotations

from typing import Protocol


class Resolver(Protocol):
    """Looks names up, anew every time."""

    async def resolve(self, host: str) -> list[str]:
        """Every A and AAAA address of a host, as text; an empty list when it has none or nobody answers."""
        ...
