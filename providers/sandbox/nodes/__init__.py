"""Real nodes for development and tests: anvil for Ethereum, and litecoind or bitcoind for the coins like Bitcoin.

`install.py` brings them, `places.py` says where they are, `anvil.py` and `core.py` run them on free ports.
"""
