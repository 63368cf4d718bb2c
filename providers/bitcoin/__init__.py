"""The Bitcoin rail: keys and signatures by bitcoinlib, the chain by any Bitcoin Core compatible node.

Read `rail.py` first, then `building.py` (what a transaction looks like and costs) and `wallet.py` (the keys).
The import below must come before bitcoinlib's; standing here, it runs before every module of this folder.
"""

import providers.bitcoin.containment  # noqa: F401  (imported for what it does)
