"""Action patterns: ``*`` is any run of characters, slashes included; case is ignored (rbac-semantics.md section 2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

Matcher = Callable[[str], bool]
"""Tells whether an action, in lower case, matches."""


@lru_cache(maxsize=8192)
def compile_pattern(pattern: str) -> Matcher:
    """Return the test that a pattern is, for actions in lower case.

    Most patterns have no star or one, for which a comparison of text is quicker than a regular expression.
    """
    pattern = pattern.lower()
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern.__eq__
    if "*" in tail:
        expression = re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)
        return lambda action: expression.fullmatch(action) is not None
    shortest = len(head) + len(tail)
    return lambda action: len(action) >= shortest and action.startswith(head) and action.endswith(tail)


def matches(pattern: str, action: str) -> bool:
    """Tell whether an action matches a pattern."""
    return compile_pattern(pattern)(action.lower())


def first_match(patterns: tuple[str, ...], action: str) -> str | None:
    """Return the first pattern that matches, or None."""
    lower = action.lower()
    return next((pattern for pattern in patterns if compile_pattern(pattern)(lower)), None)
