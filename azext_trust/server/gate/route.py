"""Rows of the services' routing tables, and how a request finds its row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

ANONYMOUS = "anonymous"
"""Anybody may call: discovery, sign-in."""
SIGNED_IN = "signed-in"
"""Any caller with a valid token: the operation shows only what the caller may see."""
OPERATOR = "operator"
"""Only who holds the operator key (architecture.md, Contracts)."""
ACCESS_RULES = frozenset({ANONYMOUS, SIGNED_IN, OPERATOR})
DIRECTORY = "microsoft.directory/"
"""Prefix of the permissions that Entra directory roles give."""


class RouteError(Exception):
    """A routing table is wrong: a row without an action, an unknown action, a mutation without an activity name."""


@dataclass(frozen=True)
class Route:
    """One row: what is asked, what it needs, what is written down.

    Attributes:
        method: upper case.
        path: a template: ``{name}`` is one segment, ``{name:path}`` any run of segments, also none.
        operation: ``module:function`` in the service's folder.
        action: the action that RBAC must allow at `scope`, a directory permission, or one of `ACCESS_RULES`.
        activity: the name under which a change is logged; empty for reads.
        scope: a template over the path's placeholders; empty means the path itself.
        attributes: ``module:function`` giving a condition's attributes, or empty.
        own_transactions: the operation receives the store and opens short transactions itself.
        otherwise: ``module:function`` telling whether the caller may although no role of its allows the action: owners
            of a group or application, users on themselves (Entra's default user permissions).
        streams: the operation takes the request's body piece by piece (`stream.Receiver`); it has `own_transactions`.
    """

    method: str
    path: str
    operation: str
    action: str
    activity: str = ""
    scope: str = ""
    attributes: str = ""
    own_transactions: bool = False
    otherwise: str = ""
    streams: bool = False

    def scope_of(self, path: str, params: dict[str, str]) -> str:
        """Return the scope on which the action is checked."""
        return (self.scope.format_map(params) if self.scope else unquote(path)) or "/"


_PLACEHOLDER = re.compile(r"\{(\w+)(:path)?\}")
_FIXED = re.compile(r"\{\w+(?::path)?\}")


def _compile(template: str) -> re.Pattern[str]:
    parts, at = [], 0
    for found in _PLACEHOLDER.finditer(template):
        parts.append(re.escape(template[at : found.start()]))
        parts.append(f"(?P<{found[1]}>.*)" if found[2] else f"(?P<{found[1]}>[^/]+)")
        at = found.end()
    parts.append(re.escape(template[at:]))
    return re.compile("".join(parts) + "/?", re.IGNORECASE)


def _landmark(template: str) -> str:
    """Return the longest fixed part of a template, lower case: a path without it needs no regular expression."""
    return max((part.lower() for part in _FIXED.split(template)), key=len)


class RouteTable:
    """The rows of one service, ready to match.

    Args:
        rows: the table; the first row that matches wins.
        known_action: tells whether an action is in the operations table.

    Raises:
        RouteError: a row has no action or an unknown one: such a table does not assemble.
    """

    def __init__(self, rows: Iterable[Route]) -> None:
        self.rows = tuple(rows)
        for row in self.rows:
            if not row.action:
                raise RouteError(f"{row.method} {row.path} has no action.")
            if row.method in {"PUT", "PATCH", "DELETE"} and not row.activity:
                raise RouteError(f"{row.method} {row.path} changes something and has no activity name.")
        # Patterns are compiled when first needed: a command that is its own server asks for a handful of rows.
        self._compiled: list[tuple[str, re.Pattern[str] | None, Route]] = [
            (_landmark(row.path), None, row) for row in self.rows
        ]

    def match(self, method: str, path: str) -> tuple[Route | None, dict[str, str], bool]:
        """Find the row of a request.

        Returns:
            the row or None, its placeholders' values, and whether the path exists with another method.
        """
        elsewhere = False
        lower = path.lower()
        for at, (landmark, pattern, row) in enumerate(self._compiled):
            if landmark.rstrip("/") not in lower or (row.method != method and elsewhere):
                continue
            if pattern is None:
                pattern = _compile(row.path)
                self._compiled[at] = (landmark, pattern, row)
            found = pattern.fullmatch(path)
            if found is None:
                continue
            if row.method == method:
                return row, {name: unquote(value) for name, value in found.groupdict().items()}, False
            elsewhere = True
        return None, {}, elsewhere
