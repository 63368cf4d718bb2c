"""What the operator decides about widget sessions: where pages are served, and what they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.services.session_tokens import SessionTokens


@dataclass(frozen=True, slots=True)
class SessionRules:
    """Built from the settings. `own_window_above` is by fiat asset code, in its units; `explorers` by network.

    `test_cards`: payments are taken by the far side's form with test cards, and not by the provider's own.
    """

    tokens: SessionTokens
    public_url: str | None = None  # None: whatever the request was sent to
    allow_loopback: bool = False
    test_cards: bool = False
    own_window_above: Mapping[str, int] = field(default_factory=dict)
    explorers: Mapping[str, str] = field(default_factory=dict)
