"""Who acts, and why: what every command that intervenes must be told, and what is recorded with it."""

from __future__ import annotations

from typing import Annotated

import typer

_TEXT = 200


def _said(value: str) -> str:
    """Refuse what explains nothing."""
    text = value.strip()
    if not text or len(text) > _TEXT or not text.isprintable():
        raise typer.BadParameter(f"say it in 1 to {_TEXT} printable characters")
    return text


Actor = Annotated[str, typer.Option(help="Who you are; recorded.", callback=_said)]
Reason = Annotated[str, typer.Option(help="Why; recorded.", callback=_said)]
