"""Draws the state machines from their tables: `docs/state-machines.md`, and the picture in the README.

`python docs/pictures.py` writes both, `python docs/pictures.py --check` fails when either is out of date.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from app.domain.machines import DESCRIPTIONS, Description

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "state-machines.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- buy-picture: written by docs/pictures.py -->", "<!-- /buy-picture -->"

_INTRO = """\
# State machines

*Written by `docs/pictures.py` from the tables in `app/domain/`; do not edit. `make check` fails when they differ.*

An order, a payout, a batch, a deposit and an external account each move only along an edge of their tables. A fact for
which a state has no edge is refused, writes nothing, and is parked for a person. An edge emits at most one event, and
none only where the public sees no difference. Facts that are recorded and move nothing (holds, disputes after delivery,
late authorisations) are not drawn; the tables below name them.
"""
_TITLES = {
    ("order", "buy"): "Buy: the customer's money comes in, coins go out",
    ("order", "sell"): "Sell: the customer's coins come in, money goes out",
    ("payout", None): "Payout: money or coins go out to a bank account or a wallet",
    ("batch", None): "Batch: many payouts in one call",
    ("deposit", None): "Deposit: coins arrive at an address of ours",
    ("external_account", None): "External account: where payouts may go",
}


def picture(machine: Description) -> str:
    """The machine as a Mermaid state diagram; several facts with the same effect share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for edge in machine.edges:
        if edge.source != edge.target:
            arrows[edge.source, edge.target].append(edge.trigger)
    lines = ["```mermaid", "stateDiagram-v2", "    direction TB", f"    [*] --> {machine.edges[0].source}"]
    for (source, target), triggers in arrows.items():
        lines.append(f"    {source} --> {target}: {'<br/>'.join(triggers)}")
    lines += [f"    {state.name} --> [*]" for state in machine.states if state.terminal]
    return "\n".join([*lines, "```"])


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heading = list(head)
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _code(word: str | None) -> str:
    return f"`{word}`" if word else ""


def _section(machine: Description) -> str:
    """A picture and its tables. What the public sees is said where it has other words; jobs where there are any."""
    parts = [f"## {_TITLES[machine.resource, machine.direction]}", picture(machine)]
    if any(state.stage is not None for state in machine.states):
        states = [(_code(state.name), _code(state.status), _code(state.stage)) for state in machine.states]
        parts += ["What the API shows of each state:", _table(("state", "status", "stage"), states)]
    elif renamed := [state for state in machine.states if state.status != state.name]:
        shown = ", ".join(f"`{state.name}` as `{state.status}`" for state in renamed)
        parts.append(f"The API calls each state as it is called here, but {shown}.")
    head = ("in", "when", "goes to", "event", "job")
    columns = len(head) if any(edge.job for edge in machine.edges) else len(head) - 1
    edges = [
        (
            _code(edge.source),
            _code(edge.trigger),
            "stays" if edge.source == edge.target else _code(edge.target),
            _code(edge.event),
            _code(edge.job),
        )
        for edge in machine.edges
    ]
    parts += ["Every edge:", _table(head[:columns], [row[:columns] for row in edges])]
    return "\n\n".join(parts)


def page() -> str:
    """The whole of `docs/state-machines.md`."""
    return "\n".join([_INTRO, "\n\n".join(_section(machine) for machine in DESCRIPTIONS), ""])


def readme(text: str) -> str:
    """The README with its picture renewed; raises ValueError when its two marks are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md has no {BEGIN} ... {END}")
    return f"{before}{begin}\n{picture(_buy())}\n{end}{after}"


def _buy() -> Description:
    return next(machine for machine in DESCRIPTIONS if machine.direction == "buy")


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
