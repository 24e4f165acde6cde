"""Conditions of role assignments (ABAC, version 2.0): read once, evaluated per query (rbac-semantics.md section 6).

A condition becomes a function of the query that returns True, False or None. None means "it depends": only an open
query (who can, for any request) meets it, where an attribute was not given. Kleene's logic carries it upwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from azext_trust.rbac import match, operators
from azext_trust.rbac.model import Query
from azext_trust.rbac.operators import Over, Test, Value

LIMIT = 8192
"""The longest condition, in characters."""
_DEPTH = 50

Condition = Callable[[Query], bool | None]


class ConditionError(Exception):
    """A condition that cannot be read; the message names the place."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """``@Source[name]``, for instance ``@Request[Microsoft.ContainerRegistry/registries/repositories:name]``."""

    source: str
    name: str


Operand = tuple["Attribute | Value", ...]
"""What stands on one side of an operator: one attribute or value, or the members of a set."""

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<attr>@\w+\[[^\]]+\])|(?P<punct>&&|\|\||[!(){},])"
    r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})|(?P<number>-?\d+)|(?P<word>[A-Za-z:]+))",
    re.DOTALL,
)


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ConditionError(f"The condition cannot be read at character {at + 1}: '{text[at : at + 20]}'.")
        kind = str(token.lastgroup)
        found.append((kind, token[kind], token.start(kind)))
        at = token.end()
    return found


def _literal(text: str) -> str:
    """Return what a quoted text says: a backslash makes the next character literal."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class _Parser:
    """Reads the grammar of section 6 by recursive descent, straight into functions."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at][1].upper() if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise ConditionError("The condition ends too early.")
        kind, text, place = self.tokens[self.at]
        if wanted and text.upper() not in wanted:
            raise ConditionError(f"'{text}' is not expected at character {place + 1} of the condition.")
        self.at += 1
        return kind, text

    def deeper(self, by: int) -> None:
        self.depth += by
        if self.depth > _DEPTH:
            raise ConditionError("The condition is nested too deeply.")

    def expression(self) -> Condition:
        self.deeper(1)
        parts, joints = [self.negation()], set()
        while self.peek() in ("AND", "&&", "OR", "||"):
            joints.add("and" if self.take()[1].upper() in ("AND", "&&") else "or")
            parts.append(self.negation())
        self.deeper(-1)
        if len(joints) > 1:
            raise ConditionError("AND and OR are mixed without parentheses.")
        return _joined(joints.pop() == "or", tuple(parts)) if joints else parts[0]

    def negation(self) -> Condition:
        if self.peek() in ("NOT", "!"):
            self.take()
            self.deeper(1)
            inner = self.negation()
            self.deeper(-1)
            return _negated(inner)
        if self.peek() == "(":
            self.take()
            inner = self.expression()
            self.take(")")
            return inner
        return self.predicate()

    def predicate(self) -> Condition:
        word = self.peek()
        if word in ("ACTIONMATCHES", "SUBOPERATIONMATCHES"):
            self.take()
            self.take("{")
            kind, text = self.take()
            if kind != "string":
                raise ConditionError(f"{word} needs a text in quotes.")
            self.take("}")
            matches = match.compile_pattern(_literal(text[1:-1]))
            return _action_matches(matches) if word == "ACTIONMATCHES" else _suboperation_matches(matches)
        if word == "EXISTS":
            self.take()
            attribute = self.operand(False)[0]
            if not isinstance(attribute, Attribute):
                raise ConditionError("Exists needs an attribute.")
            return _exists(attribute)
        return self.comparison()

    def comparison(self) -> Condition:
        left = self.operand(False)
        _, name = self.take()
        found = operators.operator(name)
        if found is None:
            raise ConditionError(f"'{name}' is no operator.")
        return _comparison(found, left, self.operand(operators.is_like(name)))

    def operand(self, pattern: bool) -> Operand:
        if self.peek() != "{":
            return (self.value(pattern),)
        self.take()
        values = [self.value(pattern)]
        while self.peek() == ",":
            self.take()
            values.append(self.value(pattern))
        self.take("}")
        return tuple(values)

    def value(self, pattern: bool) -> Attribute | Value:
        kind, text = self.take()
        if kind == "attr":
            source, _, name = text[1:-1].partition("[")
            if source.lower() not in ("request", "resource", "principal", "environment"):
                raise ConditionError(f"'@{source}' is no source of attributes.")
            return Attribute(source.lower(), name.strip().lower())
        if kind == "string":
            return text[1:-1] if pattern else _literal(text[1:-1])
        if kind == "number":
            return int(text)
        if kind == "guid":
            return text.lower()
        if kind == "word" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise ConditionError(f"'{text}' is no value.")


@lru_cache(maxsize=16384)
def parse(text: str) -> Condition:
    """Read a condition.

    Args:
        text: as it stands in the assignment, at most `LIMIT` characters.

    Returns:
        What tells whether it holds for a query: True, False, or None where an open query leaves it undecided.

    Raises:
        ConditionError: it does not follow the grammar, or mixes AND and OR without parentheses.
    """
    if len(text) > LIMIT:
        raise ConditionError("The condition is longer than 8 KB.")
    parser = _Parser(text)
    found = parser.expression()
    if parser.at != len(parser.tokens):
        raise ConditionError(f"'{parser.tokens[parser.at][1]}' is not expected after the end of the condition.")
    return found


def holds(text: str, query: Query) -> bool | None:
    """Tell whether a stored condition holds for a query; None means that it depends.

    One that cannot be read grants nothing, which is the safe side; to an open query it is unknown.
    """
    try:
        condition = parse(text)
    except ConditionError:
        return None if query.open else False
    return condition(query)


def _joined(either: bool, parts: tuple[Condition, ...]) -> Condition:
    def evaluate(query: Query) -> bool | None:
        unknown = False
        for part in parts:
            found = part(query)
            if found is either:
                return either
            unknown = unknown or found is None
        return None if unknown else not either

    return evaluate


def _negated(inner: Condition) -> Condition:
    def evaluate(query: Query) -> bool | None:
        found = inner(query)
        return None if found is None else not found

    return evaluate


def _action_matches(matches: match.Matcher) -> Condition:
    return lambda query: matches(query.action.lower())


def _suboperation_matches(matches: match.Matcher) -> Condition:
    def evaluate(query: Query) -> bool | None:
        if query.suboperation is None:
            return None if query.open else False
        return matches(query.suboperation.lower())

    return evaluate


def _exists(attribute: Attribute) -> Condition:
    def evaluate(query: Query) -> bool | None:
        return True if _given(attribute, query) is not None else None if query.open else False

    return evaluate


def _comparison(found: tuple[Test, Over, Over], left: Operand, right: Operand) -> Condition:
    test, over_left, over_right = found

    def evaluate(query: Query) -> bool | None:
        a, b = _values(left, query), _values(right, query)
        if a is None or b is None:
            # A missing attribute makes a comparison false, also a negated one [unconfirmed].
            return None if query.open else False
        return over_left(over_right(test(one, other) for other in b) for one in a)

    return evaluate


def _values(operand: Operand, query: Query) -> tuple[Value, ...] | None:
    found: list[Value] = []
    for part in operand:
        if isinstance(part, Attribute):
            given = _given(part, query)
            if given is None:
                return None
            found += given
        else:
            found.append(part)
    return tuple(found)


def _given(attribute: Attribute, query: Query) -> tuple[Value, ...] | None:
    if attribute.source == "environment":
        if attribute.name != "utcnow" or query.now is None:
            return None
        return (query.now.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),)
    given = {"request": query.request, "resource": query.resource}.get(attribute.source, query.principal)
    found = next((value for name, value in given.items() if name.lower() == attribute.name), None)
    if found is None:
        return None
    several = found if isinstance(found, list | tuple | set | frozenset) else (found,)
    return tuple(value if isinstance(value, str | int) else str(value) for value in several)
