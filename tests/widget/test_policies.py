"""S-01, S-03, S-06: the policy of each page, as a text that browsers read."""

from __future__ import annotations

import pytest

from app.widget import policy
from tests.widget.pages import SHOP, directives

STRIPE = {
    "script-src": {"https://js.stripe.com", "https://*.js.stripe.com"},
    "frame-src": {"https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"},
    "connect-src": {"https://api.stripe.com"},
}


def test_the_checkout_loads_from_itself_only() -> None:
    assert directives(policy.checkout([SHOP], stripe=False)) == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
        "worker-src": ["'none'"],
        "frame-ancestors": [SHOP],
        "report-uri": [policy.REPORTS_PATH],
        "report-to": ["csp"],
    }


def test_stripe_is_let_in_where_cards_are_paid_with_it_and_nobody_else() -> None:
    without = directives(policy.checkout([SHOP], stripe=False))
    added = {
        name: set(sources) - set(without.get(name, []))
        for name, sources in directives(policy.checkout([SHOP], stripe=True)).items()
    }
    assert {name: sources for name, sources in added.items() if sources} == STRIPE


def test_s_03_the_ancestors_are_exactly_the_session_s() -> None:
    origins = [SHOP, "https://other.example.com:8443", "http://127.0.0.1:9000", "http://localhost:3000"]
    assert directives(policy.checkout(origins, stripe=False))["frame-ancestors"] == origins


def test_s_03_without_origins_nobody_may_frame_it() -> None:
    assert directives(policy.checkout([], stripe=True))["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "'self'",
        "null",
        "https:",
        "https://*",
        "https://*.example.com",
        "https://shop.example.com/path",
        "https://shop.example.com https://evil.example",
        "https://shop.example.com; script-src *",
        "https://shop.example.com\r\nX-Other: 1",
        "https://shop.example.com\n",
        "https://SHOP.example.com",
        "https://a:b@evil.example",
        "data:",
        "",
    ],
)
def test_s_01_what_is_no_origin_never_gets_into_the_header(origin: str) -> None:
    """The session's own validation refuses them already; the header does not rely on it."""
    assert directives(policy.checkout([origin, SHOP], stripe=False))["frame-ancestors"] == [SHOP]
    assert directives(policy.checkout([origin], stripe=False))["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("text", [policy.PLAYGROUND, policy.MISSING, policy.checkout([SHOP], stripe=True)])
def test_s_06_nothing_inline_and_nothing_evaluated(text: str) -> None:
    assert "unsafe" not in text
    assert "nonce" not in text
    read = directives(text)
    assert read["default-src"] == ["'none'"]
    assert read["base-uri"] == ["'none'"]
    assert not {"*", "https:", "http:", "blob:"} & {source for sources in read.values() for source in sources}


def test_stripe_s_form_may_ask_for_payment_where_it_is() -> None:
    assert "payment=(self)" in policy.PERMISSIONS
    assert 'payment=(self "https://js.stripe.com")' in policy.STRIPE_PERMISSIONS
