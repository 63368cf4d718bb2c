"""S-08, S-12: the files of the widget: how they are served, how large they are, and what they do not contain."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from app.widget import pages
from app.widget.files import ROOT, File, load, load_site
from tests.api.front import Front
from tests.widget.pages import Markup

WIDGET = Path(str(ROOT)).parent
EMBED = "/widget/v1/rampwright.js"
CHECKOUT = load_site("checkout", pages.CHECKOUT)
PLAYGROUND = load_site("playground", pages.PLAYGROUND)
SCRIPTS = {
    "rampwright.js": load("rampwright.js"),
    "checkout": CHECKOUT.files["main.js"],
    "playground": PLAYGROUND.files["main.js"],
}
PAGES = {
    "missing": load("missing.html").body.decode(),
    "checkout": CHECKOUT.page,
    "playground": PLAYGROUND.page,
}


def sent(files: list[File]) -> int:
    """How many bytes these are on the wire."""
    return sum(len(file.compressed) for file in files)


def test_the_embed_script_is_small() -> None:
    assert sent([load("rampwright.js")]) < 8 * 1024


def test_the_checkout_is_small() -> None:
    """One locale is needed; the others are not sent."""
    locales = [file for name, file in CHECKOUT.files.items() if name.startswith("locales/")]
    rest = [file for name, file in CHECKOUT.files.items() if not name.startswith("locales/")]
    assert len(locales) == 5
    assert sent([load("checkout/page.html"), *rest, max(locales, key=lambda file: len(file.compressed))]) < 50_000


def test_the_playground_is_small() -> None:
    assert sent([load("playground/page.html"), load("rampwright.js"), *PLAYGROUND.files.values()]) < 30_000


async def test_the_embed_script_is_for_other_people_s_pages(front: Front) -> None:
    answer = await front.http.get(EMBED)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers.get_list("cross-origin-resource-policy") == ["cross-origin"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers.get_list("cache-control") == ["public, max-age=300"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/widget/v1/checkout/main.js", "/widget/v1/missing.css", "/playground/main.js"])
async def test_the_other_files_are_for_our_own_pages(front: Front, path: str) -> None:
    answer = await front.http.get(path)
    assert answer.status_code == 200
    assert answer.headers.get_list("cross-origin-resource-policy") == ["same-origin"]
    assert answer.headers.get_list("cache-control") == ["public, max-age=300"]
    assert "access-control-allow-origin" not in answer.headers


async def test_a_file_that_the_browser_has_is_not_sent_again(front: Front) -> None:
    tag = (await front.http.get(EMBED)).headers["etag"]
    for named in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await front.http.get(EMBED, headers={"If-None-Match": named})
        assert (again.status_code, again.content) == (304, b""), named
        assert again.headers["etag"] == tag
        assert again.headers["vary"] == "Accept-Encoding"
    changed = await front.http.get(EMBED, headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("deflate, gzip ; q=1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("identity", False),
        ("xgzip", False),
        ("", False),
    ],
)
async def test_a_file_is_compressed_for_who_can_read_that(front: Front, accepted: str, compressed: bool) -> None:
    async with front.http.stream("GET", EMBED, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert (answer.headers.get("content-encoding") == "gzip") == compressed
    assert answer.headers["content-length"] == str(len(raw))
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (gzip.decompress(raw) if compressed else raw) == load("rampwright.js").body


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "page.html",
        "api.js",
        "page.css",
        "..%2frampwright.js",
        "%2e%2e/pages.py",
        "/etc/passwd",
        "",
        "locales",
    ],
)
async def test_only_what_is_there_by_name_is_served(front: Front, name: str) -> None:
    assert (await front.http.get(f"/widget/v1/checkout/{name}")).status_code == 404


@pytest.mark.parametrize("name", PAGES)
async def test_s_12_a_page_loads_our_own_files_only_and_has_nothing_inline(front: Front, name: str) -> None:
    markup = Markup(PAGES[name])
    assert markup.loaded
    for address in markup.loaded:
        assert (await front.http.get(address)).status_code == 200, address
    assert [script for script in markup.scripts if script.strip()] == []
    attributes = [name for _, have in markup.elements for name in have]
    assert not [name for name in attributes if name == "style" or name.startswith("on")]
    assert "style" not in [tag for tag, _ in markup.elements]


@pytest.mark.parametrize("name", SCRIPTS)
def test_s_04_data_is_never_used_as_html_or_code(name: str) -> None:
    text = SCRIPTS[name].body.decode()
    assert len(text) > 5000
    html = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTMLUnsafe"
    code = r"\beval\(|new Function|setTimeout\([\"'`]|setAttribute\(.style|\.cookie\b|javascript:"
    assert re.findall(f"{html}|{code}", text) == []
    assert not re.search(r"postMessage\([^;]*[\"'`]\*[\"'`]", text), "a message goes to one exact origin"


def test_the_embed_script_keeps_nothing_and_calls_nobody() -> None:
    text = load("rampwright.js").body.decode()
    assert (
        re.findall(
            r"localStorage|sessionStorage|fetch\(|XMLHttpRequest|sendBeacon|WebSocket|EventSource|import\(", text
        )
        == []
    )


def test_s_08_no_field_takes_a_card_number() -> None:
    for name, file in {**CHECKOUT.files, "page.html": load("checkout/page.html")}.items():
        text = file.body.decode()
        assert re.findall(r"cc-number|cc-csc|cardnumber|card_number", text, re.IGNORECASE) == [], name


def test_the_lock_pins_what_checks_the_types_and_names_no_host() -> None:
    manifest = json.loads((WIDGET / "package.json").read_text())
    lock_text = (WIDGET / "package-lock.json").read_text()
    assert "dependencies" not in manifest, "the widget needs nothing of npm's while it runs"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in manifest["devDependencies"].values())
    assert "://" not in lock_text
    packages = json.loads(lock_text)["packages"]
    assert all(package["integrity"].startswith("sha512-") for name, package in packages.items() if name)


def test_every_script_of_ours_is_checked() -> None:
    settings = json.loads((WIDGET / "tsconfig.json").read_text())
    assert settings["compilerOptions"]["strict"] is True
    assert settings["compilerOptions"]["checkJs"] is True
    assert {"static/rampwright.js", "static/playground/*", "static/checkout/**/*"} <= set(settings["include"])
