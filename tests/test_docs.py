"""The pages in docs/ say what the code says: pictures, settings, entries, words and links."""

from __future__ import annotations

import inspect
import json
import re
from enum import Enum
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from app import settings
from app.dev.home import Instance
from app.domain import bookkeeping_out as books
from app.domain import chart
from app.domain.assets import BTC, USD
from app.domain.bookkeeping import entries_for
from app.domain.ledger import Entry
from app.domain.money import Money
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved, OrderTerms
from app.services.batch_files import COLUMNS
from app.services.batch_view import ITEM_STATUSES
from docs import pictures
from tests.domain.books import BUY, SELL

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SECTIONS = (
    settings.ProcessSettings,
    settings.PricingSettings,
    settings.RatesSettings,
    settings.StripeSettings,
    settings.PayinSettings,
    settings.BitcoinSettings,
    settings.LitecoinSettings,
    settings.SecondNodeSettings,
    settings.EvmSettings,
    settings.WalletSettings,
    settings.AccountsSettings,
    settings.PayoutSettings,
    settings.IncreaseSettings,
    settings.SepaSettings,
    settings.SignerSettings,
    settings.WidgetSettings,
    settings.ScreeningSettings,
    settings.ReconciliationSettings,
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
        case "":
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


def test_the_page_names_all_that_dev_json_says() -> None:
    page = (DOCS / "configuration.md").read_text()
    assert [name for name in Instance.model_fields if f"`{name}`" not in page] == []


def test_the_sections_are_all_of_the_settings() -> None:
    assert {field.annotation for field in settings.Settings.model_fields.values()} == set(SECTIONS)


@pytest.mark.parametrize(("terms", "title"), [(BUY, "A buy"), (SELL, "A sale")], ids=["buy", "sell"])
def test_every_entry_of_every_trigger_is_in_the_ledger_page(terms: OrderTerms, title: str) -> None:
    _, _, rest = (DOCS / "ledger.md").read_text().partition(f"## {title}")
    section = rest.partition("\n## ")[0]
    moved = Moved("x", amount=1_000, fee=10, from_order=400, opened_in=OrderState.REFUNDING, disputed=900)
    for trigger in OrderTrigger:
        for state in OrderState:
            for entry in entries_for(trigger, state, terms, moved):
                assert f"| `{trigger}` | `{entry.kind}` |" in section, (trigger, entry.kind)


def _other_entries() -> list[Entry]:
    """Every entry that is not an order's own, once."""
    dollars, coins = Money(2_500, USD), Money(60_000, BTC)
    return [
        books.arrived("bitcoin", BTC, "r", 1, credit=chart.EQUITY_OPERATOR),
        books.reserved("po_1", "pt_1", dollars),
        books.freed("r", "po_1", "pt_1", dollars),
        books.bank_settled("po_1", "po_1", "increase", dollars),
        books.bank_returned("po_1", "pt_1", "increase", dollars),
        books.coins_prepared("ln_1", BTC, 20_000, 420),
        books.fee_raised("ln_1", 2, BTC, 100),
        books.fee_freed("ln_1", BTC, 100),
        books.coins_released("ln_1", BTC, 20_420),
        books.fee_adjusted("ln_1", "ab", 1, BTC, 100),
        books.coins_moved("ln_1", BTC, 20_000, 420),
        books.coins_delivered("ln_1", BTC, {"pb_1": 20_000}, 420),
        books.deposit_credited("r", "bitcoin", coins, credit=chart.SUSPENSE),
        books.deposit_released("r", "pt_1", coins),
        books.deposit_undone("r", "bitcoin", coins, account=chart.SUSPENSE, covered=1),
        books.deposit_restored("r", "bitcoin", coins, account=chart.SUSPENSE, lost=1),
        books.deposit_blocked("r", "bitcoin", coins),
        books.deposit_unblocked("r", "bitcoin", coins),
        books.payout_blocked("po_1", "po_1", coins),
        books.payout_renewed("po_1", "po_2", coins),
        books.topped_up("r", "increase", dollars, credit=chart.SUSPENSE),
        books.top_up_released("r", "pt_1", dollars),
        books.top_up_reversed("r", "increase", dollars, account=chart.SUSPENSE, covered=1),
        books.float_changed("r", "increase", dollars),
        books.correction("rb_1:3", "bank:increase", chart.EXPENSE_PROVIDER, dollars),
    ]


def test_every_other_entry_is_in_the_ledger_page() -> None:
    page = (DOCS / "ledger.md").read_text()
    made = _other_entries()
    builders = [
        name for name, thing in vars(books).items() if inspect.isfunction(thing) and thing.__module__ == books.__name__
    ]
    assert len(made) == len(builders) - 1  # one of them only names an account
    assert [entry.kind for entry in made if f"`{entry.kind}`" not in page] == []


def test_every_account_of_the_chart_is_in_the_ledger_page() -> None:
    page = (DOCS / "ledger.md").read_text()
    named = {name for name in vars(chart) if name.isupper() and not name.startswith("_")}
    assert [getattr(chart, name) for name in sorted(named) if f"`{getattr(chart, name)}`" not in page] == []


def test_every_column_of_a_file_is_in_the_payouts_page() -> None:
    page, columns = (DOCS / "payouts.md").read_text(), set(COLUMNS.values())
    assert len(columns) > 10
    assert [name for name in sorted(columns) if f"`{name}`" not in page] == []
    shown = set(ITEM_STATUSES) - {"created"}  # which no transaction leaves behind
    assert [status for status in sorted(shown) if f"`{status}`" not in page] == []


def test_the_worked_example_is_the_published_quote() -> None:
    page = (DOCS / "ledger.md").read_text()
    for amount in ("31 045.68", "30 582.31", "152.91", "310.46", "17 971.44", "18 244.19", "91.22", "1.53"):
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
