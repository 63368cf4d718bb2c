"""A sandbox process for the session, and an account of its own for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stripe

from providers.stripe.rail import StripeRail
from tests.providers.sandbox.stripe.far_side import FarSide, Sandbox


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


@pytest.fixture
async def rail(far: FarSide) -> AsyncIterator[StripeRail]:
    adapter = StripeRail(far.secret_key, livemode=False, api_base=f"{far.url}/stripe", timeout=5)
    yield adapter
    await adapter.aclose()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK's own httpx client warns on every POST; our adapter brings its own."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"))
