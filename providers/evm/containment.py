"""eth-account, the only module that imports it: py_ecc, which it brings, lets Python recurse 100,000 deep.

At that depth a text of nested brackets, given to a JSON parser, ends the whole process where it should be an error.
And while it is loaded, it computes pairings for signatures that Ethereum's validators make and we never do: for half a
second, in each of our processes. Those parts of it are left out.
"""

from __future__ import annotations

import sys
from types import ModuleType

_limit = sys.getrecursionlimit()
_left_out = {"py_ecc.bls": "G2ProofOfPossession", "py_ecc.bls12_381": "curve_order"}  # and what is taken of each
for _name, _taken in _left_out.items():
    sys.modules[_name] = ModuleType(_name)
    setattr(sys.modules[_name], _taken, 0)
from eth_account import Account  # noqa: E402 - the limit is read before
from eth_account.hdaccount import seed_from_mnemonic  # noqa: E402 - the limit is read before
from eth_account.signers.local import LocalAccount  # noqa: E402 - the limit is read before

for _name in _left_out:
    del sys.modules[_name]  # whoever else asks for them gets the real ones
sys.setrecursionlimit(_limit)

__all__ = ["Account", "LocalAccount", "seed_from_mnemonic"]
