"""The pages' texts: one JSON file for each language, the same keys in each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "fr")
_FOLDER = Path(__file__).with_name("words")
_PREFERENCE = re.compile(
    r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*"
)


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return all texts of a language by key."""
    loaded: Mapping[str, str] = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return loaded


class Words:
    """The texts of one language.

    Args:
        language: one of `LANGUAGES`.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = texts(language)

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its places filled.

        Raises:
            KeyError: no text has this key.
        """
        return self._texts[key].format(**values) if values else self._texts[key]

    def known(self, key: str, otherwise: str) -> str:
        """Return a text if there is one for a key that came from outside, else the other text."""
        return self._texts.get(key, otherwise)

    def count(self, key: str, number: int) -> str:
        """Return a text with a number, in the singular or the plural (``key.one``, ``key.many``)."""
        # French has the singular for 0 also (CLDR's plural rules).
        one = number == 1 or (number == 0 and self.language == "fr")
        return self(f"{key}.one" if one else f"{key}.many", count=number)


def negotiated(accepted: str) -> str:
    """Return the language that a browser likes best of ours (RFC 9110 section 12.5.4); English when it likes none.

    Args:
        accepted: the Accept-Language header.
    """
    best, weight = LANGUAGES[0], 0.0
    for part in accepted.split(",")[:50]:
        found = _PREFERENCE.fullmatch(part)
        if found and found[1].lower() in LANGUAGES and float(found[2] or 1) > weight:
            best, weight = found[1].lower(), float(found[2] or 1)
    return best
