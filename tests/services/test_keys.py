"""API keys: their form, their checksum, and that only the hash is kept."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.database import Database
from app.db.partners import find_caller, insert_partner
from app.services import keys


@pytest.mark.parametrize("mode", ["test", "live"])
def test_the_form_of_a_key(mode: str) -> None:
    made = keys.new_key(mode)
    assert re.fullmatch(f"rmp_sk_{mode}_[0-9A-Za-z]{{49}}", made.key)
    assert keys.mode_of(made.key) == mode
    assert made.hash == hashlib.sha256(made.key.encode()).digest()
    assert made.hint.endswith(made.key[-4:])
    assert len(made.hint) < 20
    assert made.key not in repr(made)


def test_keys_are_not_repeated() -> None:
    assert len({keys.new_key("test").key for _ in range(100)}) == 100


@given(st.integers(min_value=0, max_value=60), st.sampled_from("0123456789abcXYZ_- "))
def test_a_typing_error_is_seen(place: int, character: str) -> None:
    key = keys.new_key("test").key
    typo = key[:place] + character + key[place + 1 :]
    assert typo == key or keys.mode_of(typo) is None


@pytest.mark.parametrize(
    "text", ["", "rmp_sk_test_", "rmp_sk_test_" + "0" * 49, "sk_test_123", "rmp_pk_test_" + "a" * 49]
)
def test_not_a_key(text: str) -> None:
    assert keys.mode_of(text) is None


async def test_a_key_is_kept_as_its_hash_and_can_be_revoked(db: Database) -> None:
    async with db.transaction() as tx:
        await insert_partner(tx, "pt_1", "Partner")
    key_id, key = await keys.issue(db, "pt_1", "test", ["orders:*"])
    caller = await find_caller(db, keys.hash_of(key))
    assert caller is not None
    assert (caller.partner_id, caller.scopes, caller.revoked) == ("pt_1", {"orders:*"}, False)
    async with db.connection() as connection:
        stored = await connection.fetchval("SELECT string_agg(api_keys::text, '') FROM api_keys")
    assert key not in stored
    assert key[12:] not in stored
    assert await keys.revoke(db, key_id)
    assert not await keys.revoke(db, key_id)
    revoked = await find_caller(db, keys.hash_of(key))
    assert revoked is not None
    assert revoked.revoked
