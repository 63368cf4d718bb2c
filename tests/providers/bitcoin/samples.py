"""Values that several tests of the Bitcoin rail share."""

from app.ports.chain import Address, Branch, CoinInput, Recipient
from providers.bitcoin.networks import REGTEST
from providers.bitcoin.scripts import ScriptKind, script_of
from providers.bitcoin.wallet import Wallet

# The mnemonic of BIP-84's published test vectors.
MNEMONIC = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
SEED = bytes(range(64))

P2PKH = script_of(ScriptKind.P2PKH, b"\x01" * 20)
P2SH = script_of(ScriptKind.P2SH, b"\x02" * 20)
P2WPKH = script_of(ScriptKind.P2WPKH, b"\x03" * 20)
P2WSH = script_of(ScriptKind.P2WSH, b"\x04" * 32)
P2TR = script_of(ScriptKind.P2TR, b"\x05" * 32)
EVERY_KIND = (P2PKH, P2SH, P2WPKH, P2WSH, P2TR)


def regtest_wallet() -> Wallet:
    """A wallet for a chain of our own."""
    return Wallet(SEED, REGTEST)


def coin(number: int, amount: int, *, index: int | None = None, branch: Branch = Branch.RECEIVE) -> CoinInput:
    """A coin of ours that nobody ever mined."""
    return CoinInput(f"{number + 1:064x}", number % 3, amount, branch, number if index is None else index)


def change_of(wallet: Wallet, index: int = 0) -> Address:
    """A change address of the wallet."""
    return wallet.address(Branch.CHANGE, index)


def pay(amount: int, script: str = P2WPKH) -> Recipient:
    """Somebody to be paid."""
    return Recipient(script, amount)
