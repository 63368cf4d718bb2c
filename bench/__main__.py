"""`make bench`: every figure that we promise, beside what was measured here and now."""

from __future__ import annotations

import structlog

from bench import dev_figures, http_figures, send_figures
from bench.instance import open_instance
from bench.report import show


def main() -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with open_instance() as instance:
        lines = http_figures.measure(instance)
    with open_instance() as instance:
        lines += send_figures.measure(instance)
    show(lines + dev_figures.measure())


if __name__ == "__main__":
    main()
