"""Other people's addresses on EVM chains: which we pay to."""

from __future__ import annotations

import re
from typing import Final

from app.domain.errors import AddressInvalid
from app.ports.chain import Destination
from providers.evm.contracts import DEPLOYER, disperse_script
from providers.evm.encoding import address_text
from providers.evm.networks import EvmNetwork

_ADDRESS: Final = re.compile(r"0x([0-9a-fA-F]{40})", re.ASCII)
# Below this stand only the zero address and contracts that are built into the chain, today's and those to come.
_BUILT_IN: Final = 1 << 16
# Nobody has the keys of these; people send there what they want to destroy.
_BURN: Final = frozenset(
    {
        "000000000000000000000000000000000000dead",
        "dead000000000000000000000000000000000000",
        "deaddeaddeaddeaddeaddeaddeaddeaddeaddead",
        "dead000000000000000042069420694206942069",
        "ffffffffffffffffffffffffffffffffffffffff",
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",  # how many programs write "the chain's own coin"
    }
)
# System contracts of Ethereum (EIP-4788, EIP-2935, EIP-7002, EIP-7251) and the one that makes others: they keep coins.
_SYSTEM: Final = frozenset(
    {
        "000f3df6d732807ef1319fb7b8bb8522d0beac02",
        "0000f90827f1c53a10cb7a02335b175320002935",
        "00000961ef480eb55e80d19ad83579a64c007002",
        "0000bbddc7ce488642fb579f8b00f3a590007251",
        "00000000219ab540356cbb839cbe05303d7705fa",  # the deposit contract of the beacon chain
        DEPLOYER,
    }
)


class EvmAddresses:
    """The address rules of one network. All EVM networks write addresses alike: none can be told by its text."""

    def __init__(self, network: EvmNetwork) -> None:
        """Refuse this network's own contracts, besides what is refused everywhere."""
        self._contracts = {token.contract for token in network.tokens} | {disperse_script()}

    def parse(self, text: str) -> Destination:
        """Check an address; raises AddressInvalid.

        An address in mixed case carries a checksum, which must be right (EIP-55); one in all lower or all upper case
        carries none. The text itself is never repeated in an error: people paste private keys into address fields.
        """
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise AddressInvalid
        digits, script = match[1], match[1].lower()
        normal = address_text(script)
        if digits not in (script, script.upper()) and text != normal:
            raise AddressInvalid("The address has a wrong checksum: one of its characters is not right.")
        if int(script, 16) < _BUILT_IN or script in _BURN:
            raise AddressInvalid("Coins sent to this address could never be spent.")
        if script in self._contracts or script in _SYSTEM:
            raise AddressInvalid("This is the address of a contract that would keep the coins.")
        return Destination(normal, script)
