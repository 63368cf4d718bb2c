"""The schemas of the messages, as sepaxml ships them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element

import sepaxml
import xmlschema


def check(root: Element, version: str) -> None:
    """Hold a file against the schema of its version; raises ValueError, with the place but without values."""
    error = next(_schema(version).iter_errors(root), None)
    if error is not None:
        raise ValueError(f"the file breaks the schema at {error.path}")


@cache
def _schema(version: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(Path(sepaxml.__file__).with_name("schemas") / f"{version}.xsd")
