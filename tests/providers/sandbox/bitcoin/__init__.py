"""The regtest node: bytes, mempool, reorganisations, crashes and its wire."""
