"""One instance in test mode and one in live mode, for all tests of what browsers are served."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.db.database import Database
from tests.api.front import Caller, Front, open_front
from tests.support.far_side import FarSide
from tests.support.postgres import create_database, drop_database


@pytest.fixture(scope="session")
async def front(database_url: str, far_side: FarSide) -> AsyncIterator[Front]:
    """In test mode."""
    url = await create_database(database_url)
    db = Database(url)
    async with open_front(db, far_side.url) as opened:
        yield opened
    await db.close()
    await drop_database(url)


@pytest.fixture(scope="session")
async def live_front(database_url: str, far_side: FarSide) -> AsyncIterator[Front]:
    """In live mode."""
    url = await create_database(database_url)
    db = Database(url)
    async with open_front(db, far_side.url, livemode=True) as opened:
        yield opened
    await db.close()
    await drop_database(url)


@pytest.fixture
async def caller(front: Front) -> Caller:
    """A partner in test mode."""
    return await front.caller()
