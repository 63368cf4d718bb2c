"""What a subscriber and a provider saw of us, against what we wrote down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.audit import outside_messages
from app.audit.books import OurBooks
from app.audit.report import Finding
from app.ports.records import FarSide, ReceivedEvent, SeenRequest
from tests.audit.book import Book
from tests.audit.outside import GRACE, Log, counts, pending


async def test_an_event_that_never_arrived(book: Book, ours: OurBooks) -> None:
    async def check(received: list[ReceivedEvent]) -> list[Finding]:
        far = FarSide(received={book.endpoint_id: received})
        return await outside_messages.check(far, ours, timedelta(0))

    everything = book.received()
    assert counts(await check(everything)) == {}
    assert counts(await check(everything[1:])) == {"X-6": 1}
    assert counts(await check([replace(everything[0], verified=False), *everything[1:]])) == {"X-6": 2}
    assert counts(await check([*everything, replace(everything[0], event_id="ev_x")])) == {"X-6": 1}
    assert counts(await check([*everything, replace(everything[0], resource_sequence=99)])) == {"X-6": 1}
    unwritten = OurBooks(
        ours.taken_at,
        {**ours.rows, "told": [{**row, "state": None} for row in ours.rows["told"]]},
    )
    far = FarSide(received={book.endpoint_id: everything[1:]})
    assert counts(await outside_messages.check(far, unwritten, timedelta(0))) == {"X-6": 1}
    assert pending(await outside_messages.check(far, unwritten, timedelta(hours=1))) == {"X-6": 1}


async def test_a_request_without_an_intent(book: Book, ours: OurBooks) -> None:
    seen = list(await book.far.requests["stripe"].requests())
    assert len(seen) >= 15

    async def check(requests: list[SeenRequest]) -> list[Finding]:
        return await outside_messages.check(FarSide(requests={"stripe": Log(requests)}), ours, GRACE)

    assert counts(await check(seen)) == {}
    assert counts(await check([*seen, replace(seen[0], key="other")])) == {"X-8": 1}
    assert counts(await check([*seen, replace(seen[0], key=None)])) == {"X-8": 1}
    assert counts(await check([*seen, replace(seen[0], at=seen[0].at - timedelta(minutes=1))])) == {"X-8": 1}
    later = ours.taken_at + timedelta(seconds=1)
    assert counts(await check([*seen, replace(seen[0], key="younger than the snapshot", at=later)])) == {}
