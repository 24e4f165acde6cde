"""The small OData that ARM's lists take: equalities, prefixes and substrings joined by and / or."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from azext_trust.server.arm import errors

Row = Mapping[str, object]
Test = Callable[[Row], bool]
_EQUAL = re.compile(r"(\w+)\s+(eq|ne)\s+'((?:[^']|'')*)'", re.IGNORECASE)
_STARTS = re.compile(r"startswith\(\s*(\w+)\s*,\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)
_INSIDE = re.compile(r"substringof\(\s*'((?:[^']|'')*)'\s*,\s*(\w+)\s*\)", re.IGNORECASE)


def parse(text: str, members: frozenset[str]) -> Test:
    """Return the test that a $filter is.

    Args:
        text: the filter; empty: everything fits.
        members: the members it may name, lower case. A member's value is a text, or a list of which one must fit.

    Raises:
        ServiceError: another form, or another member.
    """
    if not text.strip():
        return lambda row: True
    either = [
        [_term(part, members, text) for part in _split(side, "and")] for side in _split(text, "or")
    ]  # fmt: skip
    return lambda row: any(all(test(row) for test in both) for both in either)


def _split(text: str, word: str) -> list[str]:
    """Split at a word outside quotes; a pair of parentheses around a part is taken off."""
    parts = re.split(rf"\s+{word}\s+(?=(?:[^']*'[^']*')*[^']*$)", text.strip(), flags=re.IGNORECASE)
    return [_bare(part) for part in parts]


def _bare(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text


def _term(text: str, members: frozenset[str], whole: str) -> Test:
    if found := _EQUAL.fullmatch(text):
        name, value, same = found[1].lower(), _value(found[3]), found[2].lower() == "eq"
        test: Test = lambda row: any(held == value for held in _held(row, name)) == same  # noqa: E731
    elif found := _STARTS.fullmatch(text):
        name, value = found[1].lower(), _value(found[2])
        test = lambda row: any(held.startswith(value) for held in _held(row, name))  # noqa: E731
    elif found := _INSIDE.fullmatch(text):
        name, value = found[2].lower(), _value(found[1])
        test = lambda row: any(value in held for held in _held(row, name))  # noqa: E731
    else:
        raise errors.bad_filter(whole)
    if name not in members:
        raise errors.bad_filter(whole)
    return test


def _value(text: str) -> str:
    return text.replace("''", "'").lower()


def _held(row: Row, name: str) -> list[str]:
    held = row.get(name)
    return [str(one).lower() for one in (held if isinstance(held, list) else [held]) if one is not None]


def tags(held: Mapping[str, str]) -> dict[str, object]:
    """Return what a filter sees of tags: ``tagname`` and ``tagvalue``."""
    return {"tagname": list(held), "tagvalue": list(held.values())}
