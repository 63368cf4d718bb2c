"""eth-account, the only module that imports it: py_ecc, which it brings, lets Python recurse 100,000 deep.

At that depth a text of nested brackets, given to a JSON parser, ends the whole process where it should be an error.
"""

from __future__ import annotations

import sys

_limit = sys.getrecursionlimit()
from eth_account import Account  # noqa: E402 - the limit is read before
from eth_account.hdaccount import seed_from_mnemonic  # noqa: E402 - the limit is read before
from eth_account.signers.local import LocalAccount  # noqa: E402 - the limit is read before

sys.setrecursionlimit(_limit)

__all__ = ["Account", "LocalAccount", "seed_from_mnemonic"]
