"""Draws the state machines from their tables: `docs/state-machines.md`, and the picture in the README.

`python docs/pictures.py` writes both, `python docs/pictures.py --check` fails when either is out of date.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from app.domain.order import MACHINES, TERMINAL, Direction, OrderState, OrderTrigger
from app.domain.order_jobs import job_after
from app.domain.order_public import event_of, stage_of, status_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "state-machines.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- buy-picture: written by docs/pictures.py -->", "<!-- /buy-picture -->"

_INTRO = """\
# State machines

*Written by `docs/pictures.py` from `app/domain/order.py`; do not edit. `make check` fails when they differ.*

An order moves only along an edge of these tables. A fact for which a state has no edge is refused, writes nothing, and
is parked for a person. Each edge emits exactly one event, and may start one job. Facts that are recorded and move
nothing (holds, disputes after delivery, late authorisations) are not drawn; the tables below name them.
"""
_TITLES = {
    Direction.BUY: "Buy: the customer's money comes in, coins go out",
    Direction.SELL: "Sell: the customer's coins come in, money goes out",
}
Edge = tuple[OrderState, OrderTrigger, OrderState]


def picture(direction: Direction) -> str:
    """The machine as a Mermaid state diagram; several facts with the same effect share an arrow."""
    arrows: dict[tuple[OrderState, OrderState], list[OrderTrigger]] = defaultdict(list)
    for source, trigger, target in MACHINES[direction].edges():
        if source != target:
            arrows[source, target].append(trigger)
    lines = ["```mermaid", "stateDiagram-v2", "    direction TB", "    [*] --> created"]
    for (source, target), triggers in arrows.items():
        lines.append(f"    {source} --> {target}: {'<br/>'.join(triggers)}")
    lines += [f"    {state} --> [*]" for state in _states(direction) if state in TERMINAL]
    return "\n".join([*lines, "```"])


def _states(direction: Direction) -> list[OrderState]:
    named = {state for source, _, target in MACHINES[direction].edges() for state in (source, target)}
    return [state for state in OrderState if state in named]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heading = list(head)
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _code(word: str | None) -> str:
    return f"`{word}`" if word else ""


def _section(direction: Direction) -> str:
    states = [(_code(state), _code(status_of(state)), _code(stage_of(state))) for state in _states(direction)]
    edges = [
        (
            _code(source),
            _code(trigger),
            "stays" if source == target else _code(target),
            _code(event_of(source, trigger, target)),
            _code(job_after(direction, source, trigger, target)),
        )
        for source, trigger, target in MACHINES[direction].edges()
    ]
    return "\n\n".join(
        [
            f"## {_TITLES[direction]}",
            picture(direction),
            "What the API shows of each state:",
            _table(("state", "status", "stage"), states),
            "Every edge:",
            _table(("in", "when", "goes to", "event", "job"), edges),
        ]
    )


def page() -> str:
    """The whole of `docs/state-machines.md`."""
    return "\n".join([_INTRO, "\n\n".join(_section(direction) for direction in Direction), ""])


def readme(text: str) -> str:
    """The README with its picture renewed; raises ValueError when its two marks are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md has no {BEGIN} ... {END}")
    return f"{before}{begin}\n{picture(Direction.BUY)}\n{end}{after}"


def main(arguments: list[str]) -> int:
    """Write the files, or with --check say which ones are out of date."""
    wanted = {PAGE: page(), README: readme(README.read_text())}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run python docs/pictures.py", file=sys.stderr)  # noqa: T201
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
