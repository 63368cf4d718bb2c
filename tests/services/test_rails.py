"""Which provider takes a payment, and what is said while it is away (faults.md F-43)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.errors import RouteUnavailable, RouteUnsupported
from app.domain.quote import Terms
from app.services.policy import Limits, Policy
from app.services.rails import Rails
from tests.webhooks.card import CardTruth, rails_on


class Away(CardTruth):
    """A provider that is left alone for a while."""

    pause = 0.0

    def resumes_in(self) -> float:
        return self.pause


def test_fault_f_43_nothing_new_is_begun_while_the_provider_is_away() -> None:
    truth = Away()
    rails: Rails = rails_on(truth)
    rails.require_open("card")
    truth.pause = 12.3
    with pytest.raises(RouteUnavailable) as caught:
        rails.require_open("card")
    assert caught.value.retry_after == 13
    truth.pause = 0.0
    rails.require_open("card")


def test_a_method_that_is_not_switched_on_is_not_offered() -> None:
    with pytest.raises(RouteUnsupported):
        rails_on(CardTruth()).require_open("ach_debit")


def test_limits_are_of_the_method_and_its_currencies() -> None:
    limits = {"EUR": Limits(1, 1_000), "USD": Limits(1, 1_000)}
    policy = Policy(
        Terms(0, 0, 0), timedelta(1), timedelta(1), limits, most={"ach_debit": {"USD": 500}, "card": {"EUR": 9_999}}
    )
    assert policy.limits_of("ach_debit", "USD") == Limits(1, 500)
    assert policy.limits_of("ach_debit", "EUR") is None
    assert policy.limits_of("card", "EUR") == Limits(1, 1_000)
    assert policy.limits_of("card", "JPY") is None
