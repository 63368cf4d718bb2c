"""Joining modules: the result does what the modules did, and whatever could go wrong is refused when we start."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from app.widget import bundle, pages
from app.widget.bundle import NotJoinable
from app.widget.files import load_site

MODULES = {
    "main.js": """// The beginning.
// @ts-check
import { Counter, LIMIT } from "./parts/counter.js";
import {
  join as glue,
  shared,
} from "./text.js";

/** Not for browsers. */
const own = "main";
import("./later.js").then(({ late, ...rest }) => console.log(late, Object.keys(rest).length));
console.log(glue(new Counter(LIMIT).next(), own), shared.length, import.meta.url.length > 0);
""",
    "parts/counter.js": """import { join, shared } from "../text.js";

/**
 * Counts.
 * @typedef {import("./x.js").X} X
 */
export const LIMIT = 41;
const own = /** @type {string} */ ("counter"); // stays
shared.push(join(own, "x"));

export class Counter {
  /** @param {number} value */
  constructor(value) {
    this.value = value;
  }

  /** @returns {number} */
  next() {
    return this.value + 1;
  }
}
""",
    "text.js": """const own = "https://text.example/*";
export const shared = [own];

export function join(...parts) {
  return parts.join("-");
}

export async function later() {}
export async function* more() {}
""",
    "later.js": """import { shared } from "./text.js";
import { LIMIT } from "./parts/counter.js";
export const late = `${shared.length} ${LIMIT}`;
export const more = () => import("./main.js");
""",
    "never.js": "export {};\n",
}


def test_the_joined_script_does_what_the_modules_did(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "node, which npm brings, is not on PATH"
    (tmp_path / "main.mjs").write_text(bundle.join(MODULES, "main.js"))
    ran = subprocess.run([node, tmp_path / "main.mjs"], capture_output=True, text=True, check=True)
    assert ran.stdout == "42-main 2 true\n2 41 1\n"


def test_a_module_is_there_once_and_only_if_it_is_needed() -> None:
    joined = bundle.join(MODULES, "main.js")
    assert joined.count("text.example") == 1
    assert "Not for browsers" not in joined
    assert "typedef" not in joined
    assert "// stays" in joined
    assert "never.js" not in joined


@pytest.mark.parametrize(
    "text",
    [
        'import "./text.js";',
        'import whole from "./text.js";',
        'import * as text from "./text.js";',
        'import { join } from "elsewhere";',
        'import { join } from "https://evil.example/x.js";',
        'export { join } from "./text.js";',
        "export default 1;",
        "export let changing = 1;",
        "export { join };",
        "await later();",
        "const text = import(elsewhere);",
        'const text = import("./nothing.js");',
    ],
)
def test_a_form_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(NotJoinable):
        bundle.join(MODULES | {"main.js": f"{text}\n"}, "main.js")


def test_a_circle_is_refused() -> None:
    modules = {
        "main.js": 'import { a } from "./a.js";\n',
        "a.js": 'import { b } from "./b.js";\nexport const a = 1;\n',
        "b.js": 'import { a } from "./a.js";\nexport const b = 1;\n',
    }
    with pytest.raises(NotJoinable, match=r"main\.js -> a\.js -> b\.js -> a\.js is a circle"):
        bundle.join(modules, "main.js")


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(NotJoinable, match=r"main\.js imports text\.js"):
        bundle.join({"main.js": MODULES["main.js"].replace("./parts/counter.js", "./text.js")}, "main.js")


def test_comments_are_left_out_and_nothing_else() -> None:
    kept = ("let a = 1; /* b */\n", "let b = `\n/* d */ ${a}`; // e\n(a).b;\nlet c = 2; /** f */\n")
    written = f"/** a */\n{kept[0]}  // c\n{kept[1]}".replace("(a)", "/** @type {X} */ (a)")
    assert bundle.without_comments(written) == "".join(kept)
    sheet = "/* a\n b */\np { color: red; }\n/* c */ q {}\n"
    assert bundle.style_without_comments(sheet) == "p { color: red; }\nq {}\n"


def test_sheets_are_joined_in_the_order_of_the_page() -> None:
    page = """<head>
<link rel="stylesheet" href="/x/b.css">
<link rel="icon" href="/x/i.svg">
<link rel="modulepreload" href="/x/a.js" />
<link rel="stylesheet" href="/x/a.css" media="print" />
</head>"""
    sheets = {"a.css": "a {}\n", "b.css": "b {}\n", "c.css": "c {}\n"}
    joined, sheet = bundle.join_sheets(page, sheets, base="/x/", joined="all.css")
    assert joined == '<head>\n<link rel="stylesheet" href="/x/all.css">\n<link rel="icon" href="/x/i.svg">\n</head>'
    assert sheet == "b {}\n@media print {\na {}\n}\n"
    with pytest.raises(NotJoinable, match=r"/x/b\.css"):
        bundle.join_sheets(page, {}, base="/x/", joined="all.css")


@pytest.mark.parametrize("folder", ["checkout", "playground"])
def test_our_own_pages_scripts_are_joined_and_still_javascript(folder: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "node, which npm brings, is not on PATH"
    served = load_site(folder, pages.CHECKOUT if folder == "checkout" else pages.PLAYGROUND).files
    assert [name for name in served if name.endswith((".js", ".css"))] == ["main.js", "main.css"]
    (tmp_path / "main.mjs").write_bytes(served["main.js"].body)
    subprocess.run([node, "--check", tmp_path / "main.mjs"], check=True)
