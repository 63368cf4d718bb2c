"""The signer's policy: what may be signed at all. Whatever no rule allows is refused.

It is a JSON file of the operator's that only the signer reads. For each network: which chain it is (`main`, `regtest`,
or the EVM chain id), the highest fee of one transaction in the network's own coin, the operator's own cold addresses,
and for each asset how much may leave in one send, in an hour and in a day, all in smallest units.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.errors import RampwrightError

_MOST_BYTES: Final = 1_000_000


class PolicyError(RampwrightError):
    """The policy cannot be read; the message says where it is wrong."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of an asset may leave, in smallest units."""

    per_send: int
    per_hour: int
    per_day: int


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What may be signed on one network. `cold` are addresses of the operator's own, to which any amount may go."""

    chain: str
    most_fee: int
    limits: Mapping[str, Limit]
    cold: frozenset[str] = frozenset()


Policy = Mapping[str, NetworkPolicy]

# For development: chains of one's own, whose coins are worth nothing.
DEVELOPMENT: Final[Policy] = {
    "bitcoin": NetworkPolicy("regtest", 5_000_000, {"BTC.bitcoin": Limit(10**10, 10**12, 10**13)}),
    "litecoin": NetworkPolicy("regtest", 10**8, {"LTC.litecoin": Limit(10**12, 10**14, 10**15)}),
    "ethereum": NetworkPolicy(
        "31337",
        10**18,
        {"ETH.ethereum": Limit(10**21, 10**23, 10**24), "USDC.ethereum": Limit(10**12, 10**14, 10**15)},
    ),
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Limit(_Strict):
    per_send: int = Field(ge=0)
    per_hour: int = Field(ge=0)
    per_day: int = Field(ge=0)


class _Network(_Strict):
    chain: str
    most_fee: int = Field(ge=0)
    limits: dict[str, _Limit]
    cold: list[str] = []


class _File(_Strict):
    version: int = Field(ge=1, le=1)
    networks: dict[str, _Network]


def read_policy(path: Path) -> Policy:
    """The policy in a file; raises PolicyError."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES)
    except OSError as error:
        raise PolicyError(f"the signer's policy cannot be read: {error}") from None
    return parse_policy(text)


def parse_policy(text: bytes) -> Policy:
    """The policy in a text; raises PolicyError."""
    try:
        found = _File.model_validate_json(text)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise PolicyError(f"the signer's policy is wrong: {places}") from None
    return {
        name: NetworkPolicy(
            chain=network.chain,
            most_fee=network.most_fee,
            limits={asset: Limit(**limit.model_dump()) for asset, limit in network.limits.items()},
            cold=frozenset(network.cold),
        )
        for name, network in found.networks.items()
    }


def write_policy(policy: Policy) -> bytes:
    """The text of a policy, as `parse_policy` reads it."""
    networks = {
        name: {
            "chain": network.chain,
            "most_fee": network.most_fee,
            "limits": {
                asset: {"per_send": limit.per_send, "per_hour": limit.per_hour, "per_day": limit.per_day}
                for asset, limit in network.limits.items()
            },
            "cold": sorted(network.cold),
        }
        for name, network in policy.items()
    }
    # Not with orjson: amounts in wei are larger than what it writes.
    return json.dumps({"version": 1, "networks": networks}, indent=2).encode() + b"\n"
