"""What a transaction may look like, what it costs, and that the signer is not simply believed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ports.chain import Branch, CoinInput, CoinsShort, FeeTooHigh, Recipient
from providers.bitcoin.building import FeePolicy, Plan, check_signed, plan_transaction
from providers.bitcoin.layout import read_transaction
from providers.bitcoin.scripts import dust_limit, vsize_of
from providers.bitcoin.signer import Draft
from tests.providers.bitcoin.samples import (
    EVERY_KIND,
    P2PKH,
    P2SH,
    P2TR,
    P2WPKH,
    P2WSH,
    change_of,
    coin,
    pay,
    regtest_wallet,
)

WALLET = regtest_wallet()
CHANGE = change_of(WALLET)
FEES = FeePolicy(floor=1, ceiling=100, fallback=5, max_fee=100_000)


def plan(amount: int, *recipients: Recipient, fee_rate: int = 1, fees: FeePolicy = FEES) -> Plan:
    return plan_transaction([coin(0, amount)], recipients, CHANGE, fee_rate=fee_rate, fees=fees)


# Bitcoin Core's figures, for instance in test/functional/mempool_dust.py.
@pytest.mark.parametrize(("script", "limit"), [(P2PKH, 546), (P2SH, 540), (P2WPKH, 294), (P2WSH, 330), (P2TR, 330)])
def test_dust(script: str, limit: int) -> None:
    assert dust_limit(script) == limit
    assert plan(100_000, pay(limit, script)).fee > 0
    with pytest.raises(ValueError, match="dust"):
        plan(100_000, pay(limit - 1, script))


@pytest.mark.parametrize("amount", [0, -1, -100_000])
def test_amounts_that_are_none(amount: int) -> None:
    with pytest.raises(ValueError, match="dust"):
        plan(100_000, pay(amount))


# OP_RETURN, a future witness version, an anchor, a bare key, nothing, and a P2WPKH cut short or too long.
@pytest.mark.parametrize(
    "script", ["6a0401020304", "5210" + "00" * 16, "51024e73", "21" + "02" * 33 + "ac", "", P2WPKH[:-2], P2WPKH + "00"]
)
def test_scripts_that_we_do_not_pay_to(script: str) -> None:
    with pytest.raises(ValueError, match="script"):
        plan(100_000, pay(50_000, script))


@pytest.mark.parametrize("script", EVERY_KIND)
@pytest.mark.parametrize("inputs", [1, 2, 60])
def test_the_estimate_is_never_too_small_and_hardly_too_large(script: str, inputs: int) -> None:
    coins = [coin(n, 10_000) for n in range(inputs)]
    made = plan_transaction(coins, [pay(5_000, script)], CHANGE, fee_rate=1, fees=FEES)
    signed = check_signed(made, WALLET.signed(made.draft))
    # Half of all signatures are a byte shorter, which is a quarter of a virtual byte.
    assert 0 <= vsize_of(inputs, [script, CHANGE.script]) - signed.vsize <= -(-inputs // 4)
    assert signed.fee == vsize_of(inputs, [script, CHANGE.script])


# Published sizes of P2WPKH transactions: https://bitcoinops.org/en/tools/calc-size/ (110 and 141, a 252nd output
# still counts in one byte).
@pytest.mark.parametrize(
    ("inputs", "outputs", "vsize"), [(1, 1, 110), (1, 2, 141), (2, 2, 209), (1, 252, 7891), (1, 253, 7924)]
)
def test_known_sizes(inputs: int, outputs: int, vsize: int) -> None:
    assert vsize_of(inputs, [P2WPKH] * outputs) == vsize


def test_change_comes_back_or_is_too_small_to_matter() -> None:
    keep = 2 * 294
    with_change = plan(50_000 + 141 + keep, pay(50_000))
    assert (with_change.change, with_change.fee) == (keep, 141)
    assert Recipient(CHANGE.script, keep) in with_change.draft.outputs
    without = plan(50_000 + 141 + keep - 1, pay(50_000))
    assert (without.change, without.fee) == (0, 141 + keep - 1)
    assert without.draft.outputs == (pay(50_000),)


def test_exactly_enough_and_one_satoshi_short() -> None:
    assert plan(50_000 + 110, pay(50_000)).fee == 110
    with pytest.raises(ValueError, match="do not suffice: 1 satoshi"):
        plan(50_000 + 109, pay(50_000))
    with pytest.raises(ValueError, match="do not suffice"):
        plan(10_000, pay(50_000))


@pytest.mark.parametrize("fee_rate", [-1, 0, 101])
def test_fee_rates_out_of_bounds(fee_rate: int) -> None:
    with pytest.raises(ValueError, match="fee rate"):
        plan(100_000_000, pay(50_000), fee_rate=fee_rate)


def test_the_fee_has_a_limit() -> None:
    assert plan(100_000, pay(50_000), fee_rate=10, fees=replace(FEES, max_fee=1_410)).fee == 1_410
    with pytest.raises(ValueError, match="limit"):
        plan(100_000, pay(50_000), fee_rate=10, fees=replace(FEES, max_fee=1_409))


def test_a_transaction_too_large_to_be_relayed() -> None:
    with pytest.raises(ValueError, match="relayed"):
        plan_transaction([coin(n, 10_000) for n in range(1_500)], [pay(50_000)], CHANGE, fee_rate=1, fees=FeePolicy())


@pytest.mark.parametrize(
    "coins",
    [
        [],
        [coin(0, 90_000), coin(0, 90_000)],
        [coin(0, 0)],
        [CoinInput("AB" * 32, 0, 90_000, Branch.RECEIVE, 0)],
        [CoinInput("ab" * 31, 0, 90_000, Branch.RECEIVE, 0)],
        [CoinInput("ab" * 32, -1, 90_000, Branch.RECEIVE, 0)],
    ],
)
def test_coins_that_are_not_in_order(coins: list[CoinInput]) -> None:
    with pytest.raises(ValueError, match=r"coin|hex"):
        plan_transaction(coins, [pay(50_000)], CHANGE, fee_rate=1, fees=FEES)


def test_nobody_to_pay() -> None:
    """Coins gathered into one, or a child that pays for its parent: all but the fee comes back."""
    made = plan(100_000)
    assert (made.draft.outputs, made.fee) == ((Recipient(CHANGE.script, 100_000 - 110),), 110)
    with pytest.raises(CoinsShort):
        plan(110 + 2 * 294 - 1)


def test_change_in_several_parts_none_of_them_dust() -> None:
    others = [WALLET.address(Branch.CHANGE, index) for index in (1, 2)]
    coins, paid = [coin(0, 100_000)], [pay(50_000)]
    made = plan_transaction(coins, paid, CHANGE, fee_rate=1, fees=FEES, spread=others)
    assert [output.script for output in made.returned] == [CHANGE.script, *(other.script for other in others)]
    assert made.draft.change == (CHANGE, *others)
    amounts = [output.amount for output in made.returned]
    assert sum(amounts) + made.fee == 50_000
    assert max(amounts) - min(amounts) <= 2
    least = 3 * 2 * 294 + vsize_of(1, [P2WPKH] * 4)
    whole = plan_transaction([coin(0, 50_000 + least)], paid, CHANGE, fee_rate=1, fees=FEES, spread=others)
    fewer = plan_transaction([coin(0, 50_000 + least - 1)], paid, CHANGE, fee_rate=1, fees=FEES, spread=others)
    assert (len(whole.returned), len(fewer.returned)) == (3, 2)


def test_a_replacement_pays_at_least_what_it_must() -> None:
    made = plan_transaction([coin(0, 100_000)], [pay(50_000)], CHANGE, fee_rate=1, fees=FEES, least_fee=7_777)
    assert (made.fee, made.change) == (7_777, 42_223)
    with pytest.raises(CoinsShort):
        plan_transaction([coin(0, 57_776)], [pay(50_000)], CHANGE, fee_rate=1, fees=FEES, least_fee=7_777)
    with pytest.raises(FeeTooHigh):
        plan_transaction([coin(0, 10**8)], [pay(50_000)], CHANGE, fee_rate=1, fees=FEES, least_fee=10**7)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.integers(1_000, 10**9), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(546, 10**8), st.sampled_from(EVERY_KIND)), min_size=1, max_size=12),
    st.integers(1, 100),
)
def test_no_satoshi_is_lost(amounts: list[int], payments: list[tuple[int, str]], fee_rate: int) -> None:
    """Whatever goes in comes out, as what was asked for, change to us, and a fee that the rate explains."""
    coins = [coin(n, amount) for n, amount in enumerate(amounts)]
    recipients = [pay(amount, script) for amount, script in payments]
    least = fee_rate * vsize_of(len(coins), [script for _, script in payments])
    if sum(amounts) < sum(amount for amount, _ in payments) + least:
        with pytest.raises(ValueError, match="do not suffice"):
            plan_transaction(coins, recipients, CHANGE, fee_rate=fee_rate, fees=FeePolicy())
        return
    made = plan_transaction(coins, recipients, CHANGE, fee_rate=fee_rate, fees=FeePolicy())
    assert sum(amounts) == sum(output.amount for output in made.draft.outputs) + made.fee
    ours = [Recipient(CHANGE.script, made.change)] if made.change else []
    assert Counter(made.draft.outputs) == Counter([*recipients, *ours])
    spare = 0 if made.change else 2 * dust_limit(CHANGE.script) + fee_rate * 31
    assert 0 <= made.fee - fee_rate * made.max_vsize <= spare


def test_order_says_nothing_about_change() -> None:
    """The change is wherever its amount puts it, and the order of the arguments does not show."""
    coins = [coin(n, 40_000) for n in range(3)]
    recipients = [pay(9_000), pay(30_000, P2TR), pay(70_000), pay(9_000, P2TR)]
    made = plan_transaction(coins, recipients, CHANGE, fee_rate=1, fees=FEES)
    backwards = plan_transaction(coins[::-1], recipients[::-1], CHANGE, fee_rate=1, fees=FEES)
    assert made == backwards
    amounts = [output.amount for output in made.draft.outputs]
    assert amounts == sorted(amounts)
    first = plan_transaction(coins, [pay(70_000)], CHANGE, fee_rate=1, fees=FEES).draft.outputs
    last = plan_transaction(coins, [pay(30_000)], CHANGE, fee_rate=1, fees=FEES).draft.outputs
    assert [output.script == CHANGE.script for output in (*first, *last)] == [True, False, False, True]


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda draft: replace(draft, outputs=draft.outputs[:-1]),
        lambda draft: replace(draft, outputs=draft.outputs[::-1]),
        lambda draft: replace(draft, outputs=(replace(draft.outputs[0], amount=1_000), *draft.outputs[1:])),
        lambda draft: replace(draft, outputs=(replace(draft.outputs[0], script=P2TR), *draft.outputs[1:])),
        lambda draft: replace(draft, inputs=draft.inputs[:-1]),
        lambda draft: replace(draft, inputs=(replace(draft.inputs[0], vout=7), *draft.inputs[1:])),
    ],
)
def test_a_signer_that_signs_something_else_is_caught(spoilt: Callable[[Draft], Draft]) -> None:
    made = plan_transaction([coin(0, 60_000), coin(1, 60_000)], [pay(50_000)], CHANGE, fee_rate=1, fees=FEES)
    assert check_signed(made, WALLET.signed(made.draft)).change == made.change
    draft = spoilt(made.draft)
    with pytest.raises(RuntimeError, match="another transaction"):
        check_signed(made, WALLET.signed(draft))


def test_a_signer_with_other_rules_is_caught() -> None:
    made = plan(100_000, pay(50_000))
    raw = WALLET.signed(made.draft)
    signature = read_transaction(raw).inputs[0].witness[0]
    wrong = {
        "version": b"\x01" + raw[1:],
        "sequence": raw.replace(b"\xfd\xff\xff\xff", b"\xff\xff\xff\xff"),
        "lock time": raw[:-4] + b"\x01\x00\x00\x00",
        "sighash": raw.replace(signature, signature[:-1] + b"\x81"),
        "unsigned": raw[: raw.index(signature) - 2] + b"\x00" + raw[-4:],
    }
    for spoilt in wrong.values():
        assert spoilt != raw
        with pytest.raises(RuntimeError, match="signer"):
            check_signed(made, spoilt)


def test_a_signer_that_makes_it_larger_is_caught() -> None:
    """The fee was worked out for the size that was planned."""
    made = plan(100_000, pay(50_000))
    raw = WALLET.signed(made.draft)
    with pytest.raises(RuntimeError, match="larger"):
        check_signed(replace(made, max_vsize=read_transaction(raw).vsize - 1), raw)


@pytest.mark.parametrize(
    "wrong", [{"floor": 0}, {"floor": 9}, {"ceiling": 2}, {"fallback": 500}, {"target_blocks": 0}, {"max_fee": 0}]
)
def test_a_fee_policy_must_be_in_order(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="fee policy"):
        FeePolicy(**wrong)
