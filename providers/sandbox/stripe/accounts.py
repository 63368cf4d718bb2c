"""Whose books a request is about: one account per secret key, so that parallel tests never see each other."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

_SECRET_KEY = re.compile(r"[sr]k_test_[A-Za-z0-9_]{1,200}", re.ASCII)


def account_of(secret_key: str) -> str:
    """The account that this secret key opens; the key itself is kept nowhere."""
    return "acct_" + hashlib.sha256(secret_key.encode()).hexdigest()[:16]


def account_named(text: str) -> str:
    """Read an account as controls give it: its id, or the secret key that opens it."""
    return account_of(text) if _SECRET_KEY.fullmatch(text) else text


def secret_key_in(authorization: str | None) -> str | None:
    """The key of a Bearer or Basic header (Stripe takes the user name of Basic), whatever its form."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[0] or None
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


def is_test_key(secret_key: str) -> bool:
    """Whether this has the form of a test-mode secret key; the sandbox knows no other."""
    return _SECRET_KEY.fullmatch(secret_key) is not None
