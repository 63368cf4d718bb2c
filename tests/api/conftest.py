"""One instance for all tests of the front door; each test brings its own partner."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.db.database import Database
from app.services import keys
from tests.api.front import Caller, Front, open_front
from tests.api.payouts import Desk, open_desk
from tests.support.far_side import FarSide
from tests.support.postgres import create_database, drop_database


@pytest.fixture(scope="session")
async def front(database_url: str, far_side: FarSide) -> AsyncIterator[Front]:
    """The shared instance."""
    url = await create_database(database_url)
    db = Database(url)
    async with open_front(db, far_side.url) as opened:
        yield opened
    await db.close()
    await drop_database(url)


@pytest.fixture
async def caller(front: Front) -> Caller:
    """A partner of this test's own, whose key may do everything that a partner's can, and the operator's besides."""
    return await front.caller(scopes=[*keys.PARTNER_SCOPES, keys.CHECKER, "admin:reconciliation"])


@pytest.fixture(scope="session")
async def desk(front: Front, far_side: FarSide, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """The shared instance with banks behind it."""
    async with open_desk(front, far_side.url, tmp_path_factory.mktemp("sepa")) as opened:
        yield opened
