"""The account that a process works as: taken on once it has loaded and opened everything, before it serves anybody."""

from __future__ import annotations

from app.run_as import RunAs, become
from app.settings import Settings
from app.wiring.signing import refuse_keys_in_reach
from providers.bitcoin.containment import DATA_FOLDER


def settle_down(settings: Settings) -> None:
    """Become the account of RAMPWRIGHT_RUN_AS, if one is named; raises RunAsError, and NotConfigured near a key."""
    name = settings.process.run_as
    become(None if name is None else RunAs.parse(name), owned=[DATA_FOLDER])
    refuse_keys_in_reach(settings)
