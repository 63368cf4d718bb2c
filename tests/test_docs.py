"""The pages in docs/ say what the code says: pictures, settings, entries, words and links."""

from __future__ import annotations

import json
import re
from enum import Enum
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from app import settings
from app.domain.bookkeeping import Moved, OrderTerms, entries_for
from app.domain.order import OrderState, OrderTrigger
from docs import pictures
from tests.domain.books import BUY, SELL

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SECTIONS = (
    settings.ProcessSettings,
    settings.PricingSettings,
    settings.RatesSettings,
    settings.StripeSettings,
    settings.BitcoinSettings,
)


def test_the_pictures_are_drawn_from_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert pictures.main(["--check"]) == 0, capsys.readouterr().err


def test_a_picture_that_differs_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, readme = tmp_path / "page.md", tmp_path / "README.md"
    page.write_text(pictures.page().replace("`paid`", "`payed`"))
    readme.write_text(pictures.README.read_text())
    monkeypatch.setattr(pictures, "ROOT", tmp_path)
    monkeypatch.setattr(pictures, "PAGE", page)
    monkeypatch.setattr(pictures, "README", readme)
    assert pictures.main(["--check"]) == 1
    assert "page.md is out of date" in capsys.readouterr().err
    assert pictures.main([]) == 0
    assert pictures.main(["--check"]) == 0


def _written(default: object) -> str:
    match default:
        case None:
            return "unset"
        case SecretStr() if not default.get_secret_value():
            return "empty"
        case Enum():
            text = str(default.value)
        case bool():
            text = str(default).lower()
        case tuple() | dict():
            text = json.dumps(default, separators=(",", ":"))
        case _:
            text = str(default)
    return f"`{text}`"


def test_every_setting_is_listed_with_its_default_and_no_other() -> None:
    rows = re.findall(r"^\| `(RAMPWRIGHT_\w+)` \| (.+?) \| \S", (DOCS / "configuration.md").read_text(), re.MULTILINE)
    real = {}
    for section in SECTIONS:
        for name, field in section.model_fields.items():
            default = field.get_default(call_default_factory=True, validated_data={})
            assert default is not PydanticUndefined
            real[f"RAMPWRIGHT_{name.upper()}"] = _written(default)
    assert len(rows) == len(dict(rows))
    assert dict(rows) == real


def test_the_sections_are_all_of_the_settings() -> None:
    assert {field.annotation for field in settings.Settings.model_fields.values()} == set(SECTIONS)


@pytest.mark.parametrize(("terms", "title"), [(BUY, "A buy"), (SELL, "A sale")], ids=["buy", "sell"])
def test_every_entry_of_every_trigger_is_in_the_ledger_page(terms: OrderTerms, title: str) -> None:
    _, _, rest = (DOCS / "ledger.md").read_text().partition(f"## {title}")
    section = rest.partition("\n## ")[0]
    moved = Moved("x", amount=1_000, fee=10, from_order=400, opened_in=OrderState.REFUNDING)
    for trigger in OrderTrigger:
        for state in OrderState:
            for entry in entries_for(trigger, state, terms, moved):
                assert f"| `{trigger}` | `{entry.kind}` |" in section, (trigger, entry.kind)


def test_the_worked_example_is_the_published_quote() -> None:
    page = (DOCS / "ledger.md").read_text()
    for amount in ("31 045.68", "30 582.31", "152.91", "310.46"):
        assert amount in page


MARKDOWN = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_named_files_exist(page: Path) -> None:
    text = page.read_text()
    missing = [link for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text) if not (page.parent / link).exists()]
    named = re.findall(r"`((?:app|providers|webhooks|docs|tests|openapi)/[\w./-]+)`", text)
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_decisions_are_numbered_and_titled_with_a_sentence() -> None:
    pages = sorted((DOCS / "adr").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    for page in pages:
        title, _, rest = page.read_text().partition("\n")
        assert re.fullmatch(r"# \d{4}\. .+\w", title), title
        assert {"## Context", "## Decision", "## Consequences"} <= set(rest.splitlines())
        assert len(rest.splitlines()) < 60, f"{page.name} is longer than a page"
