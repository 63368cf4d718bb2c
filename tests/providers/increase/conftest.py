"""A sandbox process in which nothing moves by itself, and a bank of its own for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from providers.increase.rail import IncreaseRail
from tests.providers.sandbox.increase.far_side import Bank, Sandbox


@pytest.fixture(scope="package")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("bank"))
    yield running
    running.end()


@pytest.fixture
async def bank(held: Sandbox) -> AsyncIterator[Bank]:
    own = Bank(held.url)
    yield own
    await own.http.aclose()


@pytest.fixture
async def rail(bank: Bank) -> AsyncIterator[IncreaseRail]:
    adapter = bank.rail()
    yield adapter
    await adapter.aclose()
