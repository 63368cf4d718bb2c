"""The fixtures of the side doors."""

from __future__ import annotations

import pytest

from app.db.database import Database
from app.services.rails import Rails
from tests.webhooks.card import CardTruth, rails_on
from tests.webhooks.instance import Instance, open_instance
from tests.webhooks.names import Names
from webhooks.outbound.deliver import Deliverer
from webhooks.outbound.post import Poster


@pytest.fixture
async def instance(db: Database) -> Instance:
    """One partner of an instance that allows loopback."""
    return await open_instance(db)


@pytest.fixture
def deliverer(instance: Instance) -> Deliverer:
    """One worker's deliverer, without jitter and with less patience than in earnest, yet enough for a busy machine."""
    return Deliverer(
        instance.db,
        instance.sealer,
        allow_loopback=True,
        poster=Poster(Names([]), allow_loopback=True, budget_seconds=3.0),
        spread=lambda: 0.0,
    )


@pytest.fixture
def truth() -> CardTruth:
    """What is true at the provider."""
    return CardTruth()


@pytest.fixture
def rails(truth: CardTruth) -> Rails:
    """Rails on it."""
    return rails_on(truth)
