"""Client secrets of widget sessions: short-lived JSON Web Tokens (RFC 7519) under keys of our own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from app.db.sessions import Session
from app.domain.errors import SessionExpired

AUDIENCE: Final = "widget"
_ALGORITHMS: Final = ["HS256"]  # and no other: what a token says of itself decides nothing
_SHORTEST_KEY: Final = 32  # bytes: as long as what HS256 makes of it, RFC 7518 section 3.2


@dataclass(frozen=True, slots=True)
class Secret:
    """What a good client secret says: whose session, and which secret of it."""

    session_id: str
    token_id: str


class SessionTokens:
    """Signs with the first key and believes any of them, so that keys can be rolled."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` are at least 32 random bytes each, newest first; raises ValueError for shorter ones, or none."""
        if not keys or any(len(key) < _SHORTEST_KEY for key in keys):
            raise ValueError(f"a session key has {_SHORTEST_KEY} bytes at least")
        self._keys = [OctKey.import_key(key) for key in keys]

    @classmethod
    def read(cls, text: str) -> SessionTokens:
        """From a file's text: a key in hex a line; raises ValueError."""
        return cls([bytes.fromhex(line) for line in text.split()])

    def sign(self, session: Session) -> str:
        """The session's client secret: the same every time, for nothing in it is made here."""
        claims = {
            "aud": AUDIENCE,
            "sub": session.id,
            "jti": session.token_id,
            "iat": int(session.created_at.timestamp()),
            "exp": int(session.expires_at.timestamp()),
        }
        return jwt.encode({"alg": "HS256"}, claims, self._keys[0], algorithms=_ALGORITHMS)

    def open(self, client_secret: str, now: datetime) -> Secret:
        """Read a client secret; raises SessionExpired for one that is not ours, was changed, or is too old."""
        expected = jwt.JWTClaimsRegistry(
            int(now.timestamp()),
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            jti={"essential": True},
            exp={"essential": True},
        )
        for key in self._keys:
            try:
                claims = jwt.decode(client_secret, key, algorithms=_ALGORITHMS).claims
                expected.validate(claims)
            except (JoseError, ValueError):
                continue
            return Secret(claims["sub"], claims["jti"])
        raise SessionExpired


def hash_of(credential: str) -> bytes:
    """What is stored of a browser's credential. A fast hash is right for a secret of 256 random bits."""
    return hashlib.sha256(credential.encode()).digest()
