"""Sessions: origins in one spelling, and the status that the public sees."""

from __future__ import annotations

import pytest

from app.domain.order import OrderState
from app.domain.origins import is_origin, origin_of
from app.domain.session import BOUND, SessionStatus, status_of

S = SessionStatus


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example", "https://a.b-c.example:8443", "https://xn--mnchen-3ya.example", "https://x1.example"],
)
def test_an_origin(origin: str) -> None:
    assert is_origin(origin)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "null",
        "https://",
        "https://*",
        "https://*.shop.example",
        "http://shop.example",
        "https://shop.example/",
        "https://shop.example/path",
        "https://shop.example?x",
        "https://shop.example#x",
        "https://user@shop.example",
        "https://Shop.example",
        "https://shop.example:443",
        "https://shop.example:0",
        "https://shop.example:65536",
        "https://shop.example.",
        "https://shop..example",
        "https://-shop.example",
        "https://shop",
        "https://127.0.0.1",
        "https://[::1]",
        "https://münchen.example",
        "https://shop.example ",
        "https://shop.example; script-src *",
        "https://shop.example\nhttps://evil.example",
        "HTTPS://shop.example",
        "ftp://shop.example",
        "javascript://shop.example",
        "//shop.example",
        "https://shop.example,https://evil.example",
        "http://127.0.0.1:3000",
        "http://localhost:3000",
        "https://" + "a" * 250 + ".example",
    ],
)
def test_s_01_no_origin(text: str) -> None:
    assert not is_origin(text)


def test_loopback_is_for_development() -> None:
    for origin in ("http://127.0.0.1:3000", "http://localhost:8000"):
        assert is_origin(origin, allow_loopback=True)
    for text in (
        "http://127.0.0.1",
        "http://localhost.evil.example:80",
        "http://127.0.0.2:80",
        "http://shop.example:80",
    ):
        assert not is_origin(text, allow_loopback=True)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example/thanks?order=1&x=%20", "https://shop.example"),
        ("https://shop.example:8443?x=1/2", "https://shop.example:8443"),
        ("https://shop.example.evil.example/", "https://shop.example.evil.example"),
        ("https://shop.example@evil.example/", None),
        ("https://evil.example\\@shop.example/", None),
        ("https://shop.example/#fragment", None),
        ("https://shop.example/<script>", None),
        ('https://shop.example/"onload=', None),
        ("https://shop.example/a b", None),
        ("javascript:alert(1)//https://shop.example", None),
        ("data:text/html,x", None),
        ("/thanks", None),
        ("https://shop.example/" + "a" * 2048, None),
    ],
)
def test_where_a_customer_is_sent_back_to(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("stored", "over", "order", "shown"),
    [
        ("created", False, None, S.CREATED),
        ("created", True, None, S.EXPIRED),
        ("opened", True, None, S.EXPIRED),
        ("revoked", True, None, S.REVOKED),
        ("revoked", False, OrderState.PAID, S.REVOKED),
        ("ordered", False, OrderState.AWAITING_PAYMENT, S.ORDERED),
        ("ordered", True, OrderState.PAID, S.ORDERED),
        ("ordered", True, OrderState.REFUNDED, S.ORDERED),
        ("ordered", True, OrderState.COMPLETED, S.COMPLETED),
        ("ordered", False, OrderState.CANCELED, S.OPENED),
        ("ordered", True, OrderState.EXPIRED, S.EXPIRED),
        ("expired", True, None, S.EXPIRED),
    ],
)
def test_what_the_public_sees(stored: str, over: bool, order: OrderState | None, shown: SessionStatus) -> None:
    assert status_of(stored, over=over, order=order) is shown


def test_s_05_the_names_of_what_is_bound() -> None:
    assert {"source", "destination", "asset", "memo", "partner_id", "partner_fee_bps", "direction"} <= BOUND
    assert BOUND.isdisjoint({"amount", "address", "payment_method", "quote_id", "bank", "refund_address", "side"})
