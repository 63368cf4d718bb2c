"""What every route is handed: the database, the rails, the prices and the operator's rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.db.database import Database
from app.ports.simulator import Simulator
from app.services.endpoints import HookRules
from app.services.policy import Policy
from app.services.prices import PriceBoard
from app.services.rails import Rails
from app.services.sealing import Sealer
from app.services.session_rules import SessionRules


@dataclass(frozen=True, slots=True)
class Context:
    """One API process's belongings, built by `wiring`."""

    db: Database
    rails: Rails
    board: PriceBoard
    policy: Policy
    sealer: Sealer
    simulator: Simulator | None  # there is none in live mode
    hooks: HookRules
    sessions: SessionRules


async def context_of(request: Request) -> Context:
    """The context that the app was built with. Async, because a plain function would be sent to a thread."""
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(context_of)]
