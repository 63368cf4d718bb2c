"""What the signer refuses to sign, however it is asked: hostile drafts, one for each way of stealing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.intent import Intent, IntentKeys
from app.ports.chain import Address, Branch, Recipient
from app.signer.policy import NetworkPolicy
from app.signer.refusals import Refused, Rule
from app.signer.vault import Vault
from providers.bitcoin.networks import REGTEST
from providers.bitcoin.signer import Draft
from providers.bitcoin.wallet import Wallet
from tests.signer.vaults import BITCOIN, COLD, FEE, KEYS, THEIRS, THIEF, Rig, agreed, change, coin, draft, paid

HONEST = agreed("or_1", 60_000)
STRANGER = Wallet(b"\x99" * 64, REGTEST).address(Branch.CHANGE, 0)


async def refusal(vault: Vault, hostile: Draft, network: str = "bitcoin") -> Refused:
    """Why the signer refuses; it must, and it must not count what it refused."""
    with pytest.raises(Refused) as caught:
        await vault.sign_draft(network, hostile)
    return caught.value


async def test_an_honest_draft_is_signed(vault: Vault) -> None:
    honest = draft([HONEST])
    layout = paid(await vault.sign_draft("bitcoin", honest))
    assert dict(layout.outputs) == {THEIRS: 60_000, change().script: 139_000}
    assert [each.witness[0][-1] for each in layout.inputs] == [1]  # SIGHASH_ALL, the only one that it makes
    assert [(each.txid, each.vout) for each in layout.inputs] == [(coin(1).txid, 0)]


def _intent(subject: str = "or_1", **said: object) -> Intent:
    sealed: dict[str, object] = {
        "network": "bitcoin",
        "asset": "BTC.bitcoin",
        "script": THEIRS,
        "units": 60_000,
        **said,
    }
    seal = KEYS.seal(
        subject,
        network=str(sealed["network"]),
        asset=str(sealed["asset"]),
        script=str(sealed["script"]),
        units=int(str(sealed["units"])),
    )
    return Intent("or_1", "BTC.bitcoin", seal)


ALTERED: dict[str, Recipient] = {
    "swapped output": replace(HONEST, script=THIEF),
    "more than agreed": replace(HONEST, amount=60_001),
    "less than agreed": replace(HONEST, amount=59_999),
    "another order's seal": replace(HONEST, intent=_intent("or_2")),
    "sealed for another network": replace(HONEST, intent=_intent(network="litecoin")),
    "sealed for another asset": replace(HONEST, intent=_intent(asset="LTC.litecoin")),
    "named as another asset": replace(HONEST, intent=replace(_intent(), asset="LTC.litecoin")),
    "a seal of nobody's": replace(HONEST, intent=Intent("or_1", "BTC.bitcoin", bytes(33))),
    "a seal cut short": replace(HONEST, intent=Intent("or_1", "BTC.bitcoin", _intent().seal[:32])),
    "an empty seal": replace(HONEST, intent=Intent("or_1", "BTC.bitcoin", b"")),
    "a seal of a stranger's key": replace(
        HONEST,
        intent=Intent(
            "or_1",
            "BTC.bitcoin",
            IntentKeys([b"x" * 32]).seal("or_1", network="bitcoin", asset="BTC.bitcoin", script=THEIRS, units=60_000),
        ),
    ),
}


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED)
async def test_fault_f_94_an_altered_address_or_amount_is_refused(vault: Vault, altered: Recipient) -> None:
    refused = await refusal(vault, draft([altered]))
    assert (refused.rule, refused.subjects) == (Rule.INTENT_INVALID, ("or_1",))
    await vault.sign_draft("bitcoin", draft([HONEST]))  # and what was agreed to is still signed


FOREIGN: dict[str, tuple[Address, Rule]] = {
    "somebody else's address": (STRANGER, Rule.CHANGE_FOREIGN),
    "our place, their script": (replace(change(), script=THIEF), Rule.CHANGE_FOREIGN),
    "a deposit address of ours": (Wallet(bytes(range(64)), REGTEST).address(Branch.RECEIVE, 0), Rule.CHANGE_FOREIGN),
    "too far out to be found again": (replace(change(), index=10_000), Rule.CHANGE_FOREIGN),
    "before the first": (replace(change(), index=-1), Rule.CHANGE_FOREIGN),
}


@pytest.mark.parametrize(("foreign", "rule"), FOREIGN.values(), ids=FOREIGN)
async def test_fault_f_93_change_to_somebody_else_is_refused(vault: Vault, foreign: Address, rule: Rule) -> None:
    assert (await refusal(vault, draft([HONEST], back=foreign))).rule is rule


async def test_fault_f_93_change_that_nobody_says_is_ours_is_refused(vault: Vault) -> None:
    hostile = replace(draft([HONEST]), change=())
    assert (await refusal(vault, hostile)).rule is Rule.INTENT_MISSING


def _extra(recipient: Recipient) -> Draft:
    return draft([HONEST, recipient])


HOSTILE: dict[str, tuple[Draft, Rule]] = {
    "an extra recipient": (_extra(Recipient(THIEF, 10_000)), Rule.INTENT_MISSING),
    "a recipient without an intent": (draft([replace(HONEST, intent=None)]), Rule.INTENT_MISSING),
    "the same order twice": (_extra(HONEST), Rule.INTENT_TWICE),
    "a huge fee": (draft([HONEST], fee=BITCOIN.most_fee + 1), Rule.FEE_TOO_HIGH),
    "all that is left as a fee": (Draft((coin(1),), (HONEST,)), Rule.FEE_TOO_HIGH),
    "more in one send than may leave": (draft([agreed("or_9", 100_001)]), Rule.SEND_TOO_LARGE),
    "more paid than spent": (Draft((coin(1, 50_000),), (HONEST,)), Rule.MALFORMED),
    "nothing spent": (Draft((), (HONEST,)), Rule.MALFORMED),
    "nobody paid": (Draft((coin(1, 900),), ()), Rule.MALFORMED),
    "a coin named twice": (draft([HONEST], [coin(1), coin(1)]), Rule.MALFORMED),
    "a coin of nothing": (draft([HONEST], [coin(1), coin(2, 0)]), Rule.MALFORMED),
    "an output of less than nothing": (
        Draft((coin(1, 61_000),), (HONEST, Recipient(change().script, -1)), (change(),)),
        Rule.MALFORMED,
    ),
}


@pytest.mark.parametrize(("hostile", "rule"), HOSTILE.values(), ids=HOSTILE)
async def test_s_17_hostile_drafts_are_refused(vault: Vault, hostile: Draft, rule: Rule) -> None:
    assert (await refusal(vault, hostile)).rule is rule


@pytest.mark.parametrize("network", ["litecoin", "ethereum", "", "Bitcoin"])
async def test_a_network_that_the_policy_does_not_name_is_refused(vault: Vault, network: str) -> None:
    assert (await refusal(vault, draft([HONEST]), network)).rule is Rule.NETWORK_UNKNOWN


async def test_an_empty_policy_signs_nothing(rig: Rig) -> None:
    rig.policy = {}
    with rig.open() as vault:
        assert (await refusal(vault, draft([HONEST]))).rule is Rule.NETWORK_UNKNOWN
        assert vault.public() == {}


async def test_an_asset_without_limits_is_refused(rig: Rig) -> None:
    rig.policy = {"bitcoin": NetworkPolicy("regtest", 5_000, {})}
    with rig.open() as vault:
        assert (await refusal(vault, draft([HONEST]))).rule is Rule.ASSET_UNKNOWN


async def test_any_amount_may_go_to_a_cold_address_and_to_no_other(vault: Vault) -> None:
    sweep = Draft((coin(1, 900_000_000),), (Recipient(COLD.script, 900_000_000 - FEE),))
    assert dict(paid(await vault.sign_draft("bitcoin", sweep)).outputs) == {COLD.script: 900_000_000 - FEE}
    thief = Draft((coin(2, 900_000_000),), (Recipient(THIEF, 900_000_000 - FEE),))
    assert (await refusal(vault, thief)).rule is Rule.INTENT_MISSING


async def test_coins_may_be_gathered_into_one_of_our_own(vault: Vault) -> None:
    gathered = draft([], [coin(number, 10_000) for number in range(1, 6)])
    assert [script for script, _ in paid(await vault.sign_draft("bitcoin", gathered)).outputs] == [change().script]


async def test_nothing_is_signed_while_the_stop_file_is_there(rig: Rig) -> None:
    stop = rig.folder / "stop"
    with rig.open() as vault:
        stop.touch()
        assert (await refusal(vault, draft([HONEST]))).rule is Rule.STOPPED
        stop.unlink()
        await vault.sign_draft("bitcoin", draft([HONEST]))
