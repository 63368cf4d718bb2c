"""An account of its own for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.providers.sandbox.sepa.account import Account
from tests.providers.sandbox.stripe.far_side import Sandbox


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture
async def account(sandbox: Sandbox, http: httpx.AsyncClient, tmp_path: Path) -> Account:
    opened = Account(http, sandbox.url, tmp_path / "bank")
    await opened.open()
    return opened
