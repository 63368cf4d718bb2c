"""Intents: a seal fits exactly one send, and only who has a key can make one."""

from __future__ import annotations

import pytest

from app.domain.intent import SEAL_SIZE, Intent, IntentKeys

NEW, OLD = b"n" * 32, b"o" * 32
SENT: dict[str, object] = {"network": "bitcoin", "asset": "BTC.bitcoin", "script": "0014aa", "units": 12_345}


def sealed(keys: IntentKeys, **changes: object) -> Intent:
    said = {"subject": "or_1"} | SENT | changes
    seal = keys.seal(
        str(said["subject"]),
        network=str(said["network"]),
        asset=str(said["asset"]),
        script=str(said["script"]),
        units=int(str(said["units"])),
    )
    return Intent("or_1", "BTC.bitcoin", seal)


def holds(keys: IntentKeys, intent: Intent) -> bool:
    return keys.verify(intent, network="bitcoin", script="0014aa", units=12_345)


def test_a_seal_holds_for_what_was_sealed() -> None:
    intent = sealed(IntentKeys([NEW]))
    assert holds(IntentKeys([NEW]), intent)
    assert len(intent.seal) == SEAL_SIZE


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "or_2"},
        {"network": "litecoin"},
        {"asset": "USDC.base"},
        {"script": "0014ab"},
        {"units": 12_346},
        {"network": "bitcoi", "asset": "nBTC.bitcoin"},  # the same letters, cut elsewhere
        {"script": "0014aa1", "units": 2_345},
    ],
    ids=str,
)
def test_a_seal_holds_for_nothing_else(change: dict[str, object]) -> None:
    assert not holds(IntentKeys([NEW]), sealed(IntentKeys([NEW]), **change))


def test_keys_are_rolled_without_breaking_a_seal() -> None:
    before = sealed(IntentKeys([OLD]))
    assert holds(IntentKeys([NEW, OLD]), before)
    assert holds(IntentKeys([NEW]), sealed(IntentKeys([NEW, OLD])))
    assert not holds(IntentKeys([NEW]), before)


def test_a_key_that_nobody_has_seals_for_nobody() -> None:
    assert not holds(IntentKeys.ephemeral(), sealed(IntentKeys.ephemeral()))


def test_keys_are_read_one_a_line_and_never_shown() -> None:
    keys = IntentKeys.read(f"{NEW.hex()}\n{OLD.hex()}\n")
    assert holds(keys, sealed(IntentKeys([OLD])))
    assert NEW.hex() not in repr(keys)


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, NEW.hex() + "\n" + "ab" * 31])
def test_keys_that_are_none_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="key for intents") as caught:
        IntentKeys.read(text)
    assert not text or text not in str(caught.value)
