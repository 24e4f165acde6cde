"""$search: words of a name, joined by AND and OR (advanced query capabilities of directory objects)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from azext_trust.server.graph import errors
from azext_trust.server.graph.filter_test import Body, value_at

_TERM = re.compile(r'\s*\(*\s*"(?P<name>\w+):(?P<words>(?:[^"\\]|\\.)*)"\s*\)*\s*')
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
TOKENIZED = frozenset({"displayname", "description"})
"""Members searched by word; others by how they begin."""


@dataclass(frozen=True, slots=True)
class Search:
    """A $search, read: any of these groups of terms, of which all must fit; each a member and what is looked for."""

    groups: tuple[tuple[tuple[str, str], ...], ...]

    def fits(self, row: Body) -> bool:
        """Tell whether an object fits."""
        return any(all(_found(row, name, words) for name, words in group) for group in self.groups)


def parse(text: str) -> Search:
    """Read a $search.

    Raises:
        ServiceError: a part is not of the form ``"member:words"``.
    """
    groups: list[list[tuple[str, str]]] = [[]]
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise errors.bad_search(text)
        groups[-1].append((found["name"], re.sub(r"\\(.)", r"\1", found["words"])))
        at = found.end()
        joint = re.compile(r"(AND|OR)\b").match(text, at)
        if joint is None:
            break
        at = joint.end()
        if joint[1] == "OR":
            groups.append([])
    if at != len(text) or not groups[-1]:
        raise errors.bad_search(text)
    return Search(tuple(map(tuple, groups)))


def words_of(text: str) -> list[str]:
    """Return the words of a name: parted by spaces, signs, digits and capitals."""
    return [word.lower() for word in _WORD.findall(text)]


def _found(row: Body, name: str, words: str) -> bool:
    held = value_at(row, name)
    if not isinstance(held, str):
        return False
    if name.lower() not in TOKENIZED:
        return held.lower().startswith(words.lower())
    parts = [*words_of(held), *held.lower().split()]
    return all(any(part.startswith(word) for part in parts) for word in words.lower().split())
