"""Says how the disperse contract comes to stand on a chain: a transaction that any account may send, once."""

from __future__ import annotations

import sys

from providers.evm.contracts import DEPLOYER, deployment, disperse_script
from providers.evm.encoding import address_text


def main() -> None:
    """Print where the contract will stand, and the transaction that puts it there."""
    sys.stdout.write(
        f"The contract will stand at {address_text(disperse_script())}.\n"
        f"Send a transaction of no coins to {address_text(DEPLOYER)}, with 600,000 gas and this data:\n"
        f"0x{deployment().hex()}\n"
    )


if __name__ == "__main__":
    main()
