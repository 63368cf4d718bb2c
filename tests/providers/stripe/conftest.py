"""The card adapter, on an account of its own at the far side."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from providers.stripe.rail import StripeRail
from tests.providers.sandbox.stripe.far_side import FarSide


@pytest.fixture
async def rail(far: FarSide) -> AsyncIterator[StripeRail]:
    adapter = StripeRail(far.secret_key, livemode=False, api_base=f"{far.url}/stripe", timeout=5)
    yield adapter
    await adapter.aclose()
