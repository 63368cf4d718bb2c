"""What SEPA can carry as text: its character set, and how names of the wider Latin set are written in it.

The rules are the European Payments Council's: EPC132-08, SEPA Credit Transfer Customer-to-PSP Implementation
Guidelines (character set, lengths), and EPC217-08 (how names from the wider Latin set are converted).
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME = 70
MAX_REFERENCE = 140

CHARACTERS = r"A-Za-z0-9/\-?:().,'+ "  # for a regular expression's brackets; EPC132-08, 1.4

_OUTSIDE = re.compile(f"[^{CHARACTERS}]", re.ASCII)

# Letters that are not a basic letter with a mark on it (EPC217-08, chapter 6).
_LETTERS = str.maketrans(
    {
        "ß": "s",
        "Æ": "A",
        "æ": "a",
        "Œ": "O",
        "œ": "o",
        "Ø": "O",
        "ø": "o",
        "Đ": "D",
        "đ": "d",
        "Ð": "D",
        "ð": "d",
        "Ł": "L",
        "ł": "l",
        "Þ": "T",
        "þ": "t",
        "\u0131": "i",
        "Ħ": "H",
        "ħ": "h",
        "&": "+",
        "\u2019": "'",
        "\u2013": "-",
    }
)


def checked_reference(text: str) -> str:
    """A reference as it is, or empty; raises ValueError when it is too long or has other characters than SEPA's.

    It is never cut or changed: the receiver matches what they read against what they expect.
    """
    if len(text) > MAX_REFERENCE:
        raise ValueError(f"a reference has at most {MAX_REFERENCE} characters")
    if _OUTSIDE.search(text):
        raise ValueError("a reference has only the letters a to z, digits, spaces and /-?:().,'+")
    return text


def spelled_name(text: str) -> str:
    """A holder's name in SEPA's character set, accents taken off as EPC217-08 says: `Zoë Müller` is `Zoe Muller`.

    Raises ValueError for a name that is empty, too long, or of another script.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    name = "".join(letter for letter in plain if not unicodedata.combining(letter))
    if not name.strip() or len(name) > MAX_NAME:
        raise ValueError(f"a name has 1 to {MAX_NAME} characters")
    if _OUTSIDE.search(name):
        raise ValueError("a name has a character that SEPA cannot carry")
    return name
