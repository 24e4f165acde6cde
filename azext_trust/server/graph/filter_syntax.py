"""$filter as a tree (OData 4.01 part 2, section 5.1.1); what it means is another file's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from azext_trust.server.graph import errors

Value = str | int | float | bool | None
FUNCTIONS = ("startswith", "endswith", "contains")
OPERATORS = ("eq", "ne", "ge", "le", "gt", "lt")
_DEPTH = 30

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<punct>[(),:])"
    r"|(?P<number>-?\d[\w.:+-]*)|(?P<name>[A-Za-z_@$][\w./@$-]*))"
)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Compare:
    """``path op value``; a value that is not quoted and no number is a GUID, date or enumeration, kept as text."""

    path: str
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Among:
    """``path in (a, b)``."""

    path: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """``startswith(path, 'x')`` and its like."""

    name: str
    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Lambda:
    """``path/any(x: inner)``, ``path/all(..)``; no inner part: the list is not empty."""

    path: str
    every: bool
    variable: str = ""
    inner: Node | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts joined by ``and`` or ``or``."""

    word: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """``not part``."""

    part: Node


Node = Compare | Among | Call | Lambda | Joined | Negated


@lru_cache(maxsize=500)
def parse(text: str) -> Node:
    """Return the tree of a $filter.

    Raises:
        ServiceError: it cannot be read; the message names the place.
    """
    parser = _Parser(text)
    found = parser.either()
    if parser.at != len(parser.tokens):
        raise parser.failure()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0
        self.tokens: list[tuple[str, str, int]] = []
        place = 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            if found is None:
                raise errors.bad_filter(
                    f"There is an unterminated literal or a syntax error at position {place} in '{text}'."
                )
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind], found.start(kind)))
            place = found.end()

    def failure(self) -> Exception:
        place = self.tokens[self.at][2] if self.at < len(self.tokens) else len(self.text)
        return errors.bad_filter(f"Syntax error at position {place} in '{self.text}'.")

    def peek(self) -> str:
        return self.tokens[self.at][1].lower() if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> tuple[str, str]:
        if self.at >= len(self.tokens) or (wanted and self.peek() != wanted):
            raise self.failure()
        self.at += 1
        kind, text, _ = self.tokens[self.at - 1]
        return kind, text

    def name(self) -> str:
        kind, text = self.take()
        if kind != "name":
            self.at -= 1
            raise self.failure()
        return text

    def either(self) -> Node:
        self.depth += 1
        if self.depth > _DEPTH:
            raise errors.bad_filter("The filter is nested too deeply.")
        found = self.joined("or", lambda: self.joined("and", self.one))
        self.depth -= 1
        return found

    def joined(self, word: str, part) -> Node:  # type: ignore[no-untyped-def]  # a method without arguments
        parts = [part()]
        while self.peek() == word:
            self.take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def one(self) -> Node:
        if self.peek() == "not":
            self.take()
            self.depth += 1
            if self.depth > _DEPTH:
                raise errors.bad_filter("The filter is nested too deeply.")
            inner = self.one()
            self.depth -= 1
            return Negated(inner)
        if self.peek() == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        name = self.name()
        if self.peek() == "(" and name.lower() in FUNCTIONS:
            return self.function(name.lower())
        path, _, word = name.rpartition("/")
        if self.peek() == "(" and word.lower() in ("any", "all") and path:
            return self.over(path, every=word.lower() == "all")
        return self.comparison(name)

    def function(self, name: str) -> Node:
        self.take("(")
        path = self.name()
        self.take(",")
        value = self.literal()
        self.take(")")
        if not isinstance(value, str):
            raise self.failure()
        return Call(name, path, value)

    def over(self, path: str, *, every: bool) -> Node:
        self.take("(")
        if self.peek() == ")" and not every:
            self.take()
            return Lambda(path, every)
        variable = self.name()
        self.take(":")
        inner = self.either()
        self.take(")")
        return Lambda(path, every, variable, inner)

    def comparison(self, path: str) -> Node:
        operator = self.name().lower()
        if operator == "in":
            self.take("(")
            values = [self.literal()]
            while self.peek() == ",":
                self.take()
                values.append(self.literal())
            self.take(")")
            return Among(path, tuple(values))
        if operator not in OPERATORS:
            self.at -= 1
            raise self.failure()
        return Compare(path, operator, self.literal())

    def literal(self) -> Value:
        kind, text = self.take()
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "punct":
            self.at -= 1
            raise self.failure()
        if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", text):
            return float(text) if "." in text else int(text)
        words: dict[str, Value] = {"true": True, "false": False, "null": None}
        return words.get(text.lower(), text)


def features(node: Node) -> set[str]:
    """Return what a filter uses that Entra answers only with ConsistencyLevel: eventual, as its errors name it."""
    if isinstance(node, Joined):
        return set().union(*(features(part) for part in node.parts))
    if isinstance(node, Negated):
        return {"Not"} | features(node.part)
    if isinstance(node, Lambda):
        return features(node.inner) if node.inner is not None else set()
    if isinstance(node, Compare) and node.operator == "ne":
        return {"NotEqualsMatch"}
    return {"endsWith"} if isinstance(node, Call) and node.name == "endswith" else set()


def is_guid(value: Value) -> bool:
    """Tell whether a value is a GUID's text."""
    return isinstance(value, str) and _GUID.fullmatch(value) is not None
