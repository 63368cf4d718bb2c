"""Bad orders, cancellations and refunds (faults.md O-01 to O-11)."""

from __future__ import annotations

import pytest

from app.db import orders as order_rows
from app.domain.order import OrderTrigger
from app.domain.order_terms import Moved
from app.services import orders
from app.services.orders import Fact
from tests.api.front import ADDRESS, Caller, Front, Json
from tests.api.refusals import pointers, refused

# Valid in themselves, each on a network that is not regtest.
MAINNET = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
TESTNET = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
ETHEREUM = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


async def paid_order(front: Front, caller: Caller) -> Json:
    """An order whose money has arrived; nothing is sent, for no worker runs here."""
    order = await caller.order()
    async with front.context.db.transaction() as tx:
        await orders.advance(tx, str(order["id"]), Fact(OrderTrigger.PAYMENT_CAPTURED, "c", Moved("pi", amount=10_000)))
    return order


async def test_o_01_an_expired_quote(front: Front, caller: Caller) -> None:
    quote = await caller.quote()
    async with front.context.db.transaction() as tx:
        await tx.execute("UPDATE quotes SET expires_at = now() - interval '1 second' WHERE id = $1", quote["id"])
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}}
    await refused(front, caller.post("/v1/orders", body), 410, "quote_expired", kept=True)
    assert (await caller.get(f"/v1/quotes/{quote['id']}")).json()["status"] == "expired"


async def test_o_01_a_used_quote(front: Front, caller: Caller) -> None:
    order = await caller.order()
    body = {"quote_id": order["quote_id"], "destination": {"address": ADDRESS}}
    await refused(front, caller.post("/v1/orders", body), 409, "quote_used", kept=True)
    quote = (await caller.get(f"/v1/quotes/{order['quote_id']}")).json()
    assert (quote["status"], quote["order_id"]) == ("used", order["id"])


@pytest.mark.parametrize("quote_id", ["qt_01JD0000000000000000000000", "or_01JD0000000000000000000000", "x", ""])
async def test_o_01_no_such_quote(front: Front, caller: Caller, quote_id: str) -> None:
    body = {"quote_id": quote_id, "destination": {"address": ADDRESS}}
    await refused(front, caller.post("/v1/orders", body), 404, "not_found", kept=True)


async def test_o_01_another_partners_quote(front: Front, caller: Caller) -> None:
    quote = await (await front.caller()).quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}}
    await refused(front, caller.post("/v1/orders", body), 404, "not_found", kept=True)


async def test_o_01_an_order_without_an_address(front: Front, caller: Caller) -> None:
    quote = await caller.quote()
    response = await refused(front, caller.post("/v1/orders", {"quote_id": quote["id"]}), 422, "validation_failed")
    assert pointers(response) == ["/destination"]


async def test_an_external_id_that_is_taken(front: Front, caller: Caller) -> None:
    await caller.order(external_id="inv-1")
    quote = await caller.quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}, "external_id": "inv-1"}
    await refused(front, caller.post("/v1/orders", body), 409, "conflict_state", kept=True)
    # The quote is still good, and the name is free for another partner.
    assert (await caller.post("/v1/orders", body | {"external_id": "inv-2"})).status_code == 201
    assert (await (await front.caller()).order(external_id="inv-1"))["external_id"] == "inv-1"


@pytest.mark.parametrize(
    ("address", "codes"),
    [
        (ADDRESS[:-1] + "q", {"address_invalid"}),
        (ADDRESS[:-1], {"address_invalid"}),
        (ADDRESS[:10] + ADDRESS[10].upper() + ADDRESS[11:], {"address_invalid"}),
        (f" {ADDRESS}", {"address_invalid"}),
        (f"{ADDRESS} ", {"address_invalid"}),
        (f"bitcoin:{ADDRESS}", {"address_invalid"}),
        (f"bitcoin:{ADDRESS}?amount=1", {"address_invalid"}),
        ("bcrt1pw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", {"address_invalid"}),
        ("satoshi.eth", {"address_invalid"}),
        ("x", {"address_invalid"}),
        (MAINNET, {"network_mismatch"}),
        (TESTNET, {"network_mismatch"}),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", {"network_mismatch"}),
        (ETHEREUM, {"address_invalid", "network_mismatch"}),
    ],
)
async def test_o_02_not_an_address(front: Front, caller: Caller, address: str, codes: set[str]) -> None:
    quote = await caller.quote()
    before = await front.state()
    response = await caller.post("/v1/orders", {"quote_id": quote["id"], "destination": {"address": address}})
    assert response.status_code == 422
    assert response.json()["code"] in codes
    assert pointers(response) == ["/destination/address"]
    assert address not in response.text
    assert await front.state() == before


async def test_o_02_one_spelling(caller: Caller) -> None:
    quote = await caller.quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS.upper()}}
    response = await caller.post("/v1/orders", body)
    assert response.status_code == 201
    assert response.json()["destination"]["address"] == ADDRESS


async def test_o_03_our_own_address(front: Front, caller: Caller) -> None:
    async with front.context.db.transaction() as tx:
        await tx.execute(
            """
            INSERT INTO wallet_addresses (network, script, address, branch, index, purpose)
            VALUES ('bitcoin', $1, $2, 'change', 0, 'change')
            """,
            front.context.rails.chain("bitcoin")
            .parse("bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry")
            .script,
            "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry",
        )
    quote = await caller.quote()
    body = {
        "quote_id": quote["id"],
        "destination": {"address": "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"},
    }
    await refused(front, caller.post("/v1/orders", body), 422, "address_invalid")


@pytest.mark.parametrize("tag", [{"tag": "1"}, {"memo": "x" * 10_000}], ids=["tag", "memo"])
async def test_o_05_a_tag_where_none_is_known(front: Front, caller: Caller, tag: dict[str, str]) -> None:
    quote = await caller.quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS} | tag}
    await refused(front, caller.post("/v1/orders", body), 422, "unknown_field")


@pytest.mark.parametrize(
    "email",
    [
        "a@b\r\nBcc: c@d.example",
        "a" * 65 + "@example.com",
        "a@" + "b" * 300 + ".com",
        "a@ex\u0430mple.com",
        "\u00e4@example.com",
        "a@localhost",
        "a",
        "@example.com",
        "a@@example.com",
        "a b@example.com",
        '"a b"@example.com',
        "a@[127.0.0.1]",
        "Ada <a@example.com>",
        "a@-example.com",
        "a@example..com",
        "",
    ],
)
async def test_o_08_not_an_email(front: Front, caller: Caller, email: str) -> None:
    quote = await caller.quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}, "customer": {"email": email}}
    response = await refused(front, caller.post("/v1/orders", body), 422, "validation_failed")
    assert pointers(response) == ["/customer/email"]


async def test_o_10_cancel_twice(front: Front, caller: Caller) -> None:
    order = await caller.order()
    first = await caller.post(f"/v1/orders/{order['id']}/cancel", {})
    assert (first.status_code, first.json()["status"], first.json()["sequence"]) == (200, "canceled", 2)
    again = await caller.post(f"/v1/orders/{order['id']}/cancel")
    assert (again.status_code, again.json()["status"], again.json()["sequence"]) == (200, "canceled", 2)
    async with front.context.db.connection() as connection:
        moves = await connection.fetchval("SELECT count(*) FROM transitions WHERE order_id = $1", order["id"])
    assert moves == 2


async def test_o_10_cancel_an_expired_order(front: Front, caller: Caller) -> None:
    order = await caller.order()
    async with front.context.db.transaction() as tx:
        await orders.expire(tx, str(order["id"]))
    sending = caller.post(f"/v1/orders/{order['id']}/cancel", {})
    response = await refused(front, sending, 409, "conflict_state", kept=True)
    assert response.json()["state"]["current"] == "expired"


async def test_o_10_cancel_a_paid_order(front: Front, caller: Caller) -> None:
    order = await paid_order(front, caller)
    response = await refused(
        front, caller.post(f"/v1/orders/{order['id']}/cancel", {}), 409, "conflict_state", kept=True
    )
    assert "refund_requested" in response.json()["state"]["allowed"]


@pytest.mark.parametrize(
    ("amount", "code", "kept"),
    [
        ("100.01", "insufficient_balance", True),
        ("1000000.00", "insufficient_balance", True),
        ("0", "validation_failed", False),
        ("0.00", "validation_failed", False),
        ("-1", "validation_failed", False),
        ("10.001", "validation_failed", False),
        ("1e2", "validation_failed", False),
        ("", "validation_failed", False),
        (10, "validation_failed", False),
    ],
)
async def test_o_11_a_refund_that_cannot_be(
    front: Front, caller: Caller, amount: object, code: str, kept: bool
) -> None:
    order = await paid_order(front, caller)
    sending = caller.post(f"/v1/orders/{order['id']}/refund", {"amount": amount})
    response = await refused(front, sending, 422, code, kept=kept)
    assert pointers(response) == ["/amount"]


async def test_o_11_a_refund_in_another_currency(front: Front, caller: Caller) -> None:
    order = await paid_order(front, caller)
    for body in ({"amount": {"asset": "USD", "amount": "1.00"}}, {"amount": "1.00", "asset": "USD"}):
        response = await caller.post(f"/v1/orders/{order['id']}/refund", body)
        assert (response.status_code, response.json()["code"] in {"validation_failed", "unknown_field"}) == (422, True)


async def test_o_11_a_refund_before_anything_was_paid(front: Front, caller: Caller) -> None:
    order = await caller.order()
    await refused(front, caller.post(f"/v1/orders/{order['id']}/refund", {}), 409, "conflict_state", kept=True)


async def test_o_11_a_refund_while_delivering(front: Front, caller: Caller) -> None:
    order = await paid_order(front, caller)
    async with front.context.db.transaction() as tx:
        await tx.execute("UPDATE orders SET state = 'sending' WHERE id = $1", order["id"])
    await refused(front, caller.post(f"/v1/orders/{order['id']}/refund", {}), 409, "conflict_state", kept=True)


async def test_o_11_refunds_add_up_to_what_was_paid(front: Front, caller: Caller) -> None:
    order = await paid_order(front, caller)
    path = f"/v1/orders/{order['id']}/refund"
    first = await caller.post(path, {"amount": "60.00"})
    assert (first.status_code, first.json()["status"]) == (200, "refunding")
    await refused(front, caller.post(path, {"amount": "40.01"}), 422, "insufficient_balance", kept=True)
    assert (await caller.post(path, {"amount": "40.00"})).status_code == 200
    await refused(front, caller.post(path), 409, "conflict_state", kept=True)


async def test_o_13_nothing_expands(front: Front, caller: Caller) -> None:
    order = await caller.order()
    for query in ("expand[]=quote", "expand[]=" + "&expand[]=".join("abc"), "expand=quote.order.quote"):
        await refused(front, caller.get(f"/v1/orders/{order['id']}?{query}"), 422, "unknown_field")


async def test_the_timeline_and_the_ledger(front: Front, caller: Caller) -> None:
    order = await paid_order(front, caller)
    moves = (await caller.get(f"/v1/orders/{order['id']}/timeline")).json()
    assert [(move["source"], move["trigger"], move["target"]) for move in moves["data"]] == [
        ("created", "placed", "awaiting_payment"),
        ("awaiting_payment", "payment_captured", "paid"),
    ]
    lines = (await caller.get(f"/v1/orders/{order['id']}/ledger")).json()
    assert [(line["account"], line["asset"], line["amount"]) for line in lines["data"]] == [
        ("psp:stripe", "EUR", "100.00"),
        (f"order:{order['id']}", "EUR", "-100.00"),
    ]


async def test_an_order_that_moved_has_another_tag(front: Front, caller: Caller) -> None:
    order = await caller.order()
    path = f"/v1/orders/{order['id']}"
    tag = (await caller.get(path)).headers["etag"]
    same = await caller.get(path, **{"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    async with front.context.db.transaction() as tx:
        assert await order_rows.lock(tx, str(order["id"])) is not None
        await orders.expire(tx, str(order["id"]))
    moved = await caller.get(path, **{"If-None-Match": tag})
    assert (moved.status_code, moved.json()["sequence"]) == (200, 2)
    assert moved.headers["etag"].startswith('"2-')
