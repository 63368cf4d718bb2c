"""A sandbox process for the session, and an account of its own for every test that drives Stripe there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stripe

from tests.providers.sandbox.stripe.far_side import FarSide, Sandbox

_DRIVEN_BY_THE_SDK = tuple(Path(__file__).parent / name for name in ("stripe", "sandbox/stripe"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.end()


@pytest.fixture(scope="session")
async def sdk_http() -> AsyncIterator[stripe.HTTPXClient]:
    """The SDK's own connections, for all tests: making the TLS context anew takes longer than most tests."""
    client = stripe.HTTPXClient(timeout=10)
    yield client
    await client.close_async()


@pytest.fixture
async def far(sandbox: Sandbox, sdk_http: stripe.HTTPXClient) -> AsyncIterator[FarSide]:
    account = FarSide(sandbox.url, sdk_http)
    yield account
    await account.http.aclose()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK's own httpx client warns on every POST; our adapter brings its own."""
    for item in items:
        if item.path.parent in _DRIVEN_BY_THE_SDK:
            item.add_marker(pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"))
