"""The front door when everything is as it should be."""

from __future__ import annotations

from tests.api.front import Caller, Front


async def test_a_quote_becomes_an_order(front: Front, caller: Caller) -> None:
    order = await caller.order(external_id="inv-42", metadata={"cart": "9"}, customer={"reference": "u-17"})
    assert order["metadata"] == {"cart": "9"}
    shown = await caller.get(f"/v1/orders/{order['id']}")
    assert shown.json() == order
