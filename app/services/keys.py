"""API keys: made of 256 random bits, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.db import partners
from app.db.columns import new_id
from app.db.database import Database
from app.domain.errors import SelfApprovalForbidden

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH: Final = 43  # base62 digits that hold 256 bits
_CHECKSUM_LENGTH: Final = 6
_KEY: Final = re.compile(r"rmp_sk_(test|live)_[0-9A-Za-z]{49}")

ADMIN: Final = "admin"
MAKER: Final = "payouts:create"
CHECKER: Final = "payouts:approve"
# All that a partner's own key may do; nothing here is the operator's.
# Approving payouts is no part of it: whoever creates them has another key, or another person, approve them.
PARTNER_SCOPES: Final = (
    "quotes:*",
    "orders:*",
    MAKER,
    "payouts:read",
    "external_accounts:*",
    "deposits:*",
    "webhooks:*",
    "events:*",
    "ledger:read",
    "simulate:*",
    "sessions:*",
)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at the only moment that anybody can see it. `hint` is what may be shown of it later."""

    key: str = field(repr=False)
    hash: bytes
    hint: str


def new_key(mode: str) -> NewKey:
    """Make a key for `test` or `live`: prefix, 43 base62 digits, and a checksum that spots typing errors."""
    number = secrets.randbits(256)
    key = f"rmp_sk_{mode}_{_base62(number, _SECRET_LENGTH)}"
    key += _checksum(key)
    return NewKey(key, hash_of(key), f"rmp_sk_{mode}_…{key[-4:]}")


def mode_of(key: str) -> str | None:
    """The mode of a well-formed key with the right checksum, else None. Says nothing of whether it is known."""
    found = _KEY.fullmatch(key)
    if found is None or _checksum(key[:-_CHECKSUM_LENGTH]) != key[-_CHECKSUM_LENGTH:]:
        return None
    return found[1]


def hash_of(key: str) -> bytes:
    """What is stored of a key. A fast hash is right for a secret of 256 random bits."""
    return hashlib.sha256(key.encode()).digest()


def allows(granted: AbstractSet[str], wanted: str) -> bool:
    """Whether the granted scopes cover one: by its name, as `orders:*`, or as `*`.

    What is the operator's own, `admin:...`, is never covered by `*`: it shows every partner's money.
    """
    kind = wanted.partition(":")[0]
    return wanted in granted or f"{kind}:*" in granted or ("*" in granted and kind != ADMIN)


async def issue(
    db: Database,
    partner_id: str,
    mode: str,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
    *,
    maker_and_checker: bool = False,
) -> tuple[str, str]:
    """Give a partner a key; returns (key id, key).

    Raises SelfApprovalForbidden for one that may both create and approve payouts, unless `maker_and_checker` says
    that this is meant: even then a key approves none of its own. Raises ForeignKeyViolationError for an unknown
    partner.
    """
    granted = frozenset(PARTNER_SCOPES if scopes is None else scopes)
    if not maker_and_checker and allows(granted, MAKER) and allows(granted, CHECKER):
        raise SelfApprovalForbidden(f"One key may not have both {MAKER} and {CHECKER}.")
    made = new_key(mode)
    key_id = new_id("key")
    async with db.transaction() as tx:
        await partners.insert_key(
            tx,
            key_id=key_id,
            partner_id=partner_id,
            key_hash=made.hash,
            hint=made.hint,
            mode=mode,
            scopes=list(PARTNER_SCOPES) if scopes is None else scopes,
            expires_at=expires_at,
        )
    return key_id, made.key


async def revoke(db: Database, key_id: str) -> bool:
    """Take a key out of use at once; False when there is no such key in use."""
    async with db.transaction() as tx:
        return await partners.revoke_key(tx, key_id)


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
