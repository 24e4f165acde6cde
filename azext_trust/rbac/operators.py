"""The operators of conditions: each compares one value with another (rbac-semantics.md section 6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

Value = str | int | bool
Test = Callable[[Value, Value], bool]
Over = Callable[[Iterable[object]], bool]

_TICKS = 10_000_000
"""A tick is 100 nanoseconds, the finest the format of dates can say."""
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7})\d*)?(?:Z|([+-])(\d\d):(\d\d))", re.IGNORECASE
)


def is_like(name: str) -> bool:
    """Tell whether an operator's right side is a pattern, in which a backslash has a meaning of its own."""
    return "like" in name.lower()


@lru_cache(maxsize=4096)
def like(pattern: str) -> Callable[[str], object]:
    """Return the test that a ``StringLike`` pattern is: ``*`` many, ``?`` one, backslash escapes; the whole string."""
    parts = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\" and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at]))
        else:
            parts.append({"*": ".*", "?": "."}.get(sign, re.escape(sign)))
        at += 1
    return re.compile("".join(parts), re.DOTALL).fullmatch


@lru_cache(maxsize=4096)
def ticks(text: str) -> int | None:
    """Return a moment (``yyyy-mm-ddThh:mm:ss.fffffffZ``) as a number that can be compared, or None."""
    from datetime import datetime, timedelta, timezone

    found = _DATE.fullmatch(text)
    if found is None:
        return None
    zone = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0)) * (-1 if found[8] == "-" else 1)
    try:
        moment = datetime(*(int(found[at]) for at in range(1, 7)), tzinfo=timezone(zone))  # type: ignore[arg-type, misc]
        since = moment - datetime(1, 1, 1, tzinfo=timezone.utc)  # noqa: UP017  (the same word as in the line above)
    except (ValueError, OverflowError):
        return None
    return (since.days * 86400 + since.seconds) * _TICKS + int((found[7] or "0").ljust(7, "0"))


_ORDER: Mapping[str, Callable[[int, int], bool]] = {
    "equals": lambda a, b: a == b,
    "notequals": lambda a, b: a != b,
    "greaterthan": lambda a, b: a > b,
    "greaterthanequals": lambda a, b: a >= b,
    "lessthan": lambda a, b: a < b,
    "lessthanequals": lambda a, b: a <= b,
}
_STRINGS: Mapping[str, Callable[[str, str], bool]] = {
    "equals": lambda a, b: a == b,
    "startswith": lambda a, b: a.startswith(b),
    "like": lambda a, b: like(b)(a) is not None,
}


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(value: Value) -> int | None:
    return ticks(value) if isinstance(value, str) else None


def _ordered(order: Callable[[int, int], bool], read: Callable[[Value], int | None]) -> Test:
    def test(left: Value, right: Value) -> bool:
        a, b = read(left), read(right)
        return a is not None and b is not None and order(a, b)

    return test


def _boolean(negated: bool) -> Test:
    return lambda a, b: isinstance(a, bool) and isinstance(b, bool) and (a is b) != negated


def _guid(value: Value) -> str | None:
    # RoleDefinitionId may be given whole: its GUID is at the end (section 6.2).
    return value.rpartition("/")[2].lower() if isinstance(value, str) else None


def _guids(negated: bool) -> Test:
    def test(left: Value, right: Value) -> bool:
        a, b = _guid(left), _guid(right)
        return a is not None and b is not None and (a == b) != negated

    return test


def _strings(compare: Callable[[str, str], bool], negated: bool, folded: bool) -> Test:
    def test(left: Value, right: Value) -> bool:
        if not isinstance(left, str) or not isinstance(right, str):
            return False
        return compare(left.lower() if folded else left, right.lower() if folded else right) != negated

    return test


def _all() -> dict[str, Test]:
    found: dict[str, Test] = {}
    for name, order in _ORDER.items():
        found["numeric" + name] = _ordered(order, _number)
        found["datetime" + name] = _ordered(order, _moment)
    for word, negated in (("", False), ("not", True)):
        found[f"bool{word}equals"] = _boolean(negated)
        found[f"guid{word}equals"] = _guids(negated)
        for name, compare in _STRINGS.items():
            found[f"string{word}{name}"] = _strings(compare, negated, False)
            found[f"string{word}{name}ignorecase"] = _strings(compare, negated, True)
    return found


OPERATORS: Mapping[str, Test] = _all()
"""Every operator, by its name in lower case."""
QUANTIFIERS: Mapping[str, tuple[Over, Over]] = {
    "foranyofanyvalues": (any, any),
    "forallofanyvalues": (all, any),
    "foranyofallvalues": (any, all),
    "forallofallvalues": (all, all),
}
"""Over the values on the left, then over those on the right, by the quantifier's name in lower case."""


def operator(name: str) -> tuple[Test, Over, Over] | None:
    """Return an operator's test with its quantifiers over left and right, or None when there is no such operator."""
    quantifier, colon, bare = name.lower().rpartition(":")
    test = OPERATORS.get(bare)
    if test is None or (colon and quantifier not in QUANTIFIERS):
        return None
    return (test, *QUANTIFIERS.get(quantifier, (any, any)))
