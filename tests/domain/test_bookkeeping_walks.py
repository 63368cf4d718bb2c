"""Random walks over both tables with books kept: nothing is lost, nothing is owed at the end, no sign is forbidden."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.order import MACHINES, TERMINAL, Direction, OrderState, OrderTrigger
from tests.domain.worlds import BuyWorld, SellWorld

S, T = OrderState, OrderTrigger
CHOICES = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=40)
# Placing is the walk's own first step; a hold moves neither the order nor money.
NOT_WALKED = {T.PLACED, T.HELD, T.RELEASED}
# Reached by so long a way that no random walk can be relied on; a test of the sweeps goes it.
FAR_AWAY = {(S.EXPIRED, T.DEPOSIT_REORGED), (S.CANCELED, T.DEPOSIT_REORGED)}


def walk_through(world: BuyWorld | SellWorld, choices: list[tuple[int, int]]) -> None:
    """Take one step for each choice, checking the books after each."""
    for choice, amount in choices:
        steps = world.steps(amount)
        if not steps:
            break
        step = steps[choice % len(steps)]
        world.take(step)
        world.check()
        assert world.walk.held >= 0
        if world.walk.state in TERMINAL:
            assert world.walk.empty, (world.walk.state, world.walk.books.standing())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(CHOICES)
def test_a_buy_keeps_its_books(choices: list[tuple[int, int]]) -> None:
    walk_through(BuyWorld(), choices)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(CHOICES)
def test_a_sale_keeps_its_books(choices: list[tuple[int, int]]) -> None:
    walk_through(SellWorld(), choices)


@pytest.mark.parametrize("world", [BuyWorld, SellWorld])
def test_an_order_never_gets_stuck(world: type[BuyWorld] | type[SellWorld]) -> None:
    """From wherever a walk stands, an end that holds nothing is some steps away."""

    @settings(max_examples=75, deadline=None, derandomize=True)
    @given(CHOICES)
    def walks_home(choices: list[tuple[int, int]]) -> None:
        here = world()
        walk_through(here, choices)
        for _ in range(12):
            if here.walk.state in TERMINAL:
                return
            steps = dict(reversed(here.steps(amount=1)))  # the first proposal of each kind
            here.take(next((trigger, steps[trigger]) for trigger in HOMEWARD if trigger in steps))
            here.check()
        raise AssertionError(here.walk.state)

    walks_home()


HOMEWARD = (
    T.REFUND_CONFIRMED, T.REFUND_COMPLETED, T.REFUND_ACCEPTED, T.SEND_CONFIRMED, T.SEND_PREPARED, T.PAYOUT_SETTLED,
    T.EXPIRED, T.UNDERPAYMENT_EXPIRED, T.PAYMENT_FAILED, T.REFUND_REQUESTED, T.PAYOUT_FAILED, T.DEPOSIT_CONFIRMED,
)  # fmt: skip


@pytest.mark.parametrize(("direction", "world"), [(Direction.BUY, BuyWorld), (Direction.SELL, SellWorld)])
def test_every_edge_is_walked_with_its_books(direction: Direction, world: type[BuyWorld] | type[SellWorld]) -> None:
    """The worlds can bring an order along every edge; these walks lean to the ones that were used least."""
    used: Counter[tuple[OrderState, OrderTrigger]] = Counter()
    random = Random(1)  # the same walks every time
    for _ in range(600):
        here = world()
        for _ in range(25):
            steps = here.steps(random.randrange(10**9))
            if not steps:
                break
            some = steps if random.random() < 0.5 else random.sample(steps, 1)
            step = min(some, key=lambda step: used[here.walk.state, step[0]])
            used[here.walk.state, step[0]] += 1
            here.take(step)
            here.check()
    edges = {(source, trigger) for source, trigger, _ in MACHINES[direction].edges() if trigger not in NOT_WALKED}
    assert edges - set(used) <= FAR_AWAY
