"""Comparing routes: what every venue, and all of them together, would give for one exchange; nothing is stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.errors import DomainError, RouteUnsupported
from app.domain.money import Money, format_units
from app.domain.order import Direction
from app.domain.quote import AmountSide, Priced
from app.schemas.base import MoneyOut
from app.schemas.quotes import ComparisonOut, OfferOut, QuoteIn
from app.services import quotes
from app.services.order_view import fees_out
from app.services.policy import Policy
from app.services.prices import Doubt, Doubtful, Merged, PriceBoard, merged_of
from app.services.quotes import Wanted
from app.services.rails import Rails

_WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class _Route:
    """One way to serve the request: the venues, how the customer pays, and what it gives, or why it does not."""

    venues: Sequence[str]
    made: Priced | None
    refusal: DomainError | None
    method: str = ""


def compare(rails: Rails, board: PriceBoard, policy: Policy, body: QuoteIn, at: datetime) -> ComparisonOut:
    """Price the request on every route, the best for the customer first; `at` is the database's clock.

    Raises ValidationFailed and RouteUnsupported as a quote would, AmountBelowMin and AmountAboveMax when the amount
    that is fixed is outside the limits. What only some routes cannot serve is said of those.
    """
    wanted = quotes.read(body)
    rails.chain(wanted.coin.network)
    methods = _methods(rails, wanted, body.payment_method)
    priced = _routes(wanted, board, policy, time.monotonic())
    routes = [_paid(route, method, wanted, rails, policy) for route in priced for method in methods]
    routes.sort(key=lambda route: _worth(route.made, wanted))
    best = routes[0].made
    return ComparisonOut(
        direction=wanted.direction.value,
        amount_side=wanted.side.value,
        offers=[_offer(route, wanted, best, rank) for rank, route in enumerate(routes, start=1)],
        as_of=at,
        livemode=rails.livemode,
    )


def _methods(rails: Rails, wanted: Wanted, method: str | None) -> Sequence[str]:
    """How the customer may pay: as was asked, or in every way that there is; a sale is paid by its deposit."""
    if wanted.direction is Direction.SELL:
        return ("deposit",)
    if method is not None:
        rails.provider_of(method)
        return (method,)
    return sorted(rails.methods)


def _paid(route: _Route, method: str, wanted: Wanted, rails: Rails, policy: Policy) -> _Route:
    """The same route, paid in one way, or why it cannot be."""
    if route.made is None or wanted.direction is Direction.SELL:
        return replace(route, method=method)
    paid = replace(wanted, side=AmountSide.SOURCE, units=route.made.source_units)
    try:
        rails.require_open(method)
        quotes.payable(method, paid, policy)
    except DomainError as refusal:
        return _Route(route.venues, None, refusal, method)
    return replace(route, method=method)


def _routes(wanted: Wanted, board: PriceBoard, policy: Policy, now: float) -> list[_Route]:
    """All venues together, then each by itself."""
    limits = policy.limits.get(wanted.fiat.code)
    if limits is None:
        raise RouteUnsupported
    quotes.check_fixed(wanted, limits)
    routes = [_together(wanted, board, policy, now)]
    if len(board.source_names) > 1:
        books = {book.source: book for book in board.books(wanted.coin.code, wanted.fiat.code, now=now)}
        for name in board.source_names:
            if isinstance(routes[0].refusal, Doubtful):
                routes.append(_Route((name,), None, routes[0].refusal))  # nobody's price is believed then
            elif name not in books:
                doubt = Doubtful(Doubt.NO_FRESH_PRICE, retry_after=1)
                routes.append(_Route((name,), None, doubt))
            else:
                routes.append(_priced(merged_of([books[name]], board.rules.taker_bps), wanted, policy))
    return routes


def _together(wanted: Wanted, board: PriceBoard, policy: Policy, now: float) -> _Route:
    try:
        book = board.merged(wanted.coin.code, wanted.fiat.code, now=now)
    except Doubtful as refusal:
        return _Route(board.source_names, None, refusal)
    return _priced(book, wanted, policy)


def _priced(book: Merged, wanted: Wanted, policy: Policy) -> _Route:
    try:
        made = quotes.price_from(book, wanted, policy)
        quotes.check(made.fiat_units, policy.limits[wanted.fiat.code], wanted)
    except DomainError as refusal:
        return _Route(book.sources, None, refusal)
    return _Route(book.sources, made, None)


def _worth(made: Priced | None, wanted: Wanted) -> tuple[bool, int]:
    """Sorts the best for the customer first: to give the least, or to get the most."""
    if made is None:
        return True, 0
    return False, made.source_units if wanted.side is AmountSide.DESTINATION else -made.destination_units


def _behind(made: Priced, best: Priced, wanted: Wanted) -> int:
    """How much worse for the customer than the best, in basis points, rounded up."""
    if wanted.side is AmountSide.DESTINATION:
        return -(-(made.source_units - best.source_units) * _WHOLE // best.source_units)
    return -(-(best.destination_units - made.destination_units) * _WHOLE // best.destination_units)


def _offer(route: _Route, wanted: Wanted, best: Priced | None, rank: int) -> OfferOut:
    made, refusal = route.made, route.refusal
    if made is None or best is None:
        assert refusal is not None  # noqa: S101 - there is a price, or a reason why not
        return OfferOut(
            rank=None, venues=list(route.venues), payment_method=route.method, available=False, source=None,
            destination=None, rate=None, fees=[], total_cost_bps=None, behind_bps=None, code=refusal.code,
            reason=refusal.detail,
        )  # fmt: skip
    behind = _behind(made, best, wanted)
    return OfferOut(
        rank=rank,
        venues=list(route.venues),
        payment_method=route.method,
        available=True,
        source=MoneyOut.of(Money(made.source_units, wanted.source)),
        destination=MoneyOut.of(Money(made.destination_units, wanted.destination)),
        rate=format_units(made.rate_units, wanted.fiat.decimals + made.price_places),
        fees=fees_out(
            wanted.fiat, processing=made.processing_units, network=made.network_units, partner=made.partner_units
        ),
        total_cost_bps=made.total_cost_bps,
        behind_bps=behind,
        code=None,
        reason="The best price." if behind == 0 else f"{format_units(behind, 2)} % behind the best price.",
    )
