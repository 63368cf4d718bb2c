"""Joining a page's scripts, and its sheets, when the process starts: two requests in place of fifty, no build step.

Modules keep to a few forms, and anything else is refused at once: `import { a, b as c } from "./x.js";`,
`import("./x.js")` and `export` before a declaration; none imports itself by any way. Each becomes a function that is
called once and returns what it exports.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Final

_IMPORT: Final = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_IMPORT_LATER: Final = re.compile(r'\bimport\("(\.{1,2}/[^"]+)"\)')
_EXPORT: Final = re.compile(r"^export (?=(?:(?:async )?function\*?|class|const) (\w+))", re.MULTILINE)
_LEFT: Final = re.compile(r"^(?:import|export|await)\b|\bimport\(", re.MULTILINE)
_RENAMED: Final = re.compile(r"\b(\w+) as (\w+)\b")
# Comments that have their lines to themselves, and types between other words: neither stands within a string.
_COMMENTS: Final = re.compile(r"^[ \t]*(?://[^\n]*|/\*\*(?:(?!\*/).)*\*/[ \t]*)\n", re.MULTILINE | re.DOTALL)
_CASTS: Final = re.compile(r"/\*\* @(?:type|param|returns) [^*\n]*\*/ ?")
_STYLE_COMMENTS: Final = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
_INDENTATION: Final = re.compile(r"^[ \t]+", re.MULTILINE)
_PRELOAD: Final = re.compile(r'<link rel="modulepreload"[^>]*>\s*')
_SHEET: Final = re.compile(r'<link rel="stylesheet" href="([^"]+)"(?: media="([a-z]+)")?(?: /)?>\s*')


class NotJoinable(RuntimeError):
    """A module is written in a way that cannot be joined; the message says which."""


def without_comments(script: str) -> str:
    """The same script for browsers, which do not read comments."""
    return _CASTS.sub("", _COMMENTS.sub("", script))


def style_without_comments(sheet: str) -> str:
    """The same style sheet for browsers."""
    return _INDENTATION.sub("", _STYLE_COMMENTS.sub("", sheet))


def join_sheets(page: str, sheets: Mapping[str, str], *, base: str, joined: str) -> tuple[str, str]:
    """A page with one link, to the sheet `joined` below `base`, in place of those to all its sheets; and that sheet.

    `sheets` are texts by path below `base`. Raises NotJoinable.
    """
    texts: list[str] = []
    page = _PRELOAD.sub("", page)  # of scripts that are parts of another one now

    def taken(match: re.Match[str]) -> str:
        sheet = sheets.get(match[1].removeprefix(base))
        if sheet is None:
            raise NotJoinable(f"there is no sheet {match[1]}")
        texts.append(f"@media {match[2]} {{\n{sheet}}}\n" if match[2] else sheet)
        return f'<link rel="stylesheet" href="{base}{joined}">\n' if len(texts) == 1 else ""

    return _SHEET.sub(taken, page), "".join(texts)


def join(modules: Mapping[str, str], entry: str) -> str:
    """One module that does what `entry` does, with all that it imports at once or later. `modules` are texts by path.

    Raises NotJoinable.
    """
    joiner = _Joiner(modules)
    joiner.add(entry, ())
    while joiner.later:
        joiner.add(joiner.later.pop(0), ())
    return "".join(joiner.parts)


class _Joiner:
    """The modules that are joined so far, each after those that it needs; and those that are needed later."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules
        self._there: set[str] = set()
        self.parts: list[str] = []
        self.later: list[str] = []

    def add(self, path: str, way: tuple[str, ...]) -> None:
        """Add a module, unless it is there already; `way` are the modules that it is added for."""
        if path in self._there:
            return
        if path in way:
            raise NotJoinable(f"{' -> '.join((*way, path))} is a circle")
        if path not in self._modules:
            raise NotJoinable(f"{way[-1] if way else 'nobody'} imports {path}, which is not there")
        text = without_comments(self._modules[path])
        exported = ", ".join(match[1] for match in _EXPORT.finditer(text))
        body = _IMPORT.sub(lambda match: self._imported(match, path, way), text)
        body = _IMPORT_LATER.sub(lambda match: self._imported_later(match, path), body)
        body = _EXPORT.sub("", body.replace("export {};\n", ""))
        if left := _LEFT.search(body):
            raise NotJoinable(f"{path}: `{left[0]}` in a form that is not known")
        self._there.add(path)
        self.parts.append(f"const {_name(path)} = (() => {{\n{body}return {{ {exported} }};\n}})();\n")

    def _imported(self, match: re.Match[str], path: str, way: tuple[str, ...]) -> str:
        other = _other(path, match[2])
        self.add(other, (*way, path))
        names = _RENAMED.sub(r"\1: \2", match[1])
        return f"const {{{names}}} = {_name(other)};\n"

    def _imported_later(self, match: re.Match[str], path: str) -> str:
        other = _other(path, match[1])
        self.later.append(other)
        return f"Promise.resolve().then(() => {_name(other)})"  # by then all of the script has run


def _other(path: str, relative: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))


def _name(path: str) -> str:
    """The variable that holds what a module exports; no two of our paths differ in their signs only."""
    return "$" + re.sub(r"\W", "_", path)
