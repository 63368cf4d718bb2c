"""The house rules that no linter knows: sizes, docstrings, a pure domain, and nothing that names a place."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ("app", "providers", "webhooks", "openapi", "bench", "tests")
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 45
# Files that may be longer, each with the reason.
LONGER: dict[str, str] = {}

# Split, so that this file does not hold them.
REGISTRY_HOSTS = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry.npm" + "js.org",
    "registry.yarn" + "pkg.com",
    "proxy.go" + "lang.org",
    "crates" + ".io",
    "rubygems" + ".org",
    "anaconda" + ".org",
    "repo.maven" + ".apache.org",
    "docker" + ".io",
    "gh" + "cr.io",
    "quay" + ".io",
)
HOME_PATH = re.compile(r"(?<![\w.}>/])/(?:root|home/\w|Users/\w|work/\w)")
GENERATED = {"var", "node_modules", "build", "dist", "__pycache__"}
HIDDEN_BUT_OURS = {".ci", ".github"}

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def python_files() -> list[str]:
    """Every Python file of ours, relative to the root."""
    found = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def text_files() -> Iterator[Path]:
    """Every file, without the directories that a tool made."""
    for folder, below, names in os.walk(ROOT):
        below[:] = [
            name
            for name in below
            if name not in GENERATED
            and not name.endswith(".egg-info")
            and (not name.startswith(".") or name in HIDDEN_BUT_OURS)
        ]
        yield from (Path(folder, name) for name in sorted(names))


@cache
def parsed(name: str) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse((ROOT / name).read_text(), name)


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    """Every function in a tree, however deep."""
    return (node for node in ast.walk(tree) if isinstance(node, FunctionNode))


def public(body: list[ast.stmt]) -> Iterator[FunctionNode | ast.ClassDef]:
    """The public classes, functions and methods of a module."""
    for node in body:
        if isinstance(node, FunctionNode | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def test_there_is_something_to_look_at() -> None:
    assert len(python_files()) > 50
    assert {"Makefile", "pyproject.toml", "run"} <= {path.name for path in text_files()}


@pytest.mark.parametrize("name", python_files())
def test_file(name: str) -> None:
    tree = parsed(name)
    problems = []
    text = (ROOT / name).read_text()
    lines = len(text.splitlines())
    if lines >= MAX_FILE_LINES and name not in LONGER:
        problems.append(f"{lines} lines")
    said = ast.get_docstring(tree) or ""
    empty_test_folder = name.startswith("tests/") and not text
    if not empty_test_folder and not re.match(r".{10,}?[.:](\s|$)", said, re.DOTALL):
        problems.append("does not open with a sentence")
    for node in functions(tree):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length >= MAX_FUNCTION_LINES:
            problems.append(f"{node.name} has {length} lines")
    assert problems == []


@pytest.mark.parametrize("name", [name for name in python_files() if name.startswith("app/")])
def test_public_names_have_docstrings(name: str) -> None:
    silent = [node.name for node in public(parsed(name).body) if not ast.get_docstring(node)]
    assert silent == []


@pytest.mark.parametrize("name", [name for name in python_files() if name.startswith(("app/domain/", "app/ports/"))])
def test_rules_and_ports_need_the_standard_library_only(name: str) -> None:
    imported = set()
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or ".")
    ours = ("app.domain",) if name.startswith("app/domain/") else ("app.domain", "app.ports")
    strange = {
        module
        for module in imported
        if module.split(".")[0] not in sys.stdlib_module_names and ".".join(module.split(".")[:2]) not in ours
    }
    assert strange == set()


def test_nothing_names_a_registry_or_a_home() -> None:
    found = []
    for path in text_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        names = [host for host in REGISTRY_HOSTS if host in text]
        names += HOME_PATH.findall(text)
        found += [f"{path.relative_to(ROOT)}: {name}" for name in names]
    assert found == []


def test_longer_files_are_really_longer() -> None:
    """An entry that is no longer needed goes."""
    assert [name for name in LONGER if len((ROOT / name).read_text().splitlines()) < MAX_FILE_LINES] == []
