"""Examples of widget sessions, for the reference."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.schemas.base import Request, Resource
from app.schemas.session_page import (
    ExchangeIn,
    SessionAddressIn,
    SessionAddressOut,
    SessionAuthenticateIn,
    SessionOrderIn,
    SessionPayIn,
    SessionQuoteIn,
    SessionViewOut,
    TestPaymentOut,
)
from app.schemas.sessions import SessionIn, SessionList, SessionOut, SessionWithSecretOut

Example = dict[str, JsonValue]

_ULID: Final = "01JD0000000000000000000000"
_AT: Final = "2026-11-01T12:00:00.000000Z"
_LATER: Final = "2026-11-01T12:15:00.000000Z"
_ADDRESS: Final = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
_SECRET: Final = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.signature"  # noqa: S105 - it says so
_SOURCE: Final[Example] = {"asset": "EUR", "amount": "100.00"}
_DESTINATION: Final[Example] = {"asset": "BTC", "network": "bitcoin", "address": _ADDRESS}
_ORIGINS: Final[list[JsonValue]] = ["https://shop.example"]
_THEME: Final[Example] = {"mode": "auto", "accent": "#0a7c55", "radius": 12, "font": "system"}
_SEEN: Final[Example] = {
    "id": f"ss_{_ULID}",
    "direction": "buy",
    "source": _SOURCE,
    "destination": _DESTINATION,
    "refund_address": None,
    "payment_method": "card",
    "customer": {"reference": "u-17"},
    "locale": "de",
    "theme": _THEME,
    "allowed_origins": _ORIGINS,
    "return_url": "https://shop.example/thanks",
    "expires_at": _LATER,
    "livemode": False,
}
_SESSION: Final[Example] = {
    **_SEEN,
    "sequence": 1,
    "status": "created",
    "country": None,
    "external_account_id": None,
    "external_id": "inv-42",
    "metadata": {"cart": "9"},
    "order_id": None,
    "revoked_reason": None,
    "opened_at": None,
    "revoked_at": None,
    "created_at": _AT,
    "updated_at": _AT,
}

RESOURCES: Final[dict[type[Resource], Example]] = {
    SessionOut: _SESSION,
    SessionList: {"data": [_SESSION]},
    SessionWithSecretOut: {
        **_SESSION,
        "url": f"https://ramp.example/w/ss_{_ULID}#{_SECRET}",
        "client_secret": _SECRET,
    },
    SessionViewOut: {
        **_SEEN,
        "status": "opened",
        "now": _AT,
        "opened_at": _AT,
        "partner": {"name": "Shop"},
        "external_account": None,
        "limits": {"min": "1.00", "max": "1000000.00", "asset": "EUR"},
        "payment_methods": ["card"],
        "assets": {
            "EUR": {"name": "Euro", "decimals": 2, "symbol": "€"},
            "BTC@bitcoin": {"name": "Bitcoin", "decimals": 8, "network_name": "Bitcoin"},
        },
        "checkout": {"kind": "stripe", "publishable_key": "pk_test_example", "payment_methods": []},
        "confirm_in_window": False,
        "explorer": "https://mempool.space/tx/{tx_hash}",
        "confirmations_needed": 2,
        "quote": None,
        "order": None,
        "deposit": None,
        "timeline": [],
    },
    SessionAddressOut: {"valid": True, "normalised": _ADDRESS, "look_alike": False},
    TestPaymentOut: {"status": "declined", "code": "insufficient_funds"},
}
REQUESTS: Final[dict[type[Request], Example]] = {
    SessionIn: {
        "direction": "buy",
        "source": _SOURCE,
        "destination": _DESTINATION,
        "payment_method": "card",
        "external_id": "inv-42",
        "customer": {"reference": "u-17"},
        "metadata": {"cart": "9"},
        "locale": "de",
        "theme": {"accent": "#0a7c55", "radius": 12},
        "allowed_origins": _ORIGINS,
        "return_url": "https://shop.example/thanks",
    },
    ExchangeIn: {"client_secret": _SECRET, "credential": "rmp_ws_test_" + "A" * 43},
    SessionQuoteIn: {"amount": "100.00", "side": "source"},
    SessionAddressIn: {"address": _ADDRESS},
    SessionOrderIn: {"quote_id": f"qt_{_ULID}", "address": _ADDRESS},
    SessionPayIn: {"payment_method": "pm_card_visa"},
    SessionAuthenticateIn: {"outcome": "succeeded"},
}
