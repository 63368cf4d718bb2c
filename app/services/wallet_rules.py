"""What the operator decides about the hot wallet of a UTXO chain. Built from the settings, handed to the services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class WalletRules:
    """The rules of one network's wallet; amounts in units of its coin, rates in units per virtual byte."""

    unconfirmed_depth: int = 4  # how many transactions of ours, in no block yet, one may stand upon
    coins_wanted: int = 16  # with fewer coins than that, change comes back in several
    coin_units: int = 1_000_000  # a coin worth having: change is split into no smaller ones
    low_rate: int = 10  # up to this rate an output more costs next to nothing
    gather_rate: int = 2  # up to this rate small coins are gathered into one
    gather_from: int = 20  # when there are so many of them
    bump_blocks: int = 3  # a send that so many blocks passed by pays more
    bump_after: timedelta = timedelta(hours=1)  # or one that waits longer than this, while blocks come
    head_age: timedelta | None = None  # a chain whose newest block is older is not trusted
    low_float: int = 0  # below this a person is told
    ceiling: int | None = None  # above this the wallet's coins go to cold storage
    most_rate: int = 500  # no transaction, and no family of them, ever pays more


DEFAULT_RULES = WalletRules()
