"""The far side that the adapters are held against, and an account of its own there for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.providers.sandbox.increase.far_side import Bank, Sandbox


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox in which nothing moves by itself."""
    running = Sandbox(tmp_path_factory.mktemp("contracts"))
    yield running
    running.end()


@pytest.fixture(scope="package")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Connections to it."""
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture
async def bank(sandbox: Sandbox) -> AsyncIterator[Bank]:
    """A bank of Increase's kind."""
    own = Bank(sandbox.url)
    yield own
    await own.http.aclose()
