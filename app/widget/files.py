"""Files that never change while the process runs: read once, compressed once, and sent as often as asked."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from app.widget import bundle

ROOT: Final = files("app.widget").joinpath("static")
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}
_CACHED: Final = {"Cache-Control": "public, max-age=300"}


@dataclass(frozen=True, slots=True)
class File:
    """One file in both its forms; `tag` names its content, whichever form it is sent in."""

    body: bytes
    media_type: str
    compressed: bytes = field(init=False, repr=False)
    tag: str = field(init=False)

    def __post_init__(self) -> None:
        """Compress it, and name it."""
        object.__setattr__(self, "compressed", gzip.compress(self.body, mtime=0))
        object.__setattr__(self, "tag", f'W/"{hashlib.sha256(self.body).hexdigest()[:16]}"')

    def answer(self, request: Request, headers: Mapping[str, str] = _CACHED, status: int = 200) -> Response:
        """The file, or 304 when the caller has it already; compressed for who reads that."""
        sent = {"Vary": "Accept-Encoding", "ETag": self.tag, **headers}
        if status == 200 and _has(request, self.tag):
            return Response(status_code=304, headers=sent)
        if not _reads_gzip(request):
            return Response(self.body, status, sent, self.media_type)
        return Response(self.compressed, status, sent | {"Content-Encoding": "gzip"}, self.media_type)


@cache
def load(name: str) -> File:
    """One file of ours, by its name below `static/`; a script without its comments."""
    return _file(name, ROOT.joinpath(*name.split("/")).read_text())


@dataclass(frozen=True, slots=True)
class Site:
    """A page, and what it loads, by path: `main.js`, `main.css`, and what is neither script nor sheet."""

    page: str
    files: Mapping[str, File]


@cache
def load_site(folder: str, base: str) -> Site:
    """The page of a folder, with all its scripts in one and all its sheets in one; `base` is where it is served.

    Raises NotJoinable.
    """
    texts = dict(_walk(ROOT.joinpath(folder), ""))
    scripts, sheets = ({p: t for p, t in texts.items() if _ending(p) == kind} for kind in ("js", "css"))
    page, sheet = bundle.join_sheets(texts["page.html"], sheets, base=base, joined="main.css")
    served = {path: text for path, text in texts.items() if _ending(path) not in ("css", "html", "js")}
    served |= {"main.js": bundle.join(scripts, "main.js"), "main.css": sheet}
    return Site(page, MappingProxyType({path: _file(path, text) for path, text in served.items()}))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    """Every file below a folder that browsers may ask for, with its text."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif _ending(entry.name) in _TYPES:
            yield prefix + entry.name, entry.read_text()


def _file(name: str, text: str) -> File:
    ending = _ending(name)
    if ending == "js":
        text = bundle.without_comments(text)
    elif ending == "css":
        text = bundle.style_without_comments(text)
    return File(text.encode(), _TYPES[ending])


def _ending(name: str) -> str:
    return name.rpartition(".")[2]


def _has(request: Request, tag: str) -> bool:
    """Whether If-None-Match names what we would send; weakly, as RFC 9110, 13.1.2 says."""
    named = [part.strip() for value in request.headers.getlist("if-none-match") for part in value.split(",")]
    return "*" in named or tag.removeprefix("W/") in [part.removeprefix("W/") for part in named]


def _reads_gzip(request: Request) -> bool:
    """Whether Accept-Encoding takes gzip; a weight of zero refuses it."""
    for value in request.headers.getlist("accept-encoding"):
        for part in value.split(","):
            coding, _, weight = part.partition(";")
            if coding.strip().lower() == "gzip":
                return weight.replace(" ", "").lower() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
