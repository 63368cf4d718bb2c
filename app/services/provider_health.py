"""Providers and their health for partners: price sources by what the board sees, rails by what the books tell."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from app.db import provider_health as records
from app.db.database import Database
from app.db.provider_health import Trouble as RailTrouble
from app.domain.assets import CATALOGUE
from app.ports.payin import PayinHealth, PayinProvider
from app.schemas.providers import ProviderList, ProviderOut, ProviderPairOut
from app.services.prices import PairState, PriceBoard, SourceState
from app.services.rails import Rails


async def providers(db: Database, rails: Rails, board: PriceBoard) -> ProviderList:
    """Every provider that is configured."""
    troubles = await records.troubles(db)
    found = sources(board, time.monotonic())
    found += [
        _rail("payments", name, _paid_by(rails, name), troubles, away=_is_away(rail))
        for name, rail in sorted(rails.payin.items())
    ]
    found += [
        _rail("bank", name, _bank_does(rails, name), troubles) for name in sorted({*rails.banks, *rails.bank_files})
    ]
    found += [_rail("chain", name, _coins_on(name), troubles) for name in sorted(rails.networks)]
    return ProviderList(data=found)


def sources(board: PriceBoard, now: float) -> list[ProviderOut]:
    """The price sources; `now` is the monotonic clock's."""
    doubts = {(pair.base, pair.quote): pair for pair in board.pair_states(now=now)}
    states = board.states(now=now)
    return [
        _source(name, [_pair(state, doubts[state.base, state.quote]) for state in states if state.source == name])
        for name in board.source_names
    ]


def _pair(state: SourceState, pair: PairState) -> ProviderPairOut:
    """One source for one pair: its own trouble, else the doubt that several sources have raised together."""
    status, since = "operational", state.since
    reason: StrEnum | None = None
    if not state.ok:
        status, reason = "down", state.trouble
    elif state.trouble is not None:
        status, reason = "degraded", state.trouble
    elif pair.doubt is not None and pair.doubt.value != "no_fresh_price":
        status, reason, since = "degraded", pair.doubt, pair.since
    return ProviderPairOut.model_validate(
        {
            "base": state.base,
            "quote": state.quote,
            "status": status,
            "reason": None if reason is None else reason.value,
            "since": since,
            "streaming": state.live,
        }
    )


def _source(name: str, pairs: Sequence[ProviderPairOut]) -> ProviderOut:
    """A source is down when all its pairs are; its reason is that of most of them, the first of equals."""
    wrong = [pair for pair in pairs if pair.status != "operational"]
    reasons = [pair.reason for pair in wrong]
    down = bool(pairs) and all(pair.status == "down" for pair in pairs)
    return ProviderOut(
        name=name,
        kind="prices",
        status="down" if down else "degraded" if wrong else "operational",
        reason=max(reasons, key=reasons.count) if reasons else None,
        since=_earliest(pair.since for pair in wrong or pairs),
        capabilities=[f"{pair.base}/{pair.quote}" for pair in pairs],
        pairs=list(pairs),
    )


def _is_away(rail: PayinProvider) -> bool:
    """Whether a rail says of itself that it is not asked for the moment."""
    return isinstance(rail, PayinHealth) and rail.resumes_in() > 0


def _rail(
    kind: str, name: str, capabilities: list[str], troubles: Sequence[RailTrouble], *, away: bool = False
) -> ProviderOut:
    """A rail; one that is `away`, or was stopped by hand, serves nothing, whatever else is wrong with it."""
    mine = [trouble for trouble in troubles if (trouble.kind, trouble.name) == (kind, name)]
    stopped = any(trouble.reason == "stopped" for trouble in mine)
    return ProviderOut.model_validate(
        {
            "name": name,
            "kind": kind,
            "status": "down" if stopped or away else "degraded" if mine else "operational",
            "reason": "stopped" if stopped else "no_answer" if mine or away else None,
            "since": _earliest(trouble.since for trouble in mine),
            "capabilities": capabilities,
            "pairs": [],
        }
    )


def _earliest(moments: Iterable[datetime]) -> datetime | None:
    return min(moments, default=None)


def _paid_by(rails: Rails, provider: str) -> list[str]:
    return sorted(method for method, name in rails.methods.items() if name == provider)


def _bank_does(rails: Rails, name: str) -> list[str]:
    """The ways in which a bank pays out, and the currencies that it takes in."""
    ways = [method.value for method in rails.banks[name].methods] if name in rails.banks else ["sepa"]
    taken = [code for code, bank in rails.credits.items() if bank.provider == name]
    taken += [code for code, (provider, _) in rails.shared_accounts.items() if provider == name]
    return [*(f"payout:{way}" for way in sorted(ways)), *(f"top_up:{code}" for code in sorted(taken))]


def _coins_on(network: str) -> list[str]:
    return [asset.id for asset in CATALOGUE if asset.network == network]
