"""What the signer refuses to sign on an EVM chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.assets import ETH, USDC_ETHEREUM
from app.domain.intent import Intent
from app.domain.money import Asset
from app.ports.account_chain import FeeOffer, Transfer
from app.ports.chain import Branch
from app.signer.policy import Limit, NetworkPolicy
from app.signer.refusals import Refused, Rule
from app.signer.vault import Vault
from providers.evm.signer import CallDraft, CallKind
from tests.signer.vaults import KEYS, Rig

THEIRS, THIEF, COLD = "aa" * 20, "66" * 20, "cc" * 20
GAS = 100_000
POLICY = {
    "ethereum": NetworkPolicy(
        "31337",
        10**16,
        {"ETH.ethereum": Limit(10**18, 2 * 10**18, 3 * 10**18), "USDC.ethereum": Limit(10**9, 2 * 10**9, 3 * 10**9)},
        frozenset({"0x" + COLD.upper()}),
    )
}


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """A signer for a chain of one's own."""
    with Rig(tmp_path, POLICY).open() as opened:
        yield opened


def agreed(subject: str, units: int, asset: Asset = USDC_ETHEREUM) -> Transfer:
    """A transfer as somebody agreed to it."""
    seal = KEYS.seal(subject, network="ethereum", asset=asset.id, script=THEIRS, units=units)
    return Transfer(asset, THEIRS, units, Intent(subject, asset.id, seal))


def call(*transfers: Transfer, nonce: int = 0) -> CallDraft:
    """A payment from the hot wallet, sound in every way."""
    return CallDraft("ethereum", 31_337, CallKind.PAY, Branch.CHANGE, 0, transfers, nonce, GAS, FeeOffer(10**10, 10**9))


HONEST = agreed("po_1", 10**8)
HOSTILE: dict[str, tuple[CallDraft, Rule]] = {
    "f_94 swapped recipient": (call(replace(HONEST, recipient=THIEF)), Rule.INTENT_INVALID),
    "f_94 more than agreed": (call(replace(HONEST, units=10**8 + 1)), Rule.INTENT_INVALID),
    "f_94 another asset": (call(replace(HONEST, asset=ETH)), Rule.INTENT_INVALID),
    "f_94 without an intent": (call(replace(HONEST, intent=None)), Rule.INTENT_MISSING),
    "an extra recipient": (call(HONEST, Transfer(USDC_ETHEREUM, THIEF, 1)), Rule.INTENT_MISSING),
    "the same payout twice": (call(HONEST, HONEST), Rule.INTENT_TWICE),
    "f_99 another chain": (replace(call(HONEST), chain_id=1), Rule.NETWORK_UNKNOWN),
    "another network": (replace(call(HONEST), network="base"), Rule.NETWORK_UNKNOWN),
    "a huge fee": (replace(call(HONEST), fees=FeeOffer(10**12, 1)), Rule.FEE_TOO_HIGH),
    "more in one send than may leave": (call(agreed("po_2", 10**9 + 1)), Rule.SEND_TOO_LARGE),
    "paid from a deposit address": (replace(call(HONEST), branch=Branch.RECEIVE), Rule.MALFORMED),
    "nobody paid": (call(), Rule.MALFORMED),
    "a deposit collected by a thief": (
        replace(call(Transfer(USDC_ETHEREUM, THIEF, 1)), kind=CallKind.COLLECT, branch=Branch.RECEIVE, index=3),
        Rule.CHANGE_FOREIGN,
    ),
    "the hot wallet collected": (
        replace(call(Transfer(USDC_ETHEREUM, THIEF, 1)), kind=CallKind.COLLECT),
        Rule.MALFORMED,
    ),
    "a cancellation that pays": (replace(call(HONEST), kind=CallKind.CANCEL), Rule.MALFORMED),
}


@pytest.mark.parametrize(("hostile", "rule"), HOSTILE.values(), ids=HOSTILE)
async def test_s_16_hostile_calls_are_refused(vault: Vault, hostile: CallDraft, rule: Rule) -> None:
    with pytest.raises(Refused) as caught:
        await vault.sign_call(hostile)
    assert caught.value.rule is rule
    assert await vault.sign_call(call(HONEST))  # and what was agreed to is still signed


async def test_any_amount_may_go_to_a_cold_address(vault: Vault) -> None:
    assert await vault.sign_call(call(Transfer(USDC_ETHEREUM, COLD, 10**15)))


async def test_fault_f_152_the_limits_of_each_asset_are_its_own(vault: Vault) -> None:
    await vault.sign_call(call(agreed("po_1", 10**9)))
    await vault.sign_call(call(agreed("po_2", 10**9), nonce=1))
    with pytest.raises(Refused) as full:
        await vault.sign_call(call(agreed("po_3", 1), nonce=2))
    assert full.value.rule is Rule.LIMIT_HOUR
    assert await vault.sign_call(call(agreed("po_3", 10**17, ETH), nonce=2))


async def test_fault_f_81_a_payout_is_signed_for_under_one_nonce(vault: Vault) -> None:
    await vault.sign_call(call(HONEST))
    with pytest.raises(Refused) as again:
        await vault.sign_call(call(HONEST, nonce=1))
    assert (again.value.rule, again.value.subjects) == (Rule.SIGNED_BEFORE, ("po_1",))
    assert await vault.sign_call(replace(call(HONEST), fees=FeeOffer(2 * 10**10, 2 * 10**9)))  # dearer, in its place


async def test_a_nonce_that_is_given_up_may_be_filled_at_once(vault: Vault) -> None:
    await vault.sign_call(call(HONEST))
    with pytest.raises(Refused) as other:
        await vault.sign_call(call(agreed("po_2", 1)))
    assert other.value.rule is Rule.COINS_PROMISED
    assert await vault.sign_call(replace(call(), kind=CallKind.CANCEL))
