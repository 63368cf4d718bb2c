"""The three answers to any request that moves money."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a provider said. An unknown vendor word is PENDING; a lost answer is no outcome at all."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a provider said no: our code, the provider's own, and a sentence that a customer may read.

    `known` is False for a provider's code that means nothing to us yet.
    """

    code: str
    provider_code: str | None
    message: str
    known: bool = True
