"""OData of Graph's lists: $filter, $search, $select, $orderby, $top, $count, next links (OData 4.01 part 2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import parse_qsl, urlencode

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import errors

Body = dict[str, object]
Test = Callable[[Body], bool]
PAGE, MOST = 100, 999

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<punct>[(),:])|(?P<name>[A-Za-z_@$][\w./@-]*)"
    r"|(?P<number>-?\d[\w.:+-]*))"
)


def reply(call: Call, body: object, status: int = 200, **more: str) -> Reply:
    """Return an answer with Graph's headers."""
    return Reply(body, status, {**errors.headers(call), **more}, errors.MEDIA)


def context(call: Call, what: str) -> str:
    """Return the @odata.context of a collection or entity."""
    return f"{call.settings.origin}/v1.0/$metadata#{what}"


def listing(call: Call, what: str, rows: Iterable[Body]) -> Reply:
    """Return a page of a collection, filtered, ordered and cut as the query says.

    Raises:
        ServiceError: a parameter cannot be read.
    """
    found = [row for row in rows if _matches(call, row)]
    found = _ordered(found, call.query.get("$orderby", ""))
    size = _number(call, "$top", PAGE)
    at = _number(call, "$skiptoken", 0)
    body: Body = {"@odata.context": context(call, what)}
    if call.query.get("$count", "").lower() == "true":
        body["@odata.count"] = len(found)
    if len(found) > at + size:
        kept = [(k, v) for k, v in parse_qsl(call.raw_query) if k.lower() != "$skiptoken"]
        body["@odata.nextLink"] = f"{call.settings.origin}{call.path}?{urlencode([*kept, ('$skiptoken', at + size)])}"
    body["value"] = [selected(call, row) for row in found[at : at + size]]
    return reply(call, body)


def show_as(reply: Reply, shown: dict[str, Body]) -> None:
    """Replace the objects of a listing by shorter forms of themselves, by id."""
    assert isinstance(reply.body, dict)
    reply.body["value"] = [shown[row["id"]] for row in reply.body["value"]]


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isdigit() or (name == "$top" and not 1 <= int(text) <= MOST):
        raise errors.bad_request(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def selected(call: Call, row: Body) -> Body:
    """Return what $select names of an object; @-members stay."""
    names = [name.strip().lower() for name in call.query.get("$select", "").split(",") if name.strip()]
    if not names or "*" in names:
        return row
    return {name: value for name, value in row.items() if name.lower() in names or name.startswith("@")}


def entity(call: Call, what: str, row: Body, status: int = 200) -> Reply:
    """Return one object with its context."""
    return reply(call, {"@odata.context": context(call, f"{what}/$entity"), **selected(call, row)}, status)


def _ordered(rows: list[Body], text: str) -> list[Body]:
    for part in reversed([part for part in text.split(",") if part.strip()]):
        name, _, way = part.strip().partition(" ")
        rows = sorted(rows, key=lambda row: _sort_key(_value(row, name)), reverse=way.strip().lower() == "desc")
    return rows


def _sort_key(value: object) -> str:
    return str(value or "").lower()


def _matches(call: Call, row: Body) -> bool:
    text = call.query.get("$filter", "")
    searched = call.query.get("$search", "").strip()
    if text and not parse(text)(row):
        return False
    if searched:
        name, _, word = searched.strip('"').partition(":")
        return word.strip('"').lower() in str(_value(row, name) or "").lower()
    return True


_parsed: dict[str, Test] = {}


def parse(text: str) -> Test:
    """Return the test that a $filter is.

    Raises:
        ServiceError: it cannot be read.
    """
    if text not in _parsed:
        parser = _Parser(text)
        test = parser.either()
        if parser.at != len(parser.tokens):
            raise errors.bad_filter(f"Syntax error at position {parser.place()} in '{text}'.")
        if len(_parsed) > 500:
            _parsed.clear()
        _parsed[text] = test
    return _parsed[text]


def _value(row: Body, path: str) -> object:
    value: object = row
    for part in path.split("/"):
        if not isinstance(value, dict):
            return None
        value = next((v for k, v in value.items() if k.lower() == part.lower()), None)
    return value


def _same(left: object, right: object) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    return left == right


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

    def place(self) -> int:
        return self.tokens[self.at][2] if self.at < len(self.tokens) else len(self.text)

    def peek(self) -> str:
        return self.tokens[self.at][1].lower() if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> tuple[str, str]:
        if self.at >= len(self.tokens) or (wanted and self.peek() != wanted):
            raise errors.bad_filter(f"Syntax error at position {self.place()} in '{self.text}'.")
        self.at += 1
        kind, text, _ = self.tokens[self.at - 1]
        return kind, text

    def either(self) -> Test:
        self.depth += 1
        if self.depth > 30:
            raise errors.bad_filter("The filter is nested too deeply.")
        tests = [self.both()]
        while self.peek() == "or":
            self.take()
            tests.append(self.both())
        self.depth -= 1
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.peek() == "and":
            self.take()
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def one(self) -> Test:
        if self.peek() == "not":
            self.take()
            inner = self.one()
            return lambda row: not inner(row)
        if self.peek() == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        kind, name = self.take()
        if kind != "name":
            raise errors.bad_filter(f"Syntax error at position {self.place()} in '{self.text}'.")
        if self.peek() == "(" and name.lower() in ("startswith", "endswith", "contains"):
            return self.function(name.lower())
        if self.peek() == "(" and name.lower().endswith("/any"):
            return self.any_of(name[: -len("/any")])
        return self.comparison(name)

    def function(self, name: str) -> Test:
        self.take("(")
        path = self.take()[1]
        self.take(",")
        wanted = str(self.literal()).lower()
        self.take(")")
        test: Callable[[str], bool] = {
            "startswith": lambda text: text.startswith(wanted),
            "endswith": lambda text: text.endswith(wanted),
            "contains": lambda text: wanted in text,
        }[name]
        return lambda row: isinstance(_value(row, path), str) and test(str(_value(row, path)).lower())

    def any_of(self, path: str) -> Test:
        self.take("(")
        variable = self.take()[1]
        self.take(":")
        inner = self.either()
        self.take(")")

        def test(row: Body) -> bool:
            values = _value(row, path)
            return isinstance(values, list) and any(inner({variable: value}) for value in values)

        return test

    def comparison(self, path: str) -> Test:
        operator = self.take()[1].lower()
        if operator == "in":
            self.take("(")
            wanted = [self.literal()]
            while self.peek() == ",":
                self.take()
                wanted.append(self.literal())
            self.take(")")
            return lambda row: any(_same(_value(row, path), value) for value in wanted)
        if operator not in ("eq", "ne", "ge", "le", "gt", "lt"):
            raise errors.bad_filter(f"Syntax error at position {self.place()} in '{self.text}'.")
        value = self.literal()
        if operator in ("eq", "ne"):
            return lambda row: _same(_value(row, path), value) == (operator == "eq")
        order: dict[str, Callable[[str, str], bool]] = {
            "ge": str.__ge__, "le": str.__le__, "gt": str.__gt__, "lt": str.__lt__,
        }  # fmt: skip
        return lambda row: order[operator](str(_value(row, path) or ""), str(value))

    def literal(self) -> object:
        kind, text = self.take()
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "punct":
            raise errors.bad_filter(f"Syntax error at position {self.place()} in '{self.text}'.")
        words: dict[str, object] = {"true": True, "false": False, "null": None}
        return words.get(text.lower(), text)


_EQUAL = re.compile(r"\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)
_ANY = re.compile(r"\s*(\w+)/any\(\s*(\w+)\s*:\s*\2\s+eq\s+'((?:[^']|'')*)'\s*\)\s*", re.IGNORECASE)


def simple(call: Call) -> tuple[str, str] | None:
    """Return name and value of a filter that is one equality, so that an index can answer it."""
    text = call.query.get("$filter", "")
    found: Sequence[str] | None = None
    if match := _EQUAL.fullmatch(text):
        found = (match[1], match[2])
    elif match := _ANY.fullmatch(text):
        found = (match[1], match[3])
    return (found[0].lower(), found[1].replace("''", "'")) if found else None
