"""The policy's file: read as it is written, refused where it is not understood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.signer.policy import DEVELOPMENT, Policy, PolicyError, parse_policy, read_policy, write_policy
from app.signer.program import keys_of
from tests.signer.vaults import POLICY, SEED, Rig

LIMIT = {"per_send": 1, "per_hour": 2, "per_day": 3}
NETWORK = {"chain": "main", "most_fee": 5, "limits": {"BTC.bitcoin": LIMIT}}


@pytest.mark.parametrize("policy", [POLICY, DEVELOPMENT, {}], ids=["tests", "development", "nothing"])
def test_what_is_written_is_read(policy: Policy) -> None:
    assert parse_policy(write_policy(policy)) == policy


def test_every_network_of_development_has_keys() -> None:
    assert set(keys_of(SEED, DEVELOPMENT).public()) == set(DEVELOPMENT)


WRONG: dict[str, object] = {
    "not an object": [],
    "without a version": {"networks": {}},
    "another version": {"version": 2, "networks": {}},
    "a word too many": {"version": 1, "networks": {}, "allow": "everything"},
    "without a fee cap": {"version": 1, "networks": {"bitcoin": {"chain": "main", "limits": {}}}},
    "a limit that is not whole": {
        "version": 1,
        "networks": {"bitcoin": NETWORK | {"limits": {"BTC.bitcoin": LIMIT | {"per_day": 1.5}}}},
    },
    "a limit in words": {
        "version": 1,
        "networks": {"bitcoin": NETWORK | {"limits": {"BTC.bitcoin": LIMIT | {"per_day": "3"}}}},
    },
    "a limit below nothing": {
        "version": 1,
        "networks": {"bitcoin": NETWORK | {"limits": {"BTC.bitcoin": LIMIT | {"per_hour": -1}}}},
    },
    "a limit left out": {"version": 1, "networks": {"bitcoin": NETWORK | {"limits": {"BTC.bitcoin": {"per_day": 3}}}}},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_not_understood_is_refused(wrong: object) -> None:
    with pytest.raises(PolicyError):
        parse_policy(json.dumps(wrong).encode())


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"null"])
def test_what_is_no_policy_is_refused(text: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(text)


def test_without_a_file_there_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        read_policy(tmp_path / "policy.json")


@pytest.mark.parametrize(("name", "chain"), [("bitcoin", "moon"), ("dogecoin", "main"), ("ethereum", "0")])
def test_a_network_that_is_not_known_is_refused(name: str, chain: str) -> None:
    policy = parse_policy(json.dumps({"version": 1, "networks": {name: NETWORK | {"chain": chain}}}).encode())
    with pytest.raises(PolicyError, match=name):
        keys_of(SEED, policy)


def test_a_cold_address_of_another_network_is_refused(rig: Rig) -> None:
    cold = {"cold": ["bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"]}
    network = {"chain": "regtest", "most_fee": 5, "limits": {}} | cold
    rig.policy = parse_policy(json.dumps({"version": 1, "networks": {"bitcoin": network}}).encode())
    with pytest.raises(PolicyError, match="cold address"):
        rig.open()
