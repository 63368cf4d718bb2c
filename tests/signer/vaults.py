"""A vault to sign with in tests: a known wallet, small limits, a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.domain.intent import Intent, IntentKeys
from app.ports.chain import Address, Branch, CoinInput, Recipient
from app.signer.places import Folder
from app.signer.policy import Limit, NetworkPolicy, Policy
from app.signer.program import keys_of, open_vault
from app.signer.vault import Vault
from providers.bitcoin.layout import TransactionLayout, read_transaction
from providers.bitcoin.networks import REGTEST
from providers.bitcoin.scripts import ScriptKind, script_of
from providers.bitcoin.signer import Draft
from providers.bitcoin.wallet import Wallet

SEED = bytes(range(64))
KEYS = IntentKeys([b"k" * 32])
WALLET = Wallet(SEED, REGTEST)
THEIRS = script_of(ScriptKind.P2WPKH, b"\x03" * 20)
THIEF = script_of(ScriptKind.P2WPKH, b"\x66" * 20)
COLD = Wallet(b"\x11" * 64, REGTEST).address(Branch.RECEIVE, 0)
FEE = 1_000
BITCOIN = NetworkPolicy(
    "regtest",
    5_000,
    {"BTC.bitcoin": Limit(per_send=100_000, per_hour=250_000, per_day=400_000)},
    frozenset({COLD.text}),
)
POLICY: Policy = {"bitcoin": BITCOIN}


@dataclass
class Clock:
    """Seconds since 1970, as the test says."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Rig:
    """A signer's folder, opened as often as it takes."""

    folder: Path
    policy: Policy = field(default_factory=lambda: POLICY)
    clock: Clock = field(default_factory=Clock)

    def open(self) -> Vault:
        """The vault, as after a start of the program."""
        return open_vault(Folder(self.folder), keys_of(SEED, self.policy), self.policy, KEYS, clock=self.clock)


def agreed(subject: str, units: int, script: str = THEIRS) -> Recipient:
    """A recipient as somebody agreed to it."""
    seal = KEYS.seal(subject, network="bitcoin", asset="BTC.bitcoin", script=script, units=units)
    return Recipient(script, units, Intent(subject, "BTC.bitcoin", seal))


def coin(number: int, units: int = 200_000) -> CoinInput:
    """A coin of ours."""
    return CoinInput(f"{number:064x}", 0, units, Branch.RECEIVE, number % 16)


def change(index: int = 0) -> Address:
    """A change address of ours."""
    return WALLET.address(Branch.CHANGE, index)


def draft(
    recipients: Sequence[Recipient], coins: Sequence[CoinInput] = (), *, fee: int = FEE, back: Address | None = None
) -> Draft:
    """A transaction that pays these and gives the rest back to us; it is sound in every way."""
    spent = tuple(coins) or (coin(1),)
    to = back or change()
    rest = sum(each.amount for each in spent) - sum(each.amount for each in recipients) - fee
    outputs = (*recipients, Recipient(to.script, rest)) if rest > 0 else tuple(recipients)
    return Draft(spent, outputs, (to,) if rest > 0 else ())


def paid(raw: bytes) -> TransactionLayout:
    """What signed bytes say."""
    return read_transaction(raw)
