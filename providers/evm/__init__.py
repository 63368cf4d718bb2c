"""The EVM rail: keys and signatures by eth-account, the chain by any node that speaks Ethereum's JSON-RPC.

Read `rail.py` first, then `calls.py` (what a transaction of ours looks like), `wallet.py` (the keys) and `blocks.py`
(what a block tells us). The two contracts in `contracts/` are compiled by a script that stands beside them.
"""
