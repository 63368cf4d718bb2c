"""The fixtures of every test: one PostgreSQL for the run, one far side for each process, one database for each test."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

from app.db.database import Database
from tests.support.far_side import FarSide
from tests.support.opening import open_world
from tests.support.partners import TestPartner, make_partner
from tests.support.postgres import SharedPostgres, create_database, drop_database
from tests.support.world import World

_URL = "RAMPWRIGHT_TEST_SERVER"
_SHARED: list[SharedPostgres] = []
# Whole instances, each of several processes: one after the other, and first, since they take the longest.
_INSTANCES = tuple(f"tests/journeys/test_{name}.py" for name in ("crash_batch", "crash", "dev"))
_LONGEST = (
    *_INSTANCES,
    "tests/journeys/",
    "tests/browser/",
    "tests/embedded/",
    "tests/audit/",
    "tests/api/test_reference.py",
    "tests/cli/",
    "tests/services/",
    "tests/providers/bitcoin/nodes/",
    "tests/providers/evm/",
)

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis_settings.register_profile("rampwright", deadline=None)
hypothesis_settings.load_profile("rampwright")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the server once, in the process that starts the run; the others find it in their environment."""
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    shared = SharedPostgres()
    os.environ[_URL] = shared.start()
    _SHARED.append(shared)


def pytest_sessionfinish() -> None:
    """Stop what was started."""
    for shared in _SHARED:
        shared.stop()


class Scheduling(LoadScopeScheduling):
    """Who runs what: a file is one piece of work, and so are all those that start whole instances."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "instances" if file in _INSTANCES else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Hand the work out as above."""
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes the longest first: what is left for the end is small, and no processor waits for another."""
    items.sort(
        key=lambda item: next((n for n, name in enumerate(_LONGEST) if item.nodeid.startswith(name)), len(_LONGEST))
    )


@pytest.fixture(scope="session")
def database_url() -> str:
    """The server's own URL."""
    return os.environ[_URL]


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A fresh database with our schema."""
    url = await create_database(database_url)
    database = Database(url)
    yield database
    await database.close()
    await drop_database(url)


@pytest.fixture(scope="session")
def far_side() -> Iterator[FarSide]:
    """The sandbox, in a process of its own."""
    far = FarSide()
    yield far
    far.stop()


@pytest.fixture
async def partner(db: Database) -> TestPartner:
    """A partner with a key for everything."""
    return await make_partner(db)


@pytest.fixture(scope="module")
async def shared_world(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, far_side: FarSide
) -> AsyncIterator[World]:
    """An instance for those tests of a file that only see requests refused, and leave nothing behind."""
    url = await create_database(database_url)
    database = Database(url)
    async with open_world(tmp_path_factory.mktemp("shared") / "home", database, far_side.url) as opened:
        yield opened
    await database.close()
    await drop_database(url)


@pytest.fixture
async def world(tmp_path: Path, db: Database, far_side: FarSide) -> AsyncIterator[World]:
    """A whole instance against the far side."""
    async with open_world(tmp_path / "home", db, far_side.url) as opened:
        yield opened
