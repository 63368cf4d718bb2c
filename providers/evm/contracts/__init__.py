"""The contracts of ours, as the compiler made them: `Disperse` for batches, `TestUSDC` for chains of play money.

The sources stand beside; `compile.mjs` makes the artefacts anew, and the tests hold the two against each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from providers.evm.encoding import WORD, create2_script

# A contract without an owner that stands at this address on nearly every EVM chain, anvil's included. Called with 32
# bytes of salt and a contract's creation code, it makes that contract
# (github.com/Arachnid/deterministic-deployment-proxy).
DEPLOYER: Final = "4e59b44847b379578588920ca78fbf26c0b4956c"
_SALT: Final = bytes(WORD)


@dataclass(frozen=True, slots=True)
class Artefact:
    """A compiled contract. `metadata` is the compiler's own text, whose hash stands at the end of the code."""

    contract: str
    source: str
    compiler: str
    metadata: str
    creation_code: bytes
    runtime_code: bytes


@cache
def artefact(contract: str) -> Artefact:
    """Read the artefact of a contract."""
    return read_artefact(resources.files(__name__).joinpath(f"{contract}.json").read_bytes())


def read_artefact(content: bytes) -> Artefact:
    """Read what `compile.mjs` wrote."""
    fields: dict[str, str] = json.loads(content)
    return Artefact(
        contract=fields["contract"],
        source=fields["source"],
        compiler=fields["compiler"],
        metadata=fields["metadata"],
        creation_code=_code(fields["creation_code"]),
        runtime_code=_code(fields["runtime_code"]),
    )


@cache
def disperse_script() -> str:
    """Where `Disperse` stands, on every chain: the address follows from its code."""
    return create2_script(DEPLOYER, _SALT, artefact("Disperse").creation_code)


def deployment() -> bytes:
    """What to send to DEPLOYER, from any account, so that `Disperse` comes to stand where it belongs."""
    return _SALT + artefact("Disperse").creation_code


def _code(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
