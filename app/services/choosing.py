"""Choosing coins for a transaction: what the database offers, what `coin_selection` picks, and nobody else's picks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from app.db import coins as coin_rows
from app.db.database import Transaction
from app.domain.coin_selection import Candidate, Goal, select
from app.ports.chain import ChainProvider, CoinInput
from app.services.spending import SendWaits
from app.services.wallet_rules import WalletRules

# Twice what a node takes for dust of a P2WPKH output (`building` gives less than that to the miners).
LEAST_CHANGE: Final = 588
FAMILY: Final = 25  # unconfirmed transactions that stand upon one another; nodes keep no more
_OFFERED: Final = 60
_TRIES: Final = 3
_MOST_INPUTS: Final = 100
_BUMPS: Final = 3  # change can pay the fee so many times more


class WalletShort(SendWaits):
    """The hot wallet has too few free coins for this send now."""


async def choose(
    tx: Transaction,
    rail: ChainProvider,
    rules: WalletRules,
    amount: int,
    scripts: Sequence[str],
    *,
    change: str,
    fee_rate: int,
    wanted: Collection[tuple[str, int]] = (),
    others: Collection[tuple[str, int]] = (),
) -> list[CoinInput]:
    """Lock coins that pay `amount` units to the output `scripts` and the fee; `change` is the script of the rest.

    Confirmed coins if they suffice, else also our own change that waits for a block. Those of `wanted` that are free
    are among them, those of `others` are not. Raises WalletShort.
    """
    goal = _goal(rail, amount, scripts, change, fee_rate)
    kept = await coin_rows.named(tx, rail.network, wanted) if wanted else []
    goal = replace(goal, target=goal.target - sum(coin.amount - goal.input_fee for coin in kept))
    if kept and goal.target <= 0:
        return kept
    barred = {*wanted, *others}
    found = await _try(tx, rail.network, rules, goal, barred, own_change=False)
    found = found or (None if barred else await _first_come(tx, rail.network, goal))
    found = found or await _try(tx, rail.network, rules, goal, barred, own_change=True)
    if not found:
        raise WalletShort(f"{rail.network}: the coins that are free are not enough for {amount} units")
    return kept + found


def _goal(rail: ChainProvider, amount: int, scripts: Sequence[str], change: str, fee_rate: int) -> Goal:
    one = rail.estimate_vsize(1, scripts)
    per_input = rail.estimate_vsize(2, scripts) - one
    with_change = rail.estimate_vsize(1, [*scripts, change])
    return Goal(
        target=amount + fee_rate * (one - per_input),
        input_fee=fee_rate * per_input,
        slack=fee_rate * (with_change - one) + LEAST_CHANGE - 1,
        room=_BUMPS * fee_rate * with_change,
        most_inputs=_MOST_INPUTS,
    )


async def _try(
    tx: Transaction,
    network: str,
    rules: WalletRules,
    goal: Goal,
    barred: Collection[tuple[str, int]],
    *,
    own_change: bool,
) -> list[CoinInput] | None:
    """Choose, then lock what was chosen; what somebody else has taken meanwhile is left out of the next try.

    Only the coins that are really spent are locked, so that sends do not keep coins from each other.
    """
    gone = set(barred)
    enough = goal.target + goal.input_fee
    for _ in range(_TRIES):
        offered = await coin_rows.candidates(tx, network, enough, _OFFERED, own_change=own_change)
        offered = [coin for coin in offered if (coin.txid, coin.vout) not in gone]
        selection = select([Candidate(place, coin.amount) for place, coin in enumerate(offered)], goal)
        if selection is None:
            return None
        chosen = [offered[place] for place in selection.keys]
        if own_change and not await _fits(tx, network, rules, chosen):
            return None
        taken = await coin_rows.take(tx, network, chosen, own_change=own_change)
        missed = {(coin.txid, coin.vout) for coin in chosen} - taken
        if not missed:
            return chosen
        gone |= missed
    return None


async def _fits(tx: Transaction, network: str, rules: WalletRules, chosen: Sequence[CoinInput]) -> bool:
    """Whether another transaction upon these would still be relayed, and not stand on too many."""
    above, family = await coin_rows.family_size(tx, network, [coin.txid for coin in chosen])
    return above <= rules.unconfirmed_depth and family < FAMILY


async def _first_come(tx: Transaction, network: str, goal: Goal) -> list[CoinInput] | None:
    """When others were always quicker: whatever is free at this very moment, the largest if one is not enough."""
    single = await coin_rows.smallest_sufficient(tx, network, goal.target + goal.input_fee)
    if single is not None:
        return [single]
    offered = await coin_rows.largest(tx, network, goal.most_inputs)
    selection = select([Candidate(place, coin.amount) for place, coin in enumerate(offered)], goal)
    return None if selection is None else [offered[place] for place in selection.keys]
