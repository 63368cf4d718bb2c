"""What must never be sent to us, and so is never kept: card numbers, private keys, seed phrases, our own API keys.

A card number is 13 to 19 digits that begin like a payment card's (ISO/IEC 7812: 2 to 6) and pass the Luhn check, also
with spaces or dashes between groups. Hashes, addresses and UUIDs contain such digits by chance and are let through.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final


class Forbidden(StrEnum):
    """What was found."""

    CARD = "card"
    PRIVATE_KEY = "private_key"
    SEED_PHRASE = "seed_phrase"
    API_KEY = "api_key"


_API_KEY: Final = re.compile(r"rmp_sk_(?:test|live)_[0-9A-Za-z]{40,}")
_DIGITS: Final = re.compile(r"[0-9](?:[ -]?[0-9]){12,}")
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORD: Final = re.compile(r"[0-9A-Za-z]+")
_WORD_AT_END: Final = re.compile(r"[0-9A-Za-z]+\Z")
_SHORTEST_CARD: Final = 13
_LONGEST_CARD: Final = 19
_MOST_TRIES: Final = 100  # one number in ten passes the check: after so many, the text is a list of cards or noise
_LONGEST_DISGUISE: Final = 25  # a longer run of letters and digits is a hash, an address or an id
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_WIF: Final = re.compile(r"(?<![0-9A-Za-z])[5KL9c][1-9A-HJ-NP-Za-km-z]{50,51}(?![0-9A-Za-z])")
_EXTENDED: Final = re.compile(r"[xyztuvYZUV]prv[1-9A-HJ-NP-Za-km-z]{100,}")
_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_HEX_KEY: Final = re.compile(r"(?:0x)?[0-9A-Fa-f]{64}")
_SECRET_NAME: Final = re.compile(r"(?i)priv|secret|seed|mnemonic")
_LETTERS: Final = re.compile(r"[a-z]+")
_SHORTEST_PHRASE: Final = 12  # words, BIP-39
_SHORTEST_TELLING: Final = 13  # no shorter text holds any of this


def forbidden_in(text: str, name: str = "", *, cards: bool = True) -> Forbidden | None:
    """What the text holds that must not be there; `name` is the field's own, and may give a bare hex key away.

    Without `cards`, digits that look like a card number are not looked for: those of bank accounts do so by chance.
    """
    if len(text) < _SHORTEST_TELLING:
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)  # full-width digits are digits
    if _API_KEY.search(text):
        return Forbidden.API_KEY
    if cards and _holds_card(text):
        return Forbidden.CARD
    if len(text) >= 27:
        if _holds_private_key(text, name):
            return Forbidden.PRIVATE_KEY
        if _holds_seed_phrase(text):
            return Forbidden.SEED_PHRASE
    return None


def _holds_card(text: str) -> bool:
    if _UUID.fullmatch(text):
        return False
    for run in _DIGITS.finditer(text):
        if run.start() and text[run.start() - 1] in "0123456789":
            continue
        if not _in_identifier(text, run.start(), run.end()) and _is_card(re.split("[ -]", run[0])):
            return True
    return False


def _in_identifier(text: str, start: int, end: int) -> bool:
    """Whether the digits begin or end in a long word with letters in it; what lies between are digits alone."""
    for position in (start, end - 1):
        word = _word_around(text, position)
        if not word.isdigit():
            return len(word) > _LONGEST_DISGUISE
    return False


def _word_around(text: str, position: int) -> str:
    """The letters and digits around a position, no further to either side than matters."""
    before = text[max(0, position - _LONGEST_DISGUISE) : position]
    after = _WORD.match(text, position, position + _LONGEST_DISGUISE + 1)
    found = _WORD_AT_END.search(before)
    return (found[0] if found else "") + (after[0] if after else "")


def _is_card(groups: Sequence[str]) -> bool:
    """Whether some neighbouring groups of digits together are a card number; so many groups that one must be, count."""
    tried = 0
    for first, group in enumerate(groups):
        if group[0] not in "23456":
            continue
        number = ""
        for more in groups[first : first + _LONGEST_CARD]:
            number += more
            if len(number) > _LONGEST_CARD:
                break
            if len(number) >= _SHORTEST_CARD:
                tried += 1
                if tried > _MOST_TRIES or _luhn(number):
                    return True
    return False


def _luhn(number: str) -> bool:
    """The check digit of ISO/IEC 7812-1."""
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(number))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _holds_private_key(text: str, name: str) -> bool:
    if _PEM.search(text) or _EXTENDED.search(text):
        return True
    if _SECRET_NAME.search(name) and _HEX_KEY.fullmatch(text.strip()):
        return True
    return any(_is_wif(found[0]) for found in _WIF.finditer(text))


def _is_wif(text: str) -> bool:
    """Whether this is a private key in Bitcoin's wallet import format: base58 with a checksum."""
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    size = 38 if text[0] in "KLc" else 37
    if number.bit_length() > size * 8:
        return False
    data = number.to_bytes(size, "big")
    return hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


@cache
def _words() -> frozenset[str]:
    """The English word list of BIP-39."""
    return frozenset(Path(__file__).with_name("bip39_english.txt").read_text().split())


def _holds_seed_phrase(text: str) -> bool:
    words = _LETTERS.findall(text.lower())
    if len(words) < _SHORTEST_PHRASE:
        return False
    known = _words()
    return any(
        listed and sum(1 for _ in run) >= _SHORTEST_PHRASE
        for listed, run in groupby(words, key=lambda word: word in known)
    )
