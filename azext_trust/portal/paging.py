"""Long lists in pages: a page's address says where it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from azext_trust.portal.visit import Visit

SIZE = 50
"""Rows on a page."""
REACH = 5
"""ARM pages that one page of ours reads at most, when a filter leaves few of their rows."""

T = TypeVar("T")


def link(visit: Visit, after: str) -> str:
    """Return this page's address with another beginning; empty means the first."""
    kept = [(name, value) for name, values in visit.asked.query.items() for value in values if name != "after"]
    text = urlencode([*kept, *([("after", after)] if after else [])])
    return quote(visit.asked.path) + (f"?{text}" if text else "")


def sliced(visit: Visit, rows: Sequence[T]) -> tuple[Sequence[T], str, str]:
    """Return the rows of this page and links to the first and the next page, empty where there are none."""
    after = visit.query("after")
    at = int(after) if after.isdigit() and len(after) < 10 else 0
    following = link(visit, str(at + SIZE)) if len(rows) > at + SIZE else ""
    return rows[at : at + SIZE], link(visit, "") if at else "", following


@dataclass(frozen=True)
class Cut:
    """A page of a list that ARM itself gives in pages.

    Attributes:
        rows: those that fit the filter.
        first: link to the first page, empty on it.
        next: link to the page that follows, empty on the last one.
    """

    rows: list[dict[str, Any]]
    first: str
    next: str


def cut(visit: Visit, ask: Callable[[str], dict[str, Any]], fits: Callable[[dict[str, Any]], bool]) -> Cut:
    """Return a page of ours out of ARM's pages; of a long list only what is shown is asked for.

    Args:
        visit: its ``after`` is ARM's skip token and how many rows of that page were shown, with a colon between.
        ask: returns ARM's page for a skip token, empty for the first.
        fits: tells whether a row is to be shown.
    """
    token, _, shown = visit.query("after").rpartition(":")
    first = link(visit, "") if visit.query("after") else ""
    at = int(shown) if shown.isdigit() and len(shown) < 10 else 0
    rows: list[dict[str, Any]] = []
    for _ in range(REACH):
        found = ask(token)
        for number, row in enumerate(found["value"][at:], at):
            if len(rows) == SIZE:
                return Cut(rows, first, link(visit, f"{token}:{number}"))
            if fits(row):
                rows.append(row)
        token, at = skip_token(found.get("nextLink")), 0
        if not token:
            return Cut(rows, first, "")
    return Cut(rows, first, link(visit, f"{token}:0"))


def skip_token(following: object) -> str:
    """Return the skip token in ARM's link to the next page, empty when there is none."""
    members = dict(parse_qsl(urlsplit(str(following or "")).query))
    return next((value for name, value in members.items() if name.lower() == "$skiptoken"), "")
