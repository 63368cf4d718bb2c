"""The SDN list in its advanced XML form: its date of issue, and every digital currency address that it names.

OFAC publishes the file as `sdn_advanced.xml` (https://sanctionslist.ofac.treas.gov). Of its more than a hundred
megabytes only one listed party is in memory at a time. The namespace has changed over the years and is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from app.ports.screening import ListedAddress, ListRead, ListUnreadable

SOURCE: Final = "ofac_sdn"

_ROOT: Final = "Sanctions"
_ISSUED: Final = "DateOfIssue"
_LABEL: Final = "Digital Currency Address - "
_PARTY_DEPTH: Final = 3  # Sanctions / DistinctParties / DistinctParty, and its like in the other sections


class SdnAdvanced:
    """Implements ListFormat."""

    @property
    def source(self) -> str:
        """`ofac_sdn`."""
        return SOURCE

    def read(self, path: Path) -> ListRead:
        """Read a file from beginning to end; raises ListUnreadable and OSError."""
        reading = _Reading()
        try:
            with path.open("rb") as file:
                for depth, element in _walk(iterparse(file, events=("start", "end"), forbid_dtd=True)):
                    reading.take(depth, element)
        except (ParseError, DefusedXmlException) as error:
            raise ListUnreadable(f"{path.name} is not whole XML: {type(error).__name__}") from None
        return reading.result(path.name)


def _walk(events: Iterator[tuple[str, Element]]) -> Iterator[tuple[int, Element]]:
    """Every element as it ends, with its depth (1 is the root); what has been seen is forgotten."""
    open_elements: list[Element] = []
    for event, element in events:
        if event == "start":
            open_elements.append(element)
            if len(open_elements) == 1 and _word(element) != _ROOT:
                raise ListUnreadable(f"the file holds {_word(element)}, not {_ROOT}")
            continue
        yield len(open_elements), element
        open_elements.pop()
        if len(open_elements) == _PARTY_DEPTH - 1 and _word(open_elements[-1]) != _ISSUED:
            open_elements[-1].clear()


class _Reading:
    """What has been gathered so far."""

    def __init__(self) -> None:
        self._issued_on: date | None = None
        self._labels: dict[str, str] = {}  # by id of a kind of feature: the currency
        self._found: list[ListedAddress] = []

    def take(self, depth: int, element: Element) -> None:
        """Look at one element that has ended."""
        word = _word(element)
        if depth == _PARTY_DEPTH - 1 and word == _ISSUED:
            self._issued_on = _date(element)
        elif word == "FeatureType" and (element.text or "").startswith(_LABEL):
            self._labels[element.get("ID", "")] = (element.text or "").removeprefix(_LABEL).strip()
        elif depth == _PARTY_DEPTH and word == "DistinctParty":
            self._found += self._addresses(element)

    def _addresses(self, party: Element) -> Iterator[ListedAddress]:
        for feature in _all(party, "Feature"):
            label = self._labels.get(feature.get("FeatureTypeID", ""))
            if label is None:
                continue
            texts = [(detail.text or "").strip() for detail in _all(feature, "VersionDetail")]
            if not any(texts):
                raise ListUnreadable(f"entry {party.get('FixedRef')} has an address without text")
            for address in filter(None, texts):
                yield ListedAddress(address, label, party.get("FixedRef", ""), _name(party))

    def result(self, file_name: str) -> ListRead:
        """The list; raises ListUnreadable when it lacks its date or names no address at all."""
        if self._issued_on is None:
            raise ListUnreadable(f"{file_name} does not say when it was issued")
        if not self._found:
            raise ListUnreadable(f"{file_name} names no digital currency address")
        return ListRead(self._issued_on, tuple(dict.fromkeys(self._found)))


def _word(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _all(element: Element, word: str) -> Iterator[Element]:
    return (each for each in element.iter() if _word(each) == word)


def _date(element: Element) -> date:
    parts = {_word(part): (part.text or "").strip() for part in element}
    try:
        return date(int(parts["Year"]), int(parts["Month"]), int(parts["Day"]))
    except (KeyError, ValueError):
        raise ListUnreadable("the date of issue cannot be read") from None


def _name(party: Element) -> str:
    """The primary name of a listed party."""
    for alias in _all(party, "Alias"):
        if alias.get("Primary") == "true":
            return " ".join((part.text or "").strip() for part in _all(alias, "NamePartValue"))
    return ""
