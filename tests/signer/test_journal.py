"""What the signer remembers: limits over time and restarts, replacements, coins and whom they were signed for."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ports.chain import Recipient
from app.signer.journal import PROMISE_SECONDS, Journal, Spent
from app.signer.policy import Limit, NetworkPolicy
from app.signer.refusals import Refused, Rule
from app.signer.rules import Judged, Paid
from app.signer.vault import Vault
from app.signer.windows import DAY, HOUR
from providers.bitcoin.signer import Draft
from tests.signer.vaults import BITCOIN, FEE, THEIRS, Clock, Rig, agreed, change, coin, draft


async def sign(vault: Vault, wanted: Draft) -> bytes:
    """Have it signed."""
    return await vault.sign_draft("bitcoin", wanted)


async def refused(vault: Vault, wanted: Draft) -> Refused:
    """Why it is not."""
    with pytest.raises(Refused) as caught:
        await sign(vault, wanted)
    return caught.value


def order(number: int, units: int = 99_000) -> Draft:
    """An order of its own, on a coin of its own; with the fee it counts 100 000."""
    return draft([agreed(f"or_{number}", units)], [coin(number)])


async def test_fault_f_152_no_more_leaves_in_an_hour_than_may_whoever_asks(rig: Rig) -> None:
    with rig.open() as vault:
        await sign(vault, order(1))
        await sign(vault, order(2))
        assert (await refused(vault, order(3))).rule is Rule.LIMIT_HOUR
        await sign(vault, order(3, 49_000))  # exactly what is left
        assert (await refused(vault, order(4, 1_000))).rule is Rule.LIMIT_HOUR
        rig.clock.now += HOUR + 1
        await sign(vault, order(4))


async def test_fault_f_152_starting_the_signer_again_resets_nothing(rig: Rig) -> None:
    with rig.open() as vault:
        await sign(vault, order(1))
        await sign(vault, order(2))
    for _ in range(2):
        with rig.open() as vault:
            assert (await refused(vault, order(3))).rule is Rule.LIMIT_HOUR
    rig.clock.now += HOUR + 1
    with rig.open() as vault:
        await sign(vault, order(3))


async def test_the_day_has_a_limit_of_its_own(rig: Rig) -> None:
    with rig.open() as vault:
        for number in range(1, 5):
            await sign(vault, order(number))
            rig.clock.now += HOUR + 1
        assert (await refused(vault, order(5))).rule is Rule.LIMIT_DAY
        rig.clock.now += DAY
        await sign(vault, order(5))


async def test_a_clock_that_is_put_back_opens_no_window(rig: Rig) -> None:
    with rig.open() as vault:
        await sign(vault, order(1))
        await sign(vault, order(2))
    rig.clock.now -= 10 * DAY
    with rig.open() as vault:
        assert (await refused(vault, order(3))).rule is Rule.LIMIT_HOUR


async def test_what_is_refused_is_not_counted(vault: Vault) -> None:
    for number in range(1, 10):
        await refused(vault, draft([replace(agreed(f"or_{number}", 90_000), amount=90_001)], [coin(number)]))
        await refused(vault, draft([agreed(f"or_{number}", 90_000)], [coin(number)], fee=BITCOIN.most_fee + 1))
    await sign(vault, order(1))
    await sign(vault, order(2))


async def test_the_fee_counts_too(rig: Rig) -> None:
    rig.policy = {"bitcoin": replace(BITCOIN, limits={"BTC.bitcoin": Limit(100, 9_999, 9_999)})}
    with rig.open() as vault:
        await sign(vault, draft([], [coin(1)], fee=5_000))
        assert (await refused(vault, draft([], [coin(2)], fee=5_000))).rule is Rule.LIMIT_HOUR


async def test_a_replacement_counts_only_for_what_it_costs_more(rig: Rig) -> None:
    first = draft([agreed("or_1", 99_000)], [coin(1)])
    bump = draft([agreed("or_1", 99_000)], [coin(1), coin(2)], fee=4 * FEE)
    with rig.open() as vault:
        await sign(vault, first)
        await sign(vault, first)  # after a crash the same is asked for again
    with rig.open() as vault:
        await sign(vault, bump)
        await sign(vault, order(3))  # 250 000 are allowed: 103 000 and 100 000 are used
        await sign(vault, order(4, 46_000))
        assert (await refused(vault, order(5, 1_000))).rule is Rule.LIMIT_HOUR


async def test_another_recipient_is_no_replacement(rig: Rig) -> None:
    """Both conflict, so that one of them comes to nothing; which one only the chain knows. Both count."""
    with rig.open() as vault:
        await sign(vault, order(1))
        rig.clock.now += PROMISE_SECONDS
        await sign(vault, draft([agreed("or_2", 99_000)], [coin(1)]))
        assert (await refused(vault, order(3))).rule is Rule.LIMIT_HOUR


async def test_an_order_is_signed_for_once_or_again_with_one_of_its_coins(rig: Rig) -> None:
    with rig.open() as vault:
        await sign(vault, order(1, 10_000))
        elsewhere = await refused(vault, draft([agreed("or_1", 10_000)], [coin(2)]))
        assert (elsewhere.rule, elsewhere.subjects) == (Rule.SIGNED_BEFORE, ("or_1",))
        assert elsewhere.coins == ((coin(1).txid, 0),)
        await sign(vault, draft([agreed("or_1", 10_000)], [coin(1), coin(2)]))
        assert (await refused(vault, draft([agreed("or_1", 10_000)], [coin(2)]))).rule is Rule.SIGNED_BEFORE
    rig.clock.now += 40 * DAY
    with rig.open() as vault:
        assert (await refused(vault, draft([agreed("or_1", 10_000)], [coin(3)]))).rule is Rule.SIGNED_BEFORE


async def test_a_person_can_have_an_order_forgotten(rig: Rig) -> None:
    with rig.open() as vault:
        await sign(vault, order(1, 10_000))
        with Journal(rig.folder / "journal.sqlite", clock=rig.clock) as beside:
            assert (beside.forget("or_1"), beside.forget("or_1")) == (1, 0)
        await sign(vault, draft([agreed("or_1", 10_000)], [coin(2)]))


async def test_a_coin_is_kept_for_whom_it_was_signed_for(rig: Rig) -> None:
    """Their job may have died before it stored what was signed, and can only be done with this coin."""
    with rig.open() as vault:
        await sign(vault, order(1, 10_000))
        other = await refused(vault, draft([agreed("or_2", 10_000)], [coin(1), coin(2)]))
        assert (other.rule, other.coins) == (Rule.COINS_PROMISED, ((coin(1).txid, 0),))
        await sign(vault, draft([agreed("or_1", 10_000), agreed("or_2", 10_000)], [coin(1)]))
        rig.clock.now += PROMISE_SECONDS
        await sign(vault, draft([agreed("or_3", 10_000)], [coin(1)]))


async def test_s_17_two_lies_about_amounts_do_not_add_up_to_a_fee(vault: Vault) -> None:
    """A signature covers its own coin's amount only: with another lie in each of two drafts both signatures hold."""
    mine, rich = coin(1, 50_000), coin(2, 90_000_000)
    paying = agreed("or_1", 40_000)
    await sign(vault, draft([paying], [mine, replace(rich, amount=50_000)]))
    the_other = Draft((mine, rich), (paying, Recipient(change().script, 90_008_000)), (change(),))
    told = await refused(vault, the_other)
    assert (told.rule, told.coins) == (Rule.AMOUNT_CHANGED, ((rich.txid, 0),))


async def test_s_16_it_is_on_the_disk_before_the_signature_leaves(rig: Rig) -> None:
    with rig.open() as vault:
        await sign(vault, order(1))
        read = sqlite3.connect(f"file:{rig.folder / 'journal.sqlite'}?mode=ro", uri=True)
        try:
            assert read.execute("SELECT units FROM charges").fetchall() == [("100000",)]
            assert read.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        finally:
            read.close()


async def test_a_disk_that_fails_lets_nothing_out(rig: Rig) -> None:
    with rig.open() as vault:
        vault.close()  # nothing can be written any more
        with pytest.raises(sqlite3.ProgrammingError):
            await sign(vault, order(1))


@dataclass
class Truth:
    """What could really have left, kept by the test: a replacement adds what it costs more than the one before."""

    moments: list[tuple[float, int]] = field(default_factory=list)
    _dearest: dict[str, int] = field(default_factory=dict)

    def signed(self, at: float, lineage: str, units: int) -> None:
        """Something was."""
        before = self._dearest.get(lineage, 0)
        self.moments.append((at, max(0, units - before)))
        self._dearest[lineage] = max(before, units)

    def most_within(self, seconds: int) -> int:
        """The most that left in any window."""
        return max(
            (sum(units for at, units in self.moments if start <= at < start + seconds) for start, _ in self.moments),
            default=0,
        )


STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),  # which order
        st.sampled_from([1_000, 20_000, 59_000]),
        st.sampled_from([500, 1_500, 4_000]),  # fee
        st.sampled_from([0.0, 0.4, 700.0, 1_799.5, 3_599.0, 40_000.0]),  # seconds since the last
        st.booleans(),  # started again
    ),
    min_size=5,
    max_size=25,
)


@settings(max_examples=20)
@given(steps=STEPS)
def test_s_16_what_is_signed_in_any_window_is_never_above_the_cap(
    steps: list[tuple[int, int, int, float, bool]],
) -> None:
    truth, clock = Truth(), Clock()
    policy = NetworkPolicy("regtest", 5_000, {"BTC.bitcoin": Limit(60_000, 150_000, 300_000)})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        journal = Journal(path, clock=clock)
        for number, units, fee, seconds, again in steps:
            clock.now += seconds
            if again:
                journal.close()
                journal = Journal(path, clock=clock)
            subject = f"or_{number}_{units}"
            judged = Judged((Paid(THEIRS, units, "BTC.bitcoin", subject),), fee, {"BTC.bitcoin": units + fee})
            with suppress(Refused):
                journal.record("bitcoin", [Spent(subject, 0, 100_000)], judged, policy)
                truth.signed(clock.now, subject, units + fee)
        journal.close()
    assert truth.moments
    assert truth.most_within(HOUR) <= 150_000
    assert truth.most_within(DAY) <= 300_000
