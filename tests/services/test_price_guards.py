"""F-135: a feed that is wrong (zero, negative, a thousandfold, stale, one source only) stops quotes, and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.ports.rates import Book, Level
from app.services.price_guards import Doubt, Doubtful, JumpGuard, PriceRules
from app.services.prices import PriceBoard, Trouble
from app.services.provider_health import sources
from tests.services.venues import EUR, Clock, Puppet

RULES = PriceRules(stale_after=2.0)


def book_at(mid: int, at: float = 1_000.0, *, source: str = "puppet", spread: int = 20) -> Book:
    """A book around one middle price, in cents."""
    half = spread // 2
    return Book(source, *EUR, (Level(mid + half, 10**8),), (Level(mid - half, 10**8),), at)


class Named(Puppet):
    """A puppet with a name of its own."""

    def __init__(self, name: str, answer: Book) -> None:
        super().__init__(answer)
        self.name = name


class Scene:
    """Sources with their books, a clock, and a board on them."""

    def __init__(self, *mids: int, rules: PriceRules = RULES) -> None:
        self.clock = Clock()
        self.sources = [Named(f"s{number}", book_at(mid, source=f"s{number}")) for number, mid in enumerate(mids)]
        self.board = PriceBoard(self.sources, [EUR], rules, clock=self.clock)

    async def say(self, *mids: int, after: float = 1.0) -> Doubt | None:
        """Let time pass and every source say something else; the doubt that a quote would meet."""
        self.clock.now += after
        for source, mid in zip(self.sources, mids, strict=True):
            source.answer = book_at(mid, self.clock.now, source=source.name)
        await self.board.refresh()
        return self.doubt()

    def doubt(self) -> Doubt | None:
        """Why there would be no quote now."""
        try:
            self.board.merged(*EUR, now=self.clock.now)
        except Doubtful as refusal:
            return refusal.doubt
        return None

    def health(self) -> list[tuple[str, str | None]]:
        """Status and reason of every source, as partners see them."""
        return [(each.status, each.reason) for each in sources(self.board, self.clock.now)]


@pytest.mark.parametrize("factor", [1000, 12, 10])
async def test_fault_f_135_a_price_that_is_tenfold_is_never_believed(factor: int) -> None:
    for wrong in (61_000_00 * factor, 61_000_00 // factor):
        scene = Scene(61_000_00, 61_000_00)
        assert await scene.say(61_000_00, 61_000_00) is None
        assert await scene.say(wrong, wrong) is Doubt.JUMP  # not even by two
        assert scene.health() == [("degraded", "jump")] * 2
        assert await scene.say(wrong, wrong, after=3_600) is Doubt.JUMP
        assert await scene.say(61_100_00, 61_100_00) is None
        assert scene.health() == [("operational", None)] * 2


async def test_fault_f_135_one_source_that_is_a_thousandfold_disagrees_with_the_other() -> None:
    scene = Scene(61_000_00, 61_000_00)
    assert await scene.say(61_000_00, 61_000_00) is None
    assert await scene.say(61_000_00_000, 61_000_00) is Doubt.DISAGREEMENT
    assert scene.health() == [("degraded", "disagreement")] * 2
    scene.sources[1].answer = TimeoutError()
    scene.clock.now += 2.5
    scene.sources[0].answer = book_at(61_000_00_000, scene.clock.now, source="s0")
    await scene.board.refresh()
    assert scene.doubt() is Doubt.JUMP  # and by itself it is not believed either
    assert scene.health() == [("degraded", "jump"), ("down", "no_answer")]


async def test_fault_f_135_a_jump_needs_a_second_source_or_a_minute() -> None:
    alone = Scene(61_000_00)
    assert await alone.say(61_000_00) is None
    assert await alone.say(67_099_99) is None  # just below 10 %
    assert await alone.say(80_000_00) is Doubt.JUMP
    assert await alone.say(67_000_00) is None  # it was nothing
    assert await alone.say(80_000_00) is Doubt.JUMP
    for _ in range(29):
        assert await alone.say(80_500_00, after=2) is Doubt.JUMP
    assert await alone.say(80_500_00, after=2) is None
    two = Scene(61_000_00, 61_000_00)
    assert await two.say(61_000_00, 61_000_00) is None
    assert await two.say(80_000_00, 80_000_00) is None


def test_fault_f_135_a_jump_that_does_not_hold_still_is_not_believed() -> None:
    guard = JumpGuard(RULES)
    assert guard.believes(100, 1, 0.0)
    for second in range(1, 200, 10):  # up and down: never a minute at one price
        assert not guard.believes(200 if second % 20 == 1 else 300, 1, float(second))


async def test_fault_f_135_one_source_only_is_not_enough_where_two_are_required() -> None:
    scene = Scene(61_000_00, 61_000_00, rules=replace(RULES, required_sources=2))
    assert await scene.say(61_000_00, 61_000_00) is None
    scene.sources[1].answer = TimeoutError()
    scene.clock.now += 2.001
    scene.sources[0].answer = book_at(61_000_00, scene.clock.now, source="s0")
    await scene.board.refresh()
    assert scene.doubt() is Doubt.NO_FRESH_PRICE
    assert scene.health() == [("operational", None), ("down", "no_answer")]


async def test_fault_f_135_a_book_that_was_old_when_it_came_is_stale() -> None:
    scene = Scene(61_000_00)
    scene.sources[0].answer = book_at(61_000_00, scene.clock.now - 600, source="s0")
    await scene.board.refresh()
    assert scene.doubt() is Doubt.NO_FRESH_PRICE
    assert scene.health() == [("down", "stale")]


@pytest.mark.parametrize(
    ("book", "trouble"),
    [
        (book_at(61_000_00, spread=-20), Trouble.CROSSED_BOOK),
        (book_at(0, spread=0), Trouble.UNUSABLE_BOOK),
        (book_at(-61_000_00), Trouble.UNUSABLE_BOOK),
        (replace(book_at(61_000_00), asks=()), Trouble.UNUSABLE_BOOK),
    ],
)
async def test_fault_f_135_a_book_that_is_crossed_zero_or_negative_is_not_used(book: Book, trouble: Trouble) -> None:
    scene = Scene(61_000_00)
    scene.sources[0].answer = book
    await scene.board.refresh()
    assert scene.doubt() is Doubt.NO_FRESH_PRICE
    assert scene.health() == [("down", trouble.value)]


async def test_fault_f_135_books_that_are_crossed_between_them_after_fees_are_not_used() -> None:
    """Half a percent apart is free money when the venues take a tenth each, and none when they take a quarter each."""
    assert await Scene(1, 1, rules=replace(RULES, taker_bps=10)).say(61_000_00, 61_305_00) is Doubt.CROSSED
    assert await Scene(1, 1, rules=replace(RULES, taker_bps=25)).say(61_000_00, 61_305_00) is None


async def test_the_fee_that_a_venue_names_decides_and_not_the_configured_one() -> None:
    scene = Scene(1, 1, rules=replace(RULES, taker_bps=0))
    scene.clock.now += 1
    for source, mid in zip(scene.sources, (61_000_00, 61_305_00), strict=True):
        source.answer = replace(book_at(mid, scene.clock.now, source=source.name), taker_ppm=2_500)
    await scene.board.refresh()
    assert scene.doubt() is None


async def test_a_merged_book_is_made_again_only_when_a_book_is_another_one() -> None:
    scene = Scene(61_000_00, 61_000_00)
    await scene.say(61_000_00, 61_000_00)
    first = scene.board.merged(*EUR, now=scene.clock.now)
    books = [source.answer for source in scene.sources]
    scene.clock.now += 1
    for source, book in zip(scene.sources, books, strict=True):
        assert isinstance(book, Book)
        source.answer = replace(book, taken_at=scene.clock.now)
    await scene.board.refresh()
    again = scene.board.merged(*EUR, now=scene.clock.now)
    assert again.asks is first.asks
    assert again.taken_at == first.taken_at + 1
    await scene.say(61_010_00, 61_010_00)
    assert scene.board.merged(*EUR, now=scene.clock.now).asks[0].price == 61_010_10
