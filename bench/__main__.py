"""`make bench`: every figure that we promise, beside what was measured here and now."""

from __future__ import annotations

import sys

import structlog

from bench import (
    batch_figures,
    dev_figures,
    evm_figures,
    follower_figures,
    http_figures,
    payout_figures,
    price_figures,
    send_figures,
    signing_figures,
)
from bench.instance import open_instance
from bench.report import show


def main() -> None:
    """Measure and print; all of it, or the parts named."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()


def _http() -> None:
    with open_instance() as instance:
        show("Over HTTP, beside pgbench", http_figures.measure(instance))


def _sends() -> None:
    with open_instance() as instance:
        show("Sends, one worker", send_figures.measure(instance))


def _batches() -> None:
    with open_instance() as instance:
        show("Batches, one worker", batch_figures.measure(instance))


def _follower() -> None:
    with open_instance() as instance:
        show("Following a chain", follower_figures.measure(instance))


def _dev() -> None:
    show("The development instance", dev_figures.measure())


def _payouts() -> None:
    with open_instance() as instance:
        show("Payouts over HTTP, beside pgbench", payout_figures.measure(instance))


def _prices() -> None:
    show("Prices, in the domain", price_figures.measure())


def _signing() -> None:
    with open_instance() as instance:
        show("Signing, one signer", signing_figures.measure(instance))


def _evm() -> None:
    show("EVM chains, one signer", evm_figures.measure())


PARTS = {
    "http": _http,
    "prices": _prices,
    "sends": _sends,
    "payouts": _payouts,
    "batches": _batches,
    "evm": _evm,
    "follower": _follower,
    "signing": _signing,
    "dev": _dev,
}


if __name__ == "__main__":
    main()
