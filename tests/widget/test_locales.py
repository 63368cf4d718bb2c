"""The checkout's languages say the same things: each has every text, with the same blanks to fill in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.domain.session import LOCALES

FOLDER = Path(__file__).parents[2] / "app" / "widget" / "static" / "checkout" / "locales"


def texts(locale: str) -> dict[str, str]:
    """A language's texts by their names."""
    found: dict[str, str] = json.loads((FOLDER / f"{locale}.json").read_text())
    return found


def test_every_language_that_a_session_can_name_is_there() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(LOCALES)


@pytest.mark.parametrize("locale", sorted(set(LOCALES) - {"en"}))
def test_a_language_has_every_text_with_the_same_blanks(locale: str) -> None:
    english, other = texts("en"), texts(locale)
    assert other.keys() == english.keys()
    for name, text in other.items():
        assert text.strip(), name
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[name])), name
