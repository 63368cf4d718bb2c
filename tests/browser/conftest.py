"""The fixtures of the browser's tests: a browser and an instance for each process, a context for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.house import House, open_browser, open_house
from tests.browser.watch import OpenContext, Watch
from tests.support.far_side import FarSide

_PATIENCE_MS = 30_000.0  # far above what anything takes

expect.set_options(timeout=_PATIENCE_MS)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium. It finds nobody but this machine."""
    async with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
async def house(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, far_side: FarSide, browser: Browser
) -> AsyncIterator[House]:
    """An instance, and a shop that embeds it. No test sees another one's sessions."""
    home = tmp_path_factory.mktemp("browser") / "home"
    async with open_house(home, database_url, far_side.url, browser) as house:
        yield house


@pytest.fixture
async def open_contexts(house: House) -> AsyncIterator[OpenContext]:
    """Makes browsers of other people, so many pixels wide: nothing is shared between them."""
    async with AsyncExitStack() as stack:

        async def open_context(width: int = 1280) -> BrowserContext:
            context = await house.browser.new_context(viewport={"width": width, "height": 720}, reduced_motion="reduce")
            stack.push_async_callback(context.close)
            context.set_default_timeout(_PATIENCE_MS)
            watch = Watch(context, {house.origin, house.shop.url})
            await watch.begin()
            stack.callback(watch.check)
            return context

        yield open_context


@pytest.fixture
async def context(house: House) -> AsyncIterator[BrowserContext]:
    """The customer's browser, that has been nowhere yet."""
    context = await house.browser.new_context(locale="en-GB", timezone_id="UTC", reduced_motion="reduce")
    context.set_default_timeout(_PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
async def watch(context: BrowserContext, house: House) -> AsyncIterator[Watch]:
    """Nothing may happen in the test's pages that it does not expect."""
    watch = Watch(context, {house.origin, house.shop.url})
    await watch.begin()
    yield watch
    watch.check()


@pytest.fixture
async def page(context: BrowserContext, watch: Watch) -> Page:
    """The customer's first tab."""
    return await context.new_page()
