"""Loads the wallet before any test module: some use bitcoinlib as a second opinion, and it must be contained first."""

import providers.bitcoin.wallet  # noqa: F401  (imported for what it does)
