"""Client secrets: only ours, only unchanged, only for the widget, only in time."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.sessions import Session
from app.domain.errors import SessionExpired
from app.services.session_tokens import SessionTokens

KEY = bytes(range(32))
TOKENS = SessionTokens([KEY])
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SESSION = Session(
    id="ss_01JD0000000000000000000000",
    token_id="t-1",
    created_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
)
CLAIMS = {
    "aud": "widget",
    "sub": SESSION.id,
    "jti": "t-1",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 900,
}


def part(value: object) -> str:
    """One part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(header: object, claims: object, key: bytes = KEY, digest: str = "sha256") -> str:
    """A token by hand, signed with whatever the test likes."""
    signed = f"{part(header)}.{part(claims)}"
    signature = hmac.digest(key, signed.encode(), digest)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_ours_is_the_same_every_time_and_is_believed() -> None:
    signed = TOKENS.sign(SESSION)
    assert signed == TOKENS.sign(SESSION)
    found = TOKENS.open(signed, NOW + timedelta(minutes=14, seconds=59))
    assert (found.session_id, found.token_id) == (SESSION.id, "t-1")


def test_by_hand_is_the_same() -> None:
    assert TOKENS.open(token({"alg": "HS256", "typ": "JWT"}, CLAIMS), NOW).session_id == SESSION.id


@pytest.mark.parametrize(
    "forged",
    [
        token({"alg": "HS256"}, CLAIMS, key=bytes(32)),
        token({"alg": "HS512"}, CLAIMS, digest="sha512"),
        token({"alg": "HS384"}, CLAIMS, digest="sha384"),
        token({"alg": "none"}, CLAIMS),
        f"{part({'alg': 'none'})}.{part(CLAIMS)}.",
        f"{part({'alg': 'None'})}.{part(CLAIMS)}.",
        f"{part({'alg': ''})}.{part(CLAIMS)}.",
        token({"alg": "RS256"}, CLAIMS),
        token({}, CLAIMS),
        token({"alg": "HS256", "crit": ["b64"], "b64": False}, CLAIMS),
        token({"alg": "HS256"}, CLAIMS | {"aud": "other"}),
        token({"alg": "HS256"}, {name: value for name, value in CLAIMS.items() if name != "aud"}),
        token({"alg": "HS256"}, {name: value for name, value in CLAIMS.items() if name != "exp"}),
        token({"alg": "HS256"}, {name: value for name, value in CLAIMS.items() if name != "sub"}),
        token({"alg": "HS256"}, {name: value for name, value in CLAIMS.items() if name != "jti"}),
        token({"alg": "HS256"}, CLAIMS | {"exp": "never"}),
        token({"alg": "HS256"}, CLAIMS | {"sub": ["a"]}),
        token({"alg": "HS256"}, CLAIMS | {"sub": None}),
        token({"alg": "HS256"}, ["not", "claims"]),
        "",
        "...",
        "a.b.c",
        "é.é.é",
        TOKENS.sign(SESSION)[:-1],
        TOKENS.sign(SESSION) + "A",
        TOKENS.sign(SESSION).rpartition(".")[0],
    ],
)
def test_s_02_forged_changed_or_cut(forged: str) -> None:
    with pytest.raises(SessionExpired):
        TOKENS.open(forged, NOW)


def test_s_02_too_old() -> None:
    for late in (timedelta(minutes=15), timedelta(days=1)):
        with pytest.raises(SessionExpired):
            TOKENS.open(TOKENS.sign(SESSION), NOW + late)


@given(place=st.integers(0, len(TOKENS.sign(SESSION)) - 1), bit=st.integers(0, 6))
def test_s_02_one_bit_flipped(place: int, bit: int) -> None:
    signed = TOKENS.sign(SESSION)
    other = signed[:place] + chr(ord(signed[place]) ^ (1 << bit)) + signed[place + 1 :]
    try:
        found = TOKENS.open(other, NOW)
    except SessionExpired:
        return
    # The last character of 32 bytes in base64 has two bits that mean nothing: it is the very same signature then.
    assert place == len(signed) - 1
    assert found.session_id == SESSION.id


@given(text=st.text(max_size=200))
def test_s_02_any_text(text: str) -> None:
    with pytest.raises(SessionExpired):
        TOKENS.open(text, NOW)


def test_keys_are_rolled() -> None:
    newer = secrets.token_bytes(32)
    both = SessionTokens([newer, KEY])
    assert both.open(TOKENS.sign(SESSION), NOW).session_id == SESSION.id
    assert SessionTokens([newer]).open(both.sign(SESSION), NOW).session_id == SESSION.id
    with pytest.raises(SessionExpired):
        TOKENS.open(both.sign(SESSION), NOW)


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 31])
def test_a_key_is_long_enough(text: str) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|hexadecimal"):
        SessionTokens.read(text)
