"""One instance on one anvil for all tests of this folder; after each of them its books are right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.db.database import Database
from tests.support.evm import EvmWorld, open_evm_world
from tests.support.far_side import FarSide
from tests.support.postgres import create_database, drop_database


@pytest.fixture(scope="package")
async def opened(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, far_side: FarSide
) -> AsyncIterator[EvmWorld]:
    """The instance."""
    home: Path = tmp_path_factory.mktemp("evm")
    url = await create_database(database_url)
    db = Database(url)
    async with open_evm_world(home, db, far_side.url) as evm:
        yield evm
    await db.close()
    await drop_database(url)


@pytest.fixture
async def evm(opened: EvmWorld) -> AsyncIterator[EvmWorld]:
    """The instance, with nothing open; audited afterwards."""
    await opened.final()
    await opened.swept()
    await opened.alerts()
    yield opened
    await opened.world.follow()
    await opened.audit()
