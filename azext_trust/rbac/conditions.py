"""Conditions of role assignments (ABAC, version 2.0): read once, evaluated per query (rbac-semantics.md section 6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from azext_trust.rbac import match
from azext_trust.rbac.model import Query


class ConditionError(Exception):
    """A condition that cannot be read; the message names the place."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """``@Source[name]``, for instance ``@Request[Microsoft.ContainerRegistry/registries/repositories:name]``."""

    source: str
    name: str


Value = str | int | bool
Operand = Attribute | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: ``kind`` is and, or, not, action, suboperation, exists or compare."""

    kind: str
    parts: tuple[Node, ...] = ()
    text: str = ""
    left: Operand = ()
    right: Operand = ()


_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<attr>@\w+\[[^\]]*\])|(?P<punct>&&|\|\||[!(){},])"
    r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})|(?P<number>-?\d+)|(?P<word>[A-Za-z:]+))"
)


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ConditionError(f"The condition cannot be read at character {at + 1}: '{text[at : at + 20]}'.")
        found.append((str(token.lastgroup), token[str(token.lastgroup)], token.start(str(token.lastgroup))))
        at = token.end()
    return found


class _Parser:
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

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > 50:
            raise ConditionError("The condition is nested too deeply.")
        parts, joints = [self.negation()], set()
        while self.peek() in ("AND", "&&", "OR", "||"):
            joints.add("and" if self.take()[1].upper() in ("AND", "&&") else "or")
            parts.append(self.negation())
        self.depth -= 1
        if len(joints) > 1:
            raise ConditionError("AND and OR are mixed without parentheses.")
        return Node(joints.pop(), tuple(parts)) if joints else parts[0]

    def negation(self) -> Node:
        if self.peek() in ("NOT", "!"):
            self.take()
            self.depth += 1
            if self.depth > 50:
                raise ConditionError("The condition is nested too deeply.")
            inner = self.negation()
            self.depth -= 1
            return Node("not", (inner,))
        if self.peek() == "(":
            self.take()
            inner = self.expression()
            self.take(")")
            return inner
        return self.predicate()

    def predicate(self) -> Node:
        word = self.peek()
        if word in ("ACTIONMATCHES", "SUBOPERATIONMATCHES"):
            self.take()
            self.take("{")
            kind, text = self.take()
            if kind != "string":
                raise ConditionError(f"{word} needs a text in quotes.")
            self.take("}")
            return Node("action" if word == "ACTIONMATCHES" else "suboperation", text=_string(text))
        if word == "EXISTS":
            self.take()
            return Node("exists", left=self.operand())
        left = self.operand()
        _, name = self.take()
        if _operator(name) is None:
            raise ConditionError(f"'{name}' is no operator.")
        return Node("compare", text=name, left=left, right=self.operand())

    def operand(self) -> Operand:
        if self.peek() == "{":
            self.take()
            values = [self.value()]
            while self.peek() == ",":
                self.take()
                values.append(self.value())
            self.take("}")
            return tuple(values)
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "attr":
            source, _, name = self.take()[1][1:-1].partition("[")
            if source.lower() not in ("request", "resource", "principal", "environment"):
                raise ConditionError(f"'@{source}' is no source of attributes.")
            return Attribute(source.lower(), name.lower())
        return (self.value(),)

    def value(self) -> Value:
        kind, text = self.take()
        if kind == "string":
            return _string(text)
        if kind == "number":
            return int(text)
        if kind == "guid":
            return text.lower()
        if kind == "word" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise ConditionError(f"'{text}' is no value.")


def _string(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if "\\'" in text else text[1:-1]


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """Read a condition.

    Raises:
        ConditionError: it does not follow the grammar, or mixes AND and OR without parentheses.
    """
    if len(text) > 8192:
        raise ConditionError("The condition is longer than 8 KB.")
    parser = _Parser(text)
    found = parser.expression()
    if parser.at != len(parser.tokens):
        raise ConditionError(f"'{parser.tokens[parser.at][1]}' is not expected after the end of the condition.")
    return found


def evaluate(node: Node, query: Query) -> bool:
    """Tell whether a condition holds for a query."""
    if node.kind == "and":
        return all(evaluate(part, query) for part in node.parts)
    if node.kind == "or":
        return any(evaluate(part, query) for part in node.parts)
    if node.kind == "not":
        return not evaluate(node.parts[0], query)
    if node.kind == "action":
        return match.matches(node.text, query.action)
    if node.kind == "exists":
        return _values(node.left, query) is not None
    if node.kind == "compare":
        return _compare(node, query)
    # No operation of ours has suboperations.
    return False


def _values(operand: Operand, query: Query) -> tuple[Value, ...] | None:
    if not isinstance(operand, Attribute):
        return operand
    if operand.source == "environment":
        if operand.name != "utcnow" or query.now is None:
            return None
        return (query.now.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),)
    given = {"request": query.request, "resource": query.resource}.get(operand.source, {})
    found = next((value for name, value in given.items() if name.lower() == operand.name), None)
    if found is None:
        return None
    several = found if isinstance(found, list | tuple | set) else (found,)
    return tuple(value if isinstance(value, str | int) else str(value) for value in several)


def _like(left: str, right: str) -> bool:
    pattern = re.sub(r"\\\\(.)|\\([*?])", lambda m: m[0].replace("\\\\", "\\"), re.escape(right))
    return re.fullmatch(pattern.replace(r"\*", ".*").replace(r"\?", "."), left, re.DOTALL) is not None


Test = Callable[[Value, Value], bool]
_ORDER: dict[str, Callable[[object, object], bool]] = {
    "Equals": lambda a, b: a == b,
    "NotEquals": lambda a, b: a != b,
    "GreaterThan": lambda a, b: a > b,  # type: ignore[operator]  # both are int or both are str
    "GreaterThanEquals": lambda a, b: a >= b,  # type: ignore[operator]  # as above
    "LessThan": lambda a, b: a < b,  # type: ignore[operator]  # as above
    "LessThanEquals": lambda a, b: a <= b,  # type: ignore[operator]  # as above
}
_STRINGS: dict[str, Callable[[str, str], bool]] = {
    "Equals": lambda a, b: a == b,
    "StartsWith": lambda a, b: a.startswith(b),
    "Like": _like,
}


def _string_test(name: str) -> Test | None:
    rest = name.removeprefix("String")
    folded = rest.endswith("IgnoreCase")
    rest = rest.removesuffix("IgnoreCase")
    test = _STRINGS.get(rest.removeprefix("Not"))
    if test is None:
        return None
    negated = rest.startswith("Not")

    def compare(left: Value, right: Value) -> bool:
        a, b = (str(left).lower(), str(right).lower()) if folded else (str(left), str(right))
        return test(a, b) != negated

    return compare


@lru_cache(maxsize=256)
def _operator(name: str) -> Test | None:
    bare = name.rpartition(":")[2]
    if name != bare and name.rpartition(":")[0] not in _QUANTIFIERS:
        return None
    for prefix, same in (("Numeric", int), ("DateTime", str), ("Bool", bool), ("Guid", str)):
        if bare.startswith(prefix) and bare.removeprefix(prefix) in _ORDER:
            order = _ORDER[bare.removeprefix(prefix)]
            if prefix == "Guid":
                return lambda a, b: order(str(a).lower(), str(b).lower())
            return lambda a, b: isinstance(a, same) and isinstance(b, same) and order(a, b)
    return _string_test(bare) if bare.startswith("String") else None


_QUANTIFIERS: dict[str, tuple[Callable[[Iterable[object]], bool], Callable[[Iterable[object]], bool]]] = {
    "ForAnyOfAnyValues": (any, any),
    "ForAllOfAnyValues": (all, any),
    "ForAnyOfAllValues": (any, all),
    "ForAllOfAllValues": (all, all),
}


def _compare(node: Node, query: Query) -> bool:
    test = _operator(node.text)
    left, right = _values(node.left, query), _values(node.right, query)
    if test is None or left is None or right is None:
        return False
    over_left, over_right = _QUANTIFIERS.get(node.text.rpartition(":")[0], (any, any))
    return over_left(over_right(test(a, b) for b in right) for a in left)
